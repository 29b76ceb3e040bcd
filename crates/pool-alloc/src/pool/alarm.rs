//! The alarm: when the owner of a pool looks at it, as its blocks come back.
//!
//! ```text
//! mark     what the owner wants to be told of: fewer blocks in use than these
//! alarm    at least that; and more, so that it rings when the blocks in use are those that wait in the word
//! ```
//!
//! A thread that frees a block of its own pool compares with the alarm and with nothing else. While the pool is laid aside,
//! those who leave blocks in its word raise it (`remote`).

use std::sync::atomic::Ordering::{Acquire, Relaxed};

use super::Pool;
use crate::sync::Cell;

impl Pool {
    /// See the field.
    pub(crate) fn mark(&self) -> u16 {
        self.mark.get()
    }

    pub(crate) fn set_mark(&self, mark: u16) {
        self.mark.set(mark);
        self.reset_alarm();
    }

    /// Makes the alarm the mark, or what the blocks that wait call for if that is more.
    pub(crate) fn reset_alarm(&self) {
        let for_others = match self.word().waiting() {
            0 => 0,
            waiting => waiting + 1,
        };
        let alarm = for_others.max(self.mark.get().into());
        self.alarm.store(alarm, Relaxed);
    }

    /// The mark, for what is no pool and counts in it (`heap::cache`).
    pub(crate) fn mark_as_cell(&self) -> &Cell<u16> {
        &self.mark
    }

    /// Whether so many blocks are in use, remote ones included: asked by a thread that does not own the pool.
    pub(crate) fn uses(&self, blocks: u32) -> bool {
        self.used.load(Acquire) == blocks
    }

    /// As above; and if not, the owner will look when they are, if it is by its own hand.
    pub(crate) fn uses_or_will_look(&self, blocks: u32) -> bool {
        if self.alarm.load(Relaxed) <= blocks {
            self.alarm.fetch_max(blocks + 1, Relaxed);
        }
        self.uses(blocks)
    }

    /// Whether all blocks in use are remote ones, or may be about to be, where the pool is vacant.
    pub(crate) fn is_emptied_by_others(&self) -> bool {
        self.word().waiting() == self.used() || self.word().is_vacant()
    }
}
