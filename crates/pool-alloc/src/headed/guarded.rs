//! Guards on both sides of a large block: pages of which every access faults.
//!
//! ```text
//!                                  multiple of 2 MiB
//!  base                             |
//!   | header, 1 page | guard, 1 page | block ...                 | guard, 1 page |
//!   |<----------- lead ------------->|                           |
//! ```
//!
//! Without the feature `hardened` a guard has no bytes, and all of a mapping is one of the kernel's. With it, a block
//! cannot grow where it is, since a guard is in the way; its pages move to between the guards of another mapping.

use std::ptr::NonNull;

use super::{free, resize, size};
use crate::hardened::{self, Call};
use crate::os;

/// What is mapped before a block: the page of its header, and a guard.
pub(super) fn lead() -> usize {
    os::page_size() + hardened::guard_bytes()
}

/// What is mapped beside a block.
pub(super) fn beside() -> usize {
    lead() + hardened::guard_bytes()
}

/// What is counted as in use of a mapping: all but the guards, which take addresses only.
pub(super) fn counted(mapped: usize) -> usize {
    mapped - 2 * hardened::guard_bytes()
}

/// Sets the guards of a mapping; false where the kernel refuses.
///
/// # Safety
/// `[base, base + mapped)` was mapped for a block, and nobody uses it.
pub(super) unsafe fn set_guards(base: NonNull<u8>, mapped: usize) -> bool {
    if !hardened::GUARDS {
        return true;
    }
    // SAFETY: the guard before the block follows the header's page.
    let before = unsafe { base.add(os::page_size()) };
    // SAFETY: the guard behind it ends with the mapping.
    let behind = unsafe { base.add(mapped - hardened::guard_bytes()) };
    // SAFETY: the page is part of the mapping, and neither the header's nor the block's.
    let first = unsafe { hardened::guard(before) };
    // SAFETY: as above.
    first && unsafe { hardened::guard(behind) }
}

/// Moves what can be moved of a mapping to the same place in another: all of it, or what is between the guards. The
/// rest goes. False leaves both as they were.
///
/// # Safety
/// `[base, base + old)` is the mapping of a large block, `[to, to + new)` another, which nobody uses yet.
pub(super) unsafe fn moved(base: NonNull<u8>, old: usize, new: usize, to: NonNull<u8>) -> bool {
    if !hardened::GUARDS {
        // SAFETY: as promised by the caller.
        return unsafe { os::remap_to(base, old, new, to) };
    }
    // SAFETY: the block begins within the mapping.
    let block = unsafe { base.add(lead()) };
    // SAFETY: as above.
    let place = unsafe { to.add(lead()) };
    // Before its address is anybody's.
    hardened::large_ends(block.as_ptr());
    // SAFETY: between its guards, a block is one mapping.
    if !unsafe { os::remap_to(block, old - beside(), new - beside(), place) } {
        hardened::large_begins(block.as_ptr());
        return false;
    }
    // SAFETY: the guard behind the block ends with the mapping.
    let behind = unsafe { base.add(old - hardened::guard_bytes()) };
    // SAFETY: the header and the guard before the block are nobody's any more.
    unsafe { os::unmap(base, lead()) };
    // SAFETY: nor is the one behind it.
    unsafe { os::unmap(behind, hardened::guard_bytes()) };
    true
}

/// As `free`, of a block that the caller says was asked for with `size` bytes.
///
/// # Safety
/// As `free`.
pub(crate) unsafe fn free_as(block: *mut u8, size: usize) {
    // SAFETY: as promised by the caller.
    unsafe { vouch_for_size(block, Call::Free, size) };
    // SAFETY: as above.
    unsafe { free(block) };
}

/// As `resize`, of a block that the caller says has `old_size` bytes.
///
/// # Safety
/// As `resize`.
pub(crate) unsafe fn resize_from(block: *mut u8, old_size: usize, new_size: usize) -> *mut u8 {
    // SAFETY: as promised by the caller.
    unsafe { vouch_for_size(block, Call::Use, old_size) };
    // SAFETY: as above.
    unsafe { resize(block, new_size) }
}

/// Ends the process unless `block` is a large one in use, of as many pages as it was `told` to have.
///
/// # Safety
/// Without the feature, `block` is a large one in use; with it there is nothing to promise.
unsafe fn vouch_for_size(block: *mut u8, call: Call, told: usize) {
    hardened::vouch_for_large(block, call, Some(told));
    // SAFETY: the block is a large one in use.
    let has = unsafe { size(block) };
    if has != os::whole_pages(told.max(1)) {
        hardened::wrong_size(block, has, told);
    }
}
