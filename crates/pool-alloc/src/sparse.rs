//! Sparse: which pools of a heap are swept, and when.
//!
//! Few blocks in use can hold many pages. A drop in order passes through that state in every pool, a moment before
//! the pool is empty and goes back whole, and should not pay for sweeps; a drop that leaves survivors ends in it. So
//! a pool that becomes sparse waits, until so many others have become sparse after it:
//!
//! ```text
//! sparse pools of a heap that were not swept <= WAITING
//! ```
//!
//! A pool is looked at when fewer of its blocks are in use than its *mark* says. Full pools are given a mark when they
//! leave their heap; pools that a heap hands blocks out from are looked at when they are empty.

use crate::list::Ref;
use crate::pool::{EMPTY, Pool};
use crate::sync::Cell;

/// Sparse pools that a heap leaves unswept. More forgive a drop that turns from pool to pool more often before it
/// empties them; each keeps up to a pool after a drop that leaves survivors.
const WAITING: usize = 4;

/// The first mark is one in so many of a pool's blocks: what survives side by side, on one page in eight or fewer.
const FIRST: usize = 8;

/// The marks below: at `PAGES` blocks, wherever they are, a third of a pool's sixteen pages is without one; and then
/// at each quarter of what was left.
const PAGES: u32 = 16;
const NEXT: u32 = 4;

/// The pools that became sparse last, in that order from `next` on.
pub(crate) struct Sparse {
    pools: [Cell<Option<Ref<Pool>>>; WAITING],
    next: Cell<usize>,
}

impl Sparse {
    pub(crate) const fn new() -> Self {
        Self {
            pools: [const { Cell::new(None) }; WAITING],
            next: Cell::new(0),
        }
    }

    /// Enters a pool as the last; returns the one whose turn it is to be swept.
    pub(crate) fn enter(&self, pool: Ref<Pool>) -> Option<Ref<Pool>> {
        let at = self.next.get();
        self.next.set((at + 1) % WAITING);
        self.pools[at].replace(Some(pool))
    }

    /// Forgets a pool that leaves the heap or begins to hand out blocks; it need not be here.
    pub(crate) fn forget(&self, pool: Ref<Pool>) {
        let waits = |place: &&Cell<Option<Ref<Pool>>>| place.get() == Some(pool);
        if let Some(place) = self.pools.iter().find(waits) {
            place.set(None);
        }
    }
}

impl Pool {
    /// Sets the mark of a pool that has nothing to hand out.
    pub(crate) fn mark_full(&self) {
        self.set_mark(EMPTY.max((self.capacity() / FIRST) as u16));
    }

    /// Sweeps a pool that its thread leaves, if it is sparse, and sets its mark for whoever comes to own it.
    pub(crate) fn leave_to_others(&self) {
        self.mark_full();
        if self.used() as usize <= self.capacity() / FIRST {
            self.sweep_and_mark();
        }
    }

    /// Sweeps the pool, and sets the mark for the next time.
    pub(crate) fn sweep_and_mark(&self) {
        self.sweep();
        self.set_mark(EMPTY.max(PAGES.min(self.used() / NEXT) as u16));
    }
}
