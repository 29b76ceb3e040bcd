//! A pool's owner: a heap, told by its number, or nobody.
//!
//! ```text
//! 0                            nobody
//! a heap's number              its thread's frees go the usual way
//! the number and IN_ORDER      its thread's frees look whether the pool's blocks come back in order (`row`)
//! ```
//!
//! The owner is told apart from the header, whose line the owning thread writes to for each block: a thread that frees
//! another's blocks would take that line from it each time, only to learn that they are not its own. A number takes half
//! the room of an address, so that all owners of an arena are two lines, which everyone may have.
//!
//! Reading it without order is enough: a thread's own heap stands there exactly if the thread itself wrote it last, as
//! heaps change hands under the lock and without pools. Everything else is up to the pool's word (`remote`).

use std::sync::atomic::Ordering::Relaxed;

use super::Pool;
use crate::arena::Arena;
use crate::heap::Heap;
use crate::list::Ref;
use crate::os::invariant;

/// See the top of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Owner(u32);

impl Owner {
    pub(crate) const NOBODY: Self = Self(0);

    /// What stands for a heap of no thread: no pool is owned by it.
    pub(crate) const NONE_OF_THEM: Self = Self(!IN_ORDER);

    /// The heap that was made as the `nth`, from 1 on. There are as many as threads were ever alive together, and no
    /// system has so many that the numbers end.
    pub(crate) fn nth(nth: usize) -> Self {
        invariant!(nth > 0 && nth < !IN_ORDER as usize);
        Self(nth as u32)
    }

    fn in_order(self) -> Self {
        Self(self.0 | IN_ORDER)
    }
}

/// See the top of this file.
const IN_ORDER: u32 = 1 << 31;

impl Pool {
    #[inline(always)]
    pub(crate) fn owner(&self) -> Owner {
        Owner(Arena::owner_of(self).load(Relaxed))
    }

    pub(crate) fn set_owner(&self, owner: Owner) {
        invariant!(owner != Owner::NONE_OF_THEM);
        Arena::owner_of(self).store(owner.0, Relaxed);
    }

    /// The owner's heap stays what it is; from now on its frees look whether they are in order.
    pub(crate) fn expect_order(&self, heap: Ref<Heap>) {
        self.set_owner(heap.as_owner().in_order());
    }

    /// Whether it is this heap's, whose frees look whether they are in order.
    pub(crate) fn expects_order_of(&self, heap: Ref<Heap>) -> bool {
        self.owner() == heap.as_owner().in_order()
    }

    /// Whether it is this heap's.
    pub(crate) fn is_of(&self, heap: Ref<Heap>) -> bool {
        self.owner() == heap.as_owner() || self.expects_order_of(heap)
    }
}
