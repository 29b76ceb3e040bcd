//! The runs that a thread has at hand: those that it gave back last, for its own next blocks of the same length.
//!
//! The table is everybody's: its lines go from processor to processor with its lock, which takes longer than all that is
//! done there. So where a loop has earned a reserve, a thread keeps a few of its runs to itself, and the table is left
//! in peace. It knows nothing of that: these runs are in use to it.
//!
//! ```text
//! runs at hand <= RUNS, bytes <= BYTES     none without a reserve, or with a limit, as soon as the thread finds that out
//! ```
//!
//! It finds out when it frees a large block, has one grow, or needs a pool.
//!
//! That a reserve ends is found out where memory in use rises and falls (`tide`), which the table sees. So once in
//! `VISIT` times a run goes there all the same.

use std::sync::atomic::Ordering::Relaxed;

use super::{Need, Run, TOLD, lock};
use crate::sync::{AtomicUsize, Cell};

/// Runs at hand at most: each halves how often the table is asked, about, and is looked at for each block.
const RUNS: usize = 4;

/// Their bytes at most: what a thread that comes to rest keeps.
const BYTES: usize = 1 << 20;

/// See the top of this file.
const VISIT: u32 = 32;

/// See the top of this file. Only its thread touches it, but that others may ask for its bytes.
pub(crate) struct AtHand {
    runs: [Cell<Option<Run>>; RUNS],
    bytes: AtomicUsize,
    /// Runs that have come here since one went to the table.
    kept: Cell<u32>,
}

impl AtHand {
    pub(crate) const fn new() -> Self {
        Self {
            runs: [const { Cell::new(None) }; RUNS],
            bytes: AtomicUsize::new(0),
            kept: Cell::new(0),
        }
    }

    /// Bytes of its runs.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// A run just as it is needed.
    pub(super) fn take(&self, need: Need) -> Option<Run> {
        if self.bytes() == 0 {
            return None;
        }
        let fits = |run: Run| run.len == need.len && run.lead(need) == 0;
        let place = self
            .runs
            .iter()
            .find(|place| place.get().is_some_and(fits))?;
        let run = place.take()?;
        self.bytes.store(self.bytes() - run.len, Relaxed);
        Some(run)
    }

    /// Takes a run that its block is done with; false where it is for the table.
    pub(super) fn put(&self, run: Run) -> bool {
        self.give_back_if_over();
        if !TOLD.lets_threads_keep() {
            return false;
        }
        let place = self.runs.iter().find(|place| place.get().is_none());
        let kept = self.kept.get() + 1;
        let Some(place) = place.filter(|_| self.bytes() + run.len <= BYTES && kept < VISIT) else {
            self.kept.set(0);
            return false;
        };
        self.kept.set(kept);
        place.set(Some(run));
        self.bytes.store(self.bytes() + run.len, Relaxed);
        true
    }

    /// Gives all of them to the table if there is no reserve any more.
    pub(crate) fn give_back_if_over(&self) {
        if self.bytes() > 0 && !TOLD.lets_threads_keep() {
            self.give_back();
        }
    }

    /// Forgets them: for the heap of a thread that a forked child does not have.
    pub(crate) fn forget(&self) {
        self.bytes.store(0, Relaxed);
    }

    /// Gives all of them to the table.
    pub(crate) fn give_back(&self) {
        if self.bytes() == 0 {
            return;
        }
        let mut table = lock();
        for run in self.runs.iter().filter_map(Cell::take) {
            table.put(run);
        }
        drop(table);
        self.bytes.store(0, Relaxed);
    }
}
