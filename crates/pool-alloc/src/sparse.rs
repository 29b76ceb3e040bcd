//! Sparse: which pools of a heap are swept, and when.
//!
//! Few blocks in use can hold many pages. A drop in order passes through that state in every pool, a moment before
//! the pool is empty and goes back whole, and should not pay for sweeps; a drop that leaves survivors ends in it. So
//! a pool that becomes sparse waits, until so many others have become sparse after it:
//!
//! ```text
//! sparse pools of a heap that were not swept <= WAITING + spared
//! ```
//!
//! A loop that frees in disorder passes through it as well, and pays for each page again in the next round. Where it
//! has earned a reserve (`tide`), its pools are *spared* from the sweep, as far as that goes, also those that a thread
//! leaves when it ends (`commons::abandoned`):
//!
//! ```text
//! bytes of spared pools + bytes of dirty slices <= what the commons allow   (see there)
//! ```
//!
//! A pool is looked at when fewer of its blocks are in use than its *mark* says. Full pools are given a mark when they
//! leave their heap; pools that a heap hands blocks out from are looked at when they are empty.

use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::atomic::compiler_fence;

use crate::commons;
use crate::list::Ref;
use crate::os::invariant;
use crate::pool::{EMPTY, Pool};
use crate::sync::{AtomicUsize, Cell};

/// Sparse pools that a heap leaves unswept. More forgive a drop that turns from pool to pool more often before it
/// empties them; each keeps up to a pool after a drop that leaves survivors.
const WAITING: usize = 4;

/// The first mark is one in so many of a pool's blocks: what survives side by side, on one page in eight or fewer; but not
/// more blocks than pages, none of which would be without one if they came back in disorder.
const FIRST: usize = 8;

/// Of blocks of a page or more, each of which has pages to itself, one in four.
const FIRST_OF_PAGES: usize = 4;
const PAGE: usize = 4 << 10;

/// The marks below: at `PAGES` blocks, wherever they are, a third of a small pool's sixteen pages is without one; and then
/// at each quarter of what was left.
const PAGES: u32 = 16;
const NEXT: u32 = 4;

/// Bytes of the pools that were spared.
static SPARED: AtomicUsize = AtomicUsize::new(0);

/// How much is spared.
pub(crate) fn spared_bytes() -> usize {
    SPARED.load(Relaxed)
}

/// Whether more is spared than may be.
pub(crate) fn is_overdrawn() -> bool {
    spared_bytes() > commons::TOLD.reserve()
}

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

    /// Enters a pool as the last; returns the one whose turn it is to be swept. No pool waits twice, since a spared one, whose
    /// mark may be set again, does not wait, and any other has the mark `EMPTY` as long as it does.
    pub(crate) fn enter(&self, pool: Ref<Pool>) -> Option<Ref<Pool>> {
        invariant!(!pool.is_spared());
        invariant!(self.pools.iter().all(|place| place.get() != Some(pool)));
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
        self.set_mark(EMPTY.max(self.few_blocks() as u16));
    }

    /// Whether almost none of its blocks is in use.
    pub(crate) fn is_nearly_empty(&self) -> bool {
        self.used() as usize <= self.capacity() / FIRST
    }

    /// So many blocks of a pool are few.
    fn few_blocks(&self) -> usize {
        match self.block_size() < PAGE {
            true => (self.capacity() / FIRST).min(self.extent().len() / PAGE),
            false => self
                .capacity()
                .div_ceil(FIRST_OF_PAGES)
                .min(self.capacity() - 1),
        }
    }

    /// Whether no more are in use.
    fn has_few(&self) -> bool {
        self.used() as usize <= self.few_blocks()
    }

    /// Sets the mark of a pool that its heap will turn to again.
    pub(crate) fn mark_partial(&self) {
        match self.has_few() {
            true => self.set_mark(EMPTY),
            false => self.mark_full(),
        }
    }

    /// Sweeps or spares a pool that its thread leaves, if it is sparse, and sets its mark for whoever comes to own it. Of
    /// others the row goes, which nobody may ever use: in a loop somebody will.
    pub(crate) fn leave_to_others(&self) {
        self.mark_full();
        if self.has_few() {
            self.sweep_or_spare();
        } else if !commons::TOLD.has_reserve() {
            self.give_back_row();
        }
    }

    /// Sweeps the pool, unless the reserve goes so far.
    pub(crate) fn sweep_or_spare(&self) {
        if self.is_spared() {
            return;
        }
        let bytes = self.extent().len();
        if spared_bytes() + bytes > commons::TOLD.reserve() {
            return self.sweep_and_mark();
        }
        // In this order, should another thread fork here: the account is never less than what is on it.
        SPARED.fetch_add(bytes, Relaxed);
        compiler_fence(Release);
        self.spared().store(true, Relaxed);
    }

    /// Takes the pool, if it was spared, off the reserve's account.
    pub(crate) fn spare_no_more(&self) -> bool {
        let was_spared = self.spared().swap(false, Relaxed);
        if was_spared {
            SPARED.fetch_sub(self.extent().len(), Relaxed);
        }
        was_spared
    }

    /// Sweeps the pool, and sets the mark for the next time.
    pub(crate) fn sweep_and_mark(&self) {
        self.sweep();
        self.set_mark(EMPTY.max(PAGES.min(self.used() / NEXT) as u16));
    }
}
