//! A block's way back: to the pool that it came from, whoever that belongs to by now.
//!
//! ```text
//! the pool is this heap's             the block is pushed: the usual way
//! it is, and expects an order         it lengthens the pool's row, or ends it (`pool::row`)
//! another heap's                      it waits in the pool's word for the owner; the last one of a pool that the owner has
//!                                     laid aside does not, and what is there goes back (`remote`)
//! nobody's                            this thread claims the pool, and its heap takes it in
//! ```

use std::hint::cold_path;

use super::Heap;
use crate::commons;
use crate::counters::{self, Event};
use crate::hardened;
use crate::list::Ref;
use crate::os;
use crate::pool::{Block, Pool};
use crate::remote::{Freed, Unowned};
use crate::thread;

/// Takes back a block of this pool.
///
/// # Safety
/// `block` came from `pool`, is in use, and the caller is done with it.
#[inline(always)]
pub(crate) unsafe fn free(block: *mut u8, pool: Ref<Pool>) {
    hardened::take_back(block);
    let heap = thread::heap();
    if pool.owner() == heap.as_owner() {
        heap.blocks.taken_back();
        // SAFETY: the block is the pool's, and the owner's heap is this thread's.
        if unsafe { pool.put(block.cast()) } {
            cold_path();
            heap.drained(pool);
        }
    } else {
        cold_path();
        // SAFETY: as promised by the caller.
        unsafe { free_unusually(pool, block.cast(), heap) };
    }
}

/// Takes back a block of a pool whose owner is not this thread's heap, or is marked as one whose blocks come back in
/// order.
///
/// # Safety
/// `block` is in use, of `pool`, and the caller is done with it.
#[inline(never)]
pub(super) unsafe fn free_unusually(pool: Ref<Pool>, block: *mut Block, heap: Ref<Heap>) {
    if pool.expects_order_of(heap) {
        // SAFETY: as promised by the caller.
        unsafe { heap.free_in_order(pool, block) };
    } else {
        // SAFETY: as promised by the caller, and the pool is not of this thread's heap.
        unsafe { free_elsewhere(pool, block) };
    }
}

/// Takes back a block of a pool that this thread does not own.
///
/// # Safety
/// As above.
#[inline(never)]
unsafe fn free_elsewhere(pool: Ref<Pool>, block: *mut Block) {
    counters::count(Event::RemoteFree);
    let was = loop {
        // SAFETY: as promised by the caller.
        match unsafe {
            pool.word()
                .free(block, |blocks| pool.uses_or_will_look(blocks))
        } {
            Freed::Pushed => return,
            Freed::Claimed(was) => break was,
            Freed::PerhapsLast => {
                if commons::free_last(pool) {
                    return;
                }
            }
        }
    };
    let _errno = os::ErrnoKept::now();
    counters::count(Event::Claim);
    if was == Unowned::Listed {
        commons::lock().unlist_abandoned(pool);
    }
    // The claim left the block with this thread, which now owns the pool.
    let begins_row = was == Unowned::Full && pool.begins_with(block) && wants_rows();
    let drained = if begins_row {
        // SAFETY: the claim found the pool full, and it begins with the block.
        unsafe { pool.begin_row(block) };
        // SAFETY: the block is the pool's, follows the row, which is empty, and was in use until now.
        unsafe { pool.put_in_order() }
    } else {
        // SAFETY: the block is the pool's, and in use until now.
        unsafe { pool.put(block) }
    };
    if pool.used() == 0 {
        commons::close(pool);
    } else if let Some(heap) = thread::heap_or_new() {
        heap.own_partial(pool);
        if begins_row {
            pool.expect_order(heap);
        }
        if drained {
            heap.drained(pool);
        }
    } else {
        commons::abandon(pool);
    }
}

/// Not where links are to tell what was written to, nor in a loop: there the links pay, each of which brings a line to the
/// cache that the next round writes to.
fn wants_rows() -> bool {
    !hardened::LINKS && !commons::TOLD.has_reserve()
}

impl Heap {
    /// Takes back a block of a partial pool of this heap's, whose blocks came back in order so far: this one, too, or it
    /// ends that.
    ///
    /// # Safety
    /// `block` is in use, of `pool`, and the caller is done with it.
    #[inline(always)]
    unsafe fn free_in_order(&self, pool: Ref<Pool>, block: *mut Block) {
        self.blocks.taken_back();
        let drained = if pool.is_next_in_order(block) {
            // SAFETY: it is the block that follows the row, and the caller hands it over.
            unsafe { pool.put_in_order() }
        } else {
            pool.set_owner(self.as_owner());
            // SAFETY: the block is the pool's, and the caller hands it over.
            unsafe { pool.put(block) }
        };
        if drained {
            self.drained(pool);
        }
    }
}
