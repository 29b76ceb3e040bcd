//! An arena: memory from below, cut into pools, and the lists that arenas are on.
//!
//! ```text
//!            a pool is wanted and           its last free pool taken
//!            no arena has a free one        <----------------------
//!  unused ------------------------> usable                          full
//!     ^                                |    ---------------------->
//!     +--------------------------------+    one of its pools freed
//!        all its pools free, by policy
//!
//! usable(n) = the arenas with n free pools, the one that came to n last first
//! order     = usable(1), usable(2), ...       pools are taken from the first arena in it
//! ```
//!
//! CPython keeps one list sorted by the number of free pools. An arena that gains a pool moves past
//! those that still have as few as it had, and not past any that has as many as it has now: that is
//! the front of `usable(n + 1)`. One that loses a pool was the first of all and stays so: the
//! front of `usable(n - 1)`. So a list for each n gives the same order, without a search.

use crate::aside::{Aside, Table, table_of};
use crate::pool::NONE;

/// One entry of the table of arenas.
pub(crate) struct Arena<H> {
    /// The memory, while the entry stands for an arena.
    pub memory: Option<H>,
    /// Bytes before the first pool, which begins on a multiple of the pool's size.
    pub skipped: usize,
    /// How many pools it has.
    pub pools: u16,
    /// How many of them have been cut off.
    pub cut: u16,
    /// Its free pools that were in use before, the one to be taken next last.
    pub free: Table<u32>,
    previous: u32,
    next: u32,
}

impl<H> Arena<H> {
    pub fn unused() -> Self {
        Arena {
            memory: None,
            skipped: 0,
            pools: 0,
            cut: 0,
            free: Table::new_in(Aside),
            previous: NONE,
            next: NONE,
        }
    }

    /// Free pools, those never used included.
    pub fn available(&self) -> usize {
        usize::from(self.pools - self.cut) + self.free.len()
    }
}

/// The lists `usable(n)`, linked through the table.
pub(crate) struct Usable {
    heads: Table<u32>,
}

impl Usable {
    pub fn new(pools_per_arena: usize) -> Self {
        Usable {
            heads: table_of(NONE, pools_per_arena + 1),
        }
    }

    /// The first arena in the order, if any has a free pool.
    pub fn first(&self) -> Option<u32> {
        self.heads.iter().copied().find(|&head| head != NONE)
    }

    /// Puts an arena in front of those that have as many free pools; one without is on no list.
    pub fn insert<H>(&mut self, slot: u32, table: &mut [Arena<H>]) {
        let available = table[slot as usize].available();
        if available == 0 {
            return;
        }
        let next = std::mem::replace(&mut self.heads[available], slot);
        if next != NONE {
            table[next as usize].previous = slot;
        }
        let arena = &mut table[slot as usize];
        (arena.previous, arena.next) = (NONE, next);
    }

    /// Takes an arena off its list, before the number of its free pools changes.
    pub fn remove<H>(&mut self, slot: u32, table: &mut [Arena<H>]) {
        let arena = &table[slot as usize];
        let (previous, next, available) = (arena.previous, arena.next, arena.available());
        if available == 0 {
            return;
        }
        match previous {
            NONE => self.heads[available] = next,
            _ => table[previous as usize].next = next,
        }
        if next != NONE {
            table[next as usize].previous = previous;
        }
    }

    /// Whether no arena comes after this one in the order.
    pub fn is_last<H>(&self, slot: u32, table: &[Arena<H>]) -> bool {
        let arena = &table[slot as usize];
        let fuller = &self.heads[arena.available() + 1..];
        arena.next == NONE && fuller.iter().all(|&head| head == NONE)
    }
}
