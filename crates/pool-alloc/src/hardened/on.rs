//! What `hardened` is with the feature: the questions that are asked of an address before anything is done with it.

mod faults;
mod links;
mod live;
mod units;

use std::alloc::Layout;
use std::ptr::NonNull;

use super::Call;
use crate::arena::Arena;
use crate::class::Class;
use crate::os;
use crate::pool::Pool;
pub(crate) use faults::wrong_size;
pub(crate) use links::{decode, encode};
pub(crate) use live::Live;
use units::Unit;

/// Whether large blocks have guards.
pub(crate) const GUARDS: bool = true;

/// Whether blocks that come back have a link in any case, which tells when they are written to.
pub(crate) const LINKS: bool = true;

/// Whether blocks may wait in thread caches: what was freed is to be known at once.
pub(crate) const CACHES: bool = false;

/// Marks a block that goes out as in use; returns it.
#[inline]
pub(crate) fn hand_out(block: *mut u8) -> *mut u8 {
    // SAFETY: the block is a pool's, so its arena is mapped.
    if unsafe { Live::around(block) }.set(block) {
        faults::broken_list(block);
    }
    block
}

/// Marks a block as not in use, or ends the process where it is not.
#[inline]
pub(crate) fn take_back(block: *mut u8) {
    // SAFETY: `vouch` found the block in an arena, which is mapped unless another thread frees the block as well.
    if !unsafe { Live::around(block) }.clear(block) {
        faults::refuse(block, Call::Free, None);
    }
}

/// Ends the process unless `block` is in use and of a pool.
#[inline]
pub(crate) fn vouch(block: *mut u8, call: Call) {
    if !is_in_use(block) {
        faults::refuse(block, call, None);
    }
}

/// As above, and unless it is of the class that serves this layout, which is no large one.
#[inline]
pub(crate) fn vouch_as(block: *mut u8, call: Call, layout: Layout) {
    if !is_in_use(block) || !is_of(block, layout) {
        faults::refuse(block, call, Some(layout.size()));
    }
}

/// Ends the process unless `block` is a large one in use. `told` is the size that the caller gives it.
pub(crate) fn vouch_for_large(block: *mut u8, call: Call, told: Option<usize>) {
    if Unit::of(block) != Unit::Large || !Unit::begins_at(block) {
        faults::refuse(block, call, told);
    }
}

#[inline]
fn is_in_use(block: *mut u8) -> bool {
    // SAFETY: where there is an arena, it is mapped.
    Unit::of(block) == Unit::Arena && unsafe { Live::around(block) }.has(block)
}

/// Whether a block in use is of the layout's class.
#[inline]
fn is_of(block: *mut u8, layout: Layout) -> bool {
    let class = Class::of(layout.size(), layout.align());
    // SAFETY: the block is in use, and from a pool.
    class == Some(unsafe { Arena::pool_around(block) }.class())
}

/// An arena was mapped.
pub(crate) fn arena_begins(arena: NonNull<u8>) {
    links::draw_secret();
    Unit::Arena.put(arena.as_ptr());
}

/// An arena is about to be unmapped.
pub(crate) fn arena_ends(arena: NonNull<u8>) {
    Unit::Gone.put(arena.as_ptr());
}

/// No block of the pool is in use. In the child of a fork there may be bits of blocks that threads of the parent were
/// about to be given.
pub(crate) fn pool_ends(pool: &Pool) {
    let start = Arena::slice_start(pool);
    // SAFETY: the pool's arena is mapped.
    unsafe { Live::around(start) }.clear_all(start, pool.extent().end);
}

/// Makes a guard of the page at `at`; false where the kernel refuses.
///
/// # Safety
/// The page was mapped by `os`, and nobody uses it.
pub(crate) unsafe fn guard(at: NonNull<u8>) -> bool {
    // SAFETY: as promised by the caller.
    unsafe { os::guard(at, os::page_size()) }
}

/// A large block begins its use.
pub(crate) fn large_begins(block: *mut u8) {
    Unit::Large.put(block);
}

/// A large block is taken back, or moved; ends the process where it is none in use.
pub(crate) fn large_ends(block: *mut u8) {
    if !Unit::begins_at(block) || !Unit::Large.becomes(Unit::Gone, block) {
        faults::refuse(block, Call::Free, None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{heap, thread};

    /// What a fork may leave behind: the bit of a block that nobody has, in a pool that is closed without it.
    fn closes_a_pool_with_a_bit_set() {
        let heap = thread::heap_or_new().expect("the machine has memory for a heap");
        let of = |size| Class::of(size, 8).expect("it is not large");
        let [kept, block] = [1 << 10, 8 << 10].map(|size| heap.allocate(of(size)));
        let lost = block.wrapping_add(of(8 << 10).block_size());
        // SAFETY: the arena is mapped, since `kept` or `block` is in use.
        let live = unsafe { Live::around(lost) };
        assert!(!live.set(lost), "it is untouched");
        // SAFETY: the block is in use, and came from a pool.
        let pool = unsafe { Arena::pool_around(block) };
        // SAFETY: it is of this pool, and not used again.
        unsafe { heap::free(block, pool) };
        heap.give_back();
        assert!(!live.has(lost) && live.has(kept));
        // SAFETY: as above.
        let pool = unsafe { Arena::pool_around(kept) };
        // SAFETY: as above.
        unsafe { heap::free(kept, pool) };
    }

    #[test]
    fn a_pool_that_is_closed_leaves_no_bits() {
        let work = || closes_a_pool_with_a_bit_set();
        std::thread::scope(|scope| scope.spawn(work).join().expect("the thread does not fail"));
    }
}
