//! Large blocks: each a mapping of its own, straight from the system and straight back.
//!
//! ```text
//! mapped(size) = size rounded up to whole pages
//! ```
//!
//! There is no header and no table: `dealloc` and `realloc` are handed the size. Freeing one keeps nothing.

use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use crate::os;

/// Bytes mapped for large blocks, those of `headed` included.
pub(crate) static MAPPED: AtomicUsize = AtomicUsize::new(0);

/// A zeroed block, or null.
#[cold]
pub(crate) fn allocate(size: usize, align: usize) -> *mut u8 {
    // The size may be small where the alignment is large, even zero if the caller breaks the rules.
    let len = os::whole_pages(size.max(1));
    match os::map(len, align.max(os::page_size())) {
        Some(at) => {
            MAPPED.fetch_add(len, Relaxed);
            at.as_ptr()
        }
        None => ptr::null_mut(),
    }
}

/// # Safety
/// `block` is a large block of `size` bytes, and the caller is done with it.
#[cold]
pub(crate) unsafe fn free(block: *mut u8, size: usize) {
    let Some(at) = NonNull::new(block) else {
        return;
    };
    let len = os::whole_pages(size.max(1));
    MAPPED.fetch_sub(len, Relaxed);
    // SAFETY: the block is the whole mapping, which nobody uses any more.
    unsafe { os::unmap(at, len) };
}

/// Resizes a block by moving its pages; null leaves it as it was.
///
/// # Safety
/// `block` is a large block of `old` bytes whose alignment is at most a page's; on success only the result is used.
pub(crate) unsafe fn resize(block: *mut u8, old: usize, new: usize) -> *mut u8 {
    let Some(at) = NonNull::new(block) else {
        return block;
    };
    let (old, new) = (os::whole_pages(old), os::whole_pages(new));
    if old == new {
        return block;
    }
    // SAFETY: the block is one mapping of this length.
    match unsafe { os::remap(at, old, new) } {
        Some(at) => {
            MAPPED.fetch_add(new.wrapping_sub(old), Relaxed);
            at.as_ptr()
        }
        None => ptr::null_mut(),
    }
}

/// Bytes of all large blocks.
pub(crate) fn mapped_bytes() -> usize {
    MAPPED.load(Relaxed)
}
