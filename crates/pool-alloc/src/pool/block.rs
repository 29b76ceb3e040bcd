//! A block that is not in use: its first word is a link to the next one of its list.

use crate::hardened;
use crate::sync;

/// The first word of a block that is not in use: the link to the next one (see `hardened` for how it is written).
#[repr(transparent)]
pub(crate) struct Block(*mut Block);

impl Block {
    /// # Safety
    /// `block` is not in use, and it is the caller's.
    #[inline(always)]
    pub(crate) unsafe fn link(block: *mut Self, next: *mut Self) {
        // SAFETY: every block has room for a link and is aligned for it.
        unsafe { sync::write(block, Self(hardened::encode(next, block))) };
    }

    /// # Safety
    /// `block` was linked and is still the caller's.
    #[inline(always)]
    pub(super) unsafe fn next(block: *mut Self) -> *mut Self {
        // SAFETY: a linked block begins with its link.
        let link = unsafe { sync::read(block) }.0;
        hardened::decode(link, block)
    }
}
