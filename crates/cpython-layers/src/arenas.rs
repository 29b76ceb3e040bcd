//! All arenas: where the next pool comes from, and which arena goes back.
//!
//! ```text
//! entries in the table = unused + current            current = allocated - reclaimed
//! an arena goes back when  free pools = pools, and
//!     GivenBack:             always
//!     GivenBackButTheLast:   another arena comes after it in the order
//!     Stay:                  never
//! ```
//!
//! The table of arenas is itself memory from `malloc`. It begins with 16 entries and doubles; before
//! 2.5 the old tables were not freed.

use std::ops::Range;

use crate::arena::{Arena, Usable};
use crate::aside::{Aside, Table};
use crate::geometry::Geometry;
use crate::policy::{ArenasFrom, EmptyArenas, Version};
use crate::raw::{Origin, Raw};
use crate::word::Word;

/// Entries of the first table.
const FIRST_ENTRIES: usize = 16;

pub(crate) struct Arenas<H> {
    geometry: Geometry,
    policy: EmptyArenas,
    pub origin: Origin,
    entry_bytes: usize,
    pub table: Table<Arena<H>>,
    /// The tables' own memory, the one in use last. There are others only where they are never freed.
    tables: Table<(H, usize)>,
    unused: Table<u32>,
    usable: Usable,
    /// Where arenas stay: all free pools that were in use before, and the arena that is being cut.
    freed: Table<u32>,
    cutting: Option<u32>,
    pub counts: ArenaCounts,
}

/// How many arenas there were, as `sys._debugmallocstats()` counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ArenaCounts {
    /// Arenas allocated in total.
    pub allocated: usize,
    /// Arenas given back.
    pub reclaimed: usize,
    /// The most there have been at once.
    pub highwater: usize,
}

impl ArenaCounts {
    /// Arenas there are.
    pub fn current(&self) -> usize {
        self.allocated - self.reclaimed
    }
}

impl<H> Arenas<H> {
    pub fn new(version: &Version, word: Word, geometry: Geometry) -> Self {
        Arenas {
            geometry,
            policy: version.empty_arenas,
            origin: match version.arenas_from {
                ArenasFrom::Malloc => Origin::Malloc,
                ArenasFrom::Map => Origin::Map,
            },
            entry_bytes: match version.empty_arenas {
                EmptyArenas::Stay => word.bytes(),
                // struct arena_object: five pointers and two unsigned ints.
                _ => 5 * word.bytes() + 2 * 4,
            },
            table: Table::new_in(Aside),
            tables: Table::new_in(Aside),
            unused: Table::new_in(Aside),
            usable: Usable::new(geometry.pools_per_arena()),
            freed: Table::new_in(Aside),
            cutting: None,
            counts: ArenaCounts::default(),
        }
    }

    /// A free pool, by its number: the arena's place in the table times pools per arena, and on.
    pub fn take<R: Raw<Handle = H>>(&mut self, raw: &mut R) -> Option<u32> {
        if self.policy == EmptyArenas::Stay {
            return self.take_where_arenas_stay(raw);
        }
        let slot = match self.usable.first() {
            Some(slot) => slot,
            None => {
                let slot = self.new_arena(raw)?;
                self.usable.insert(slot, &mut self.table);
                slot
            }
        };
        self.usable.remove(slot, &mut self.table);
        let pool = match self.table[slot as usize].free.pop() {
            Some(pool) => pool,
            None => self.cut(slot),
        };
        self.usable.insert(slot, &mut self.table);
        Some(pool)
    }

    /// Puts a pool back, and says which arena's memory went with it, if one's did.
    pub fn put_back<R: Raw<Handle = H>>(&mut self, pool: u32, raw: &mut R) -> Option<u32> {
        if self.policy == EmptyArenas::Stay {
            self.freed.push(pool);
            return None;
        }
        let slot = self.slot(pool);
        let arena = &self.table[slot as usize];
        let becomes_empty = arena.available() + 1 == usize::from(arena.pools);
        let goes_back = becomes_empty
            && (self.policy == EmptyArenas::GivenBack || !self.usable.is_last(slot, &self.table));
        self.usable.remove(slot, &mut self.table);
        if goes_back {
            self.release(slot, raw);
            return Some(slot);
        }
        self.table[slot as usize].free.push(pool);
        self.usable.insert(slot, &mut self.table);
        None
    }

