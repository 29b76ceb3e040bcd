//! What `hardened` is without the feature: nothing.

use std::alloc::Layout;
use std::ptr::NonNull;

use super::Call;
use crate::pool::{Block, Pool};

/// Whether large blocks have guards.
pub(crate) const GUARDS: bool = false;

/// Whether blocks that come back have a link in any case.
pub(crate) const LINKS: bool = false;

/// Whether blocks may wait in thread caches.
pub(crate) const CACHES: bool = true;

/// What an arena's header has behind its first page.
pub(crate) struct Live;

#[inline(always)]
pub(crate) fn encode(next: *mut Block, _at: *mut Block) -> *mut Block {
    next
}

#[inline(always)]
pub(crate) fn decode(link: *mut Block, _at: *mut Block) -> *mut Block {
    link
}

#[inline(always)]
pub(crate) fn hand_out(block: *mut u8) -> *mut u8 {
    block
}

#[inline(always)]
pub(crate) fn take_back(_block: *mut u8) {}

#[inline(always)]
pub(crate) fn vouch(_block: *mut u8, _call: Call) {}

#[inline(always)]
pub(crate) fn vouch_as(_block: *mut u8, _call: Call, _layout: Layout) {}

#[inline(always)]
pub(crate) fn arena_begins(_arena: NonNull<u8>) {}

#[inline(always)]
pub(crate) fn arena_ends(_arena: NonNull<u8>) {}

#[inline(always)]
pub(crate) fn pool_ends(_pool: &Pool) {}

/// # Safety
/// None.
#[inline(always)]
pub(crate) unsafe fn guard(_at: NonNull<u8>) -> bool {
    true
}

#[inline(always)]
pub(crate) fn large_begins(_block: *mut u8) {}

#[inline(always)]
pub(crate) fn large_ends(_block: *mut u8) {}

#[inline(always)]
pub(crate) fn vouch_for_large(_block: *mut u8, _call: Call, _told: Option<usize>) {}

#[inline(always)]
pub(crate) fn wrong_size(_block: *mut u8, _has: usize, _told: usize) {}
