//! Large blocks that are found by their address: a mapping each, with a header in the page before the block.
//!
//! ```text
//!      multiple of 2 MiB                              multiple of 2 MiB (and of the alignment asked for)
//!       |                             not mapped   | header |  block ...                     | not mapped
//!       |                                          | 1 page |                                |
//! ```
//!
//! An arena begins with its header at such a multiple, so no block of a pool is there, and every large one is:
//!
//! ```text
//! block mod 2 MiB = 0   <=>   the block is large, and the page before it says how much is mapped
//! ```
//!
//! No alignment is an exception, since a multiple of 1 GiB is one of 2 MiB: whatever the alignment, the header is in
//! the same place, and telling the two sorts of block apart takes no memory access. It costs a page of memory per
//! block, addresses, which are free, and one mapping of the kernel's each, of which a process may have 65,530 by
//! default: they do not touch, so the kernel cannot merge them.
//!
//! With guards (`hardened`) there is one page more on either side of the block, of which every access faults, and the
//! header is before the first. The block alone is moved then, to between the guards of another mapping.

mod guarded;

use std::ptr::{self, NonNull};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use crate::arena::ARENA;
use crate::hardened::{self, Call};
use crate::large::IN_USE;
use crate::os;
use guarded::{beside, counted, lead, moved, set_guards};
pub(crate) use guarded::{free_as, resize_from};

/// What stands at the start of the page before a block.
struct Header {
    /// All bytes of the mapping: this page, the block's, and those of the guards.
    mapped: usize,
}

/// Below which address the next block may find room. Only a hint: without it the kernel's choice would have to be
/// mapped, found unaligned and mapped again, with more than is needed, each time.
static BELOW: AtomicUsize = AtomicUsize::new(0);

/// Whether a block is large, or null. Any other is a pool's.
#[inline(always)]
pub(crate) fn is_large_or_null(block: *mut u8) -> bool {
    block.addr() & (ARENA - 1) == 0
}

/// What has to be mapped for a block of `size` bytes; `None` where that is more than a pointer can span.
fn mapped_for(size: usize) -> Option<usize> {
    let beside = beside();
    if size > isize::MAX as usize - beside - os::page_size() {
        return None;
    }
    Some(beside + os::whole_pages(size.max(1)))
}

/// A zeroed block, or null.
#[cold]
pub(crate) fn allocate(size: usize, align: usize) -> *mut u8 {
    match mapped_for(size).and_then(|mapped| place(mapped, align.max(ARENA))) {
        Some(base) => {
            let mapped = mapped_for(size).unwrap_or_default();
            IN_USE.fetch_add(counted(mapped), Relaxed);
            // SAFETY: `place` mapped this much.
            unsafe { begin(base, mapped) }
        }
        None => ptr::null_mut(),
    }
}

/// A mapping of this length for a block that is aligned so.
fn place(mapped: usize, align: usize) -> Option<NonNull<u8>> {
    let lead = lead();
    let below = BELOW.load(Relaxed);
    let block = below.saturating_sub(mapped - lead) & !(align - 1);
    let hint = ptr::without_provenance_mut(block.saturating_sub(lead));
    let base = os::map_around(mapped, align, lead, hint)?;
    // SAFETY: so much was mapped, and nobody uses it.
    if !unsafe { set_guards(base, mapped) } {
        // SAFETY: as above.
        unsafe { os::unmap(base, mapped) };
        return None;
    }
    BELOW.store(base.addr().get(), Relaxed);
    Some(base)
}

/// Writes the header of a mapping; returns its block.
///
/// # Safety
/// `[base, base + mapped)` is a mapping of `place`, and its header is the caller's.
unsafe fn begin(base: NonNull<u8>, mapped: usize) -> *mut u8 {
    // SAFETY: the first page is there, and aligned for anything.
    unsafe { base.cast().write(Header { mapped }) };
    // SAFETY: the block begins within the mapping.
    let block = unsafe { base.add(lead()) };
    block.as_ptr().expose_provenance();
    hardened::large_begins(block.as_ptr());
    block.as_ptr()
}

/// The mapping of a block.
///
/// # Safety
/// `block` is a large block in use.
unsafe fn mapping(block: *mut u8) -> (NonNull<u8>, usize) {
    let base = block.expose_provenance() - lead();
    let base = ptr::with_exposed_provenance_mut::<u8>(base);
    // SAFETY: the first page of the address space is never mapped, so its successor is no block.
    let base = unsafe { NonNull::new_unchecked(base) };
    // SAFETY: what is before a large block begins with its header.
    let header = unsafe { base.cast::<Header>().read() };
    (base, header.mapped)
}

/// # Safety
/// `block` is a large block in use, and the caller is done with it.
pub(crate) unsafe fn free(block: *mut u8) {
    hardened::large_ends(block);
    // SAFETY: as promised by the caller.
    let (base, mapped) = unsafe { mapping(block) };
    BELOW.store(base.addr().get() + mapped, Relaxed);
    IN_USE.fetch_sub(counted(mapped), Relaxed);
    // SAFETY: this is the whole mapping, which nobody uses any more.
    unsafe { os::unmap(base, mapped) };
}

/// Bytes of a block.
///
/// # Safety
/// `block` is a large block in use.
pub(crate) unsafe fn size(block: *mut u8) -> usize {
    hardened::vouch_for_large(block, Call::Use, None);
    // SAFETY: as promised by the caller.
    unsafe { mapping(block) }.1 - beside()
}

/// Resizes a block in place or by moving its pages; null leaves it as it was. A block that moves keeps no alignment
/// above that of all large ones.
///
/// # Safety
/// `block` is a large block in use; on success only the result is used.
#[cold]
pub(crate) unsafe fn resize(block: *mut u8, new_size: usize) -> *mut u8 {
    hardened::vouch_for_large(block, Call::Use, None);
    // SAFETY: as promised by the caller.
    let (base, old) = unsafe { mapping(block) };
    let Some(new) = mapped_for(new_size) else {
        return ptr::null_mut();
    };
    // SAFETY: the base is that of a mapping of this length; what is cut off is not used any more.
    let base = if old == new || unsafe { resize_in_place(base, old, new) } {
        base
    } else {
        // SAFETY: as above.
        match unsafe { move_to_new_place(base, old, new) } {
            Some(base) => base,
            None => return ptr::null_mut(),
        }
    };
    IN_USE.fetch_add(new.wrapping_sub(old), Relaxed);
    // SAFETY: so much is mapped there now.
    unsafe { begin(base, new) }
}

/// # Safety
/// `[base, base + old)` is the mapping of a large block, of which nothing is used that is cut off.
unsafe fn resize_in_place(base: NonNull<u8>, old: usize, new: usize) -> bool {
    // A guard would have to move, and leave a page to the block.
    // SAFETY: the base is that of one mapping of this length.
    !hardened::GUARDS && unsafe { os::resize_in_place(base, old, new) }
}

/// # Safety
/// `[base, base + old)` is the mapping of a large block; on success it is gone.
unsafe fn move_to_new_place(base: NonNull<u8>, old: usize, new: usize) -> Option<NonNull<u8>> {
    let to = place(new, ARENA)?;
    // SAFETY: the caller owns the one mapping, and the other is new.
    if unsafe { moved(base, old, new, to) } {
        return Some(to);
    }
    // SAFETY: it was mapped above, and the move did not happen.
    unsafe { os::unmap(to, new) };
    None
}
