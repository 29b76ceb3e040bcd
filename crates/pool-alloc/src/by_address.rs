//! The same allocator for callers that hand back an address alone, as C's `free` does.
//!
//! `GlobalAlloc` tells size and alignment again when a block is freed; C does not. Here the block's address tells
//! all: at a multiple of 2 MiB it is a large one (`headed`), else the multiple below is its arena, whose header
//! says where pools begin. That is one load more than `dealloc` needs, from the page it reads anyway.
//!
//! ```
//! use pool_alloc::by_address;
//!
//! let block = by_address::allocate(1_000, 64);
//! assert!(block.addr() % 64 == 0);
//! // SAFETY: the block is in use; of the old pointer nothing is used after that.
//! unsafe {
//!     assert!(by_address::usable_size(block) >= 1_000);
//!     let block = by_address::resize(block, 1_000_000);
//!     by_address::free(block);
//! }
//! ```
//!
//! Blocks from here go back here, and those of [`PoolAlloc`](crate::PoolAlloc) there: large blocks differ. All else
//! is shared, so both may be used in one process.
//!
//! **Alignment.** Every block is a multiple of 16, which C's `malloc` promises for any size that could hold a
//! `max_align_t`. glibc keeps 16 for smaller sizes, too, and programs rely on it (tagged pointers). So the classes
//! that are odd multiples of 8 stay unused, and a block of 8 bytes takes 16, one of 24 takes 32. glibc, whose blocks
//! have a header of 8 bytes and a minimum of 32, takes 32 for both.

use std::ptr;

use crate::arena::Arena;
use crate::class::{Class, MEDIUM_MAX, Need};
use crate::hardened::{self, Call};
use crate::runs::Contents;
use crate::{headed, heap, os, thread};

/// What every block's address is a multiple of.
pub const MIN_ALIGN: usize = 16;

/// A block of at least `size` bytes at a multiple of `align`, a power of two; null where memory is out or the figures
/// exceed what a pointer can span. A size of 0 gives a block like any other, an alignment that is no power of two null
/// or a block at a multiple of some other.
#[inline]
pub fn allocate(size: usize, align: usize) -> *mut u8 {
    match Need::of(size.max(1), align.max(MIN_ALIGN)).step() {
        Some(step) => thread::heap().allocate_short(step),
        None => allocate_long(size, align),
    }
}

#[inline(never)]
fn allocate_long(size: usize, align: usize) -> *mut u8 {
    if !align.is_power_of_two() {
        // A large one that lay elsewhere would be taken for a pool's.
        return ptr::null_mut();
    }
    match class_of(size, align) {
        Some(class) => thread::heap().allocate(class),
        None => headed::allocate(size, align, Contents::Any),
    }
}

/// As [`allocate`] with the least alignment, and the first `size` bytes are zero.
#[inline]
pub fn allocate_zeroed(size: usize) -> *mut u8 {
    match class_of(size, MIN_ALIGN) {
        Some(class) => thread::heap().allocate_zeroed(class, size),
        None => headed::allocate(size, MIN_ALIGN, Contents::Zero),
    }
}

/// The class of a request, `None` where it is large. Both figures may be anything.
#[inline(always)]
fn class_of(size: usize, align: usize) -> Option<Class> {
    if size > MEDIUM_MAX || align > MEDIUM_MAX {
        return None;
    }
    Class::of(size.max(1), align.max(MIN_ALIGN))
}

/// Takes a block back. Null is ignored. `errno` stays as it is.
///
/// # Safety
/// `block` is null or a block of this module in use, and the caller is done with it.
#[inline]
pub unsafe fn free(block: *mut u8) {
    if headed::is_large_or_null(block) {
        // SAFETY: as promised by the caller.
        return unsafe { free_large_or_null(block) };
    }
    hardened::vouch(block, Call::Free);
    if thread::heap().has_open_caches() {
        // SAFETY: as promised by the caller, and it is not large.
        return unsafe { free_cached(block) };
    }
    // SAFETY: the block is in use, and not large.
    let pool = unsafe { Arena::pool_around(block) };
    // SAFETY: the block is of this pool, and the caller is done with it.
    unsafe { heap::free(block, pool) };
}

/// Takes back a block while the heap's caches are open.
///
/// # Safety
/// `block` is in use and not large, and the caller is done with it.
#[inline(never)]
unsafe fn free_cached(block: *mut u8) {
    // SAFETY: the block is in use, and not large.
    let pool = unsafe { Arena::pool_around(block) };
    // SAFETY: it came from a pool of this class, and the caller is done with it.
    if !unsafe { thread::heap().free_to_cache(block, pool.class()) } {
        // SAFETY: as above.
        unsafe { heap::free(block, pool) };
    }
}

/// # Safety
/// `block` is null or a large block, and the caller is done with it.
#[cold]
#[inline(never)]
unsafe fn free_large_or_null(block: *mut u8) {
    if !block.is_null() {
        let _errno = os::ErrnoKept::now();
        // SAFETY: as promised by the caller.
        unsafe { headed::free(block) };
    }
}

/// Bytes that the program may use of a block: at least what it asked for. 0 for null.
///
/// # Safety
/// `block` is null or a block of this module in use.
#[inline]
pub unsafe fn usable_size(block: *mut u8) -> usize {
    if block.is_null() {
        0
    } else if headed::is_large_or_null(block) {
        // SAFETY: the block is in use, and large.
        unsafe { headed::size(block) }
    } else {
        hardened::vouch(block, Call::Use);
        // SAFETY: the block is in use, and not large.
        unsafe { Arena::pool_around(block) }.block_size()
    }
}

/// Makes a block hold `new_size` bytes, where it is if that wastes at most half of it, else elsewhere with the
/// contents that both sizes have in common. Null where memory is out; the block is as it was then. Only
/// [`MIN_ALIGN`] is promised of the result.
///
/// # Safety
/// `block` is a block of this module in use; unless the result is null, only the result is used from then on.
#[inline]
pub unsafe fn resize(block: *mut u8, new_size: usize) -> *mut u8 {
    // SAFETY: as promised by the caller.
    let room = unsafe { usable_size(block) };
    if headed::is_large_or_null(block) {
        if new_size > MEDIUM_MAX {
            // SAFETY: the block is large and in use.
            let resized = unsafe { headed::resize(block, new_size) };
            if !resized.is_null() {
                return resized;
            }
        }
    } else if new_size <= room && new_size >= room / 2 {
        return block;
    }
    let copy = match class_of(new_size, MIN_ALIGN) {
        Some(class) => thread::heap().allocate(class),
        None => headed::allocate(new_size, MIN_ALIGN, Contents::of_copy(room, new_size)),
    };
    if !copy.is_null() {
        // SAFETY: both blocks hold this many bytes, and they are two blocks.
        unsafe { block.copy_to_nonoverlapping(copy, room.min(new_size)) };
        // SAFETY: the caller is done with the old block.
        unsafe { free(block) };
    }
    copy
}