    /// The arena that a pool belongs to.
    pub fn slot(&self, pool: u32) -> u32 {
        pool / self.geometry.pools_per_arena() as u32
    }

    /// Where a pool lies in its arena.
    pub fn offset(&self, pool: u32) -> usize {
        let index = pool as usize % self.geometry.pools_per_arena();
        self.table[self.slot(pool) as usize].skipped + index * self.geometry.pool_bytes
    }

    /// These bytes of a pool are written for the first time.
    pub fn touch<R: Raw<Handle = H>>(&mut self, pool: u32, bytes: Range<usize>, raw: &mut R) {
        let (slot, offset) = (self.slot(pool), self.offset(pool));
        let memory = self.table[slot as usize].memory.as_mut();
        let memory = memory.expect("a pool's arena has memory");
        raw.touch(memory, offset + bytes.start..offset + bytes.end);
    }

    /// Bytes that the tables take.
    pub fn table_bytes(&self) -> usize {
        self.tables.iter().map(|(_, bytes)| bytes).sum()
    }

    /// Before 2.5: any pool freed last, else the next of the arena that is being cut.
    fn take_where_arenas_stay<R: Raw<Handle = H>>(&mut self, raw: &mut R) -> Option<u32> {
        if let Some(pool) = self.freed.pop() {
            return Some(pool);
        }
        let uncut = self.cutting.filter(|&slot| {
            let arena = &self.table[slot as usize];
            arena.cut < arena.pools
        });
        let slot = match uncut {
            Some(slot) => slot,
            None => self.new_arena(raw)?,
        };
        self.cutting = Some(slot);
        Some(self.cut(slot))
    }

    fn cut(&mut self, slot: u32) -> u32 {
        let arena = &mut self.table[slot as usize];
        assert!(arena.cut < arena.pools, "an arena with free pools has one");
        let index = u32::from(arena.cut);
        arena.cut += 1;
        slot * self.geometry.pools_per_arena() as u32 + index
    }

    fn new_arena<R: Raw<Handle = H>>(&mut self, raw: &mut R) -> Option<u32> {
        if self.unused.is_empty() {
            self.grow_table(raw)?;
        }
        let memory = raw.allocate(self.geometry.arena_bytes, self.origin)?;
        let slot = self.unused.pop().expect("the table has grown");
        let excess = raw.address(&memory) % self.geometry.pool_bytes;
        let arena = &mut self.table[slot as usize];
        arena.memory = Some(memory);
        arena.pools = self.geometry.pools_per_arena() as u16;
        if excess != 0 {
            arena.skipped = self.geometry.pool_bytes - excess;
            arena.pools -= 1;
        }
        self.counts.allocated += 1;
        self.counts.highwater = self.counts.highwater.max(self.counts.current());
        Some(slot)
    }

    fn release<R: Raw<Handle = H>>(&mut self, slot: u32, raw: &mut R) {
        let arena = std::mem::replace(&mut self.table[slot as usize], Arena::unused());
        let memory = arena.memory.expect("an arena that goes back has memory");
        raw.free(memory, self.geometry.arena_bytes, self.origin);
        self.unused.push(slot);
        self.counts.reclaimed += 1;
    }

    fn grow_table<R: Raw<Handle = H>>(&mut self, raw: &mut R) -> Option<()> {
        let old = self.table.len();
        let entries = if old == 0 { FIRST_ENTRIES } else { 2 * old };
        let bytes = entries * self.entry_bytes;
        let mut memory = raw.allocate(bytes, Origin::Malloc)?;
        raw.touch(&mut memory, 0..bytes);
        if self.policy != EmptyArenas::Stay
            && let Some((memory, bytes)) = self.tables.pop()
        {
            raw.free(memory, bytes, Origin::Malloc);
        }
        self.tables.push((memory, bytes));
        self.table.resize_with(entries, Arena::unused);
        self.unused.extend((old as u32..entries as u32).rev());
        Some(())
    }
}
