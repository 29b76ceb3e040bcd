//! The object allocator, CPython's obmalloc: requests up to a threshold, from pools by size class.
//!
//! ```text
//! used(c) = the pools of class c that are neither full nor empty, the one that came last first
//! alloc   = a block of the first pool in used(c), else of a free pool, else of a new arena's
//! free    = the block goes to the front of its pool's list;
//!           a pool that was full comes to the front of used(c), one that is empty goes to its arena
//! ```

use std::ops::Range;

use crate::arenas::Arenas;
use crate::aside::{Aside, Table, table_of};
use crate::geometry::{Geometry, PAGE_BYTES};
use crate::policy::Version;
use crate::pool::{NONE, Pool};
use crate::raw::Raw;
use crate::word::Word;

pub(crate) struct Objects<H> {
    pub geometry: Geometry,
    pub arenas: Arenas<H>,
    /// The pools of all arenas, by number.
    pub pools: Table<Pool>,
    /// The first of `used(c)`, by class.
    used: Table<u32>,
}

impl<H> Objects<H> {
    pub fn new(version: &Version, word: Word) -> Self {
        let geometry = Geometry::of(version, word);
        Objects {
            geometry,
            arenas: Arenas::new(version, word, geometry),
            pools: Table::new_in(Aside),
            used: table_of(NONE, geometry.classes()),
        }
    }

    /// A block of this class, as its pool and its place there.
    pub fn allocate<R: Raw<Handle = H>>(
        &mut self,
        class: usize,
        raw: &mut R,
    ) -> Option<(u32, u16)> {
        let mut number = self.used[class];
        let is_new = number == NONE;
        if is_new {
            number = self.arenas.take(raw)?;
            self.cover_table();
        }
        let pool = &mut self.pools[number as usize];
        let touched = usize::from(pool.touched);
        let index = if is_new {
            pool.open(class as u16, &self.geometry)
        } else {
            pool.give(&self.geometry)
        };
        let (full, now) = (pool.is_full(), usize::from(pool.touched));
        match (is_new, full) {
            (true, false) => self.link(number),
            (false, true) => self.unlink(number),
            (false, false) => {}
            (true, true) => unreachable!("a pool has room for two blocks"),
        }
        if now > touched {
            let bytes = touched * PAGE_BYTES..now * PAGE_BYTES;
            self.arenas.touch(number, bytes, raw);
        }
        Some((number, index))
    }

    /// Takes a block back.
    pub fn free<R: Raw<Handle = H>>(&mut self, number: u32, index: u16, raw: &mut R) {
        let pool = &mut self.pools[number as usize];
        let was_full = pool.is_full();
        pool.take_back(index);
        if was_full {
            self.link(number);
        } else if pool.is_empty() {
            self.unlink(number);
            if let Some(slot) = self.arenas.put_back(number, raw) {
                let per_arena = self.geometry.pools_per_arena();
                let first = slot as usize * per_arena;
                self.pools[first..first + per_arena].fill(Pool::UNCUT);
            }
        }
    }

    /// The class of the blocks of a pool in use.
    pub fn class(&self, number: u32) -> usize {
        let class = self.pools[number as usize].class;
        class.expect("a pool in use has a class").into()
    }

    /// Where a block lies in its arena.
    pub fn block_range(&self, number: u32, index: u16) -> Range<usize> {
        let in_pool = self.geometry.block_range(self.class(number), index.into());
        let offset = self.arenas.offset(number);
        offset + in_pool.start..offset + in_pool.end
    }

    /// As many pools as the table of arenas has room for.
    fn cover_table(&mut self) {
        let pools = self.arenas.table.len() * self.geometry.pools_per_arena();
        self.pools.resize(pools, Pool::UNCUT);
    }

    fn link(&mut self, number: u32) {
        let class = self.class(number);
        let next = std::mem::replace(&mut self.used[class], number);
        if next != NONE {
            self.pools[next as usize].previous = number;
        }
        let pool = &mut self.pools[number as usize];
        (pool.previous, pool.next) = (NONE, next);
    }

    fn unlink(&mut self, number: u32) {
        let class = self.class(number);
        let pool = &self.pools[number as usize];
        let (previous, next) = (pool.previous, pool.next);
        match previous {
            NONE => self.used[class] = next,
            _ => self.pools[previous as usize].next = next,
        }
        if next != NONE {
            self.pools[next as usize].previous = previous;
        }
    }
}
