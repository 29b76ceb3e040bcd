//! Where every byte is that the interpreter has from below, layer by layer.
//!
//! ```text
//! held = alive + large + rounding + typed_free + free_blocks + free_pools + uncut_pools
//!      + empty_arenas + headers + tails
//!      = arenas * arena + blocks of ints and floats + large + the tables of arenas
//! ```
//!
//! The first sum is made by walking pool by pool, the second by counting what was asked of [`Raw`].
//!
//! What is *resident* is less: of an arena only the pages that were ever written, since it came. Each
//! layer has its part of them, since a pool is written from its header on:
//!
//! ```text
//! written = header + live blocks + free_blocks, as far as they go + tail, as far as it goes
//! ```
//!
//! Of what comes by `malloc` outside an arena, all is written, to the byte; pages are not known there,
//! since the C library's placement is not.

use crate::block::Place;
use crate::geometry::{Geometry, PAGE_BYTES};
use crate::interpreter::Interpreter;
use crate::large::Large;
use crate::pool::Pool;
use crate::raw::{Origin, Raw};
use crate::typed::Typed;

/// Bytes by layer. Each byte of what is held is in one field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// Live objects in pools and in their types' own blocks, as they were asked for.
    pub alive: usize,
    /// Live requests that went past the object allocator to `malloc`.
    pub large: usize,
    /// Between what was asked for and its size class.
    pub rounding: usize,
    /// Dead objects that a typed free list keeps.
    pub typed_free: usize,
    /// Free blocks in pools that have a live one, those never cut off included.
    pub free_blocks: usize,
    /// Empty pools that were in use before, in arenas that have a used one.
    pub free_pools: usize,
    /// Pools never used yet, in arenas that have a used one.
    pub uncut_pools: usize,
    /// Pools of arenas without a used one.
    pub empty_arenas: usize,
    /// Headers of used pools and of the blocks of ints and floats, and the tables of arenas.
    pub headers: usize,
    /// What no block fits into: the ends of used pools, and what an arena loses because it does not
    /// begin on a multiple of the pool's size.
    pub tails: usize,
}

impl Ledger {
    /// The sum of all layers, in bytes.
    pub fn sum(&self) -> usize {
        let kept = self.typed_free + self.free_blocks + self.free_pools + self.uncut_pools;
        let lost = self.rounding + self.headers + self.tails;
        self.alive + self.large + kept + self.empty_arenas + lost
    }
}

/// The pools of one size class, as `sys._debugmallocstats()` counts them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ClassCounts {
    /// Used and full pools.
    pub pools: usize,
    /// Blocks given out of them, to a typed free list too.
    pub in_use: usize,
    /// Blocks free in them.
    pub available: usize,
}

impl<R: Raw> Interpreter<R> {
    /// Where every byte is. It walks all pools.
    pub fn ledger(&self) -> Ledger {
        self.ledger_of(|pool| match pool {
            Some(_) => self.objects.geometry.pool_bytes,
            None => self.objects.geometry.arena_bytes,
        })
    }

    /// Where every resident byte is: the same layers, of the pages that were written. Its sum is
    /// [`Interpreter::resident`].
    pub fn resident_ledger(&self) -> Ledger {
        self.ledger_of(|pool| pool.map_or(0, |pool| usize::from(pool.touched) * PAGE_BYTES))
    }

    /// `room` says how many bytes of a pool count, from its beginning on; of none, how many of an arena.
    fn ledger_of(&self, room: impl Fn(Option<&Pool>) -> usize) -> Ledger {
        let mut ledger = Ledger {
            large: self.large.bytes(),
            headers: self.objects.arenas.table_bytes(),
            ..Ledger::default()
        };
        self.add_arenas(&mut ledger, &room);
        for typed in [&self.ints, &self.floats, &self.lists] {
            add_typed(&mut ledger, typed, &self.large);
        }
        ledger
    }

    /// Bytes held from below, by what was asked of it.
    pub fn held(&self) -> usize {
        let arenas = self.arena_counts().current() * self.objects.geometry.arena_bytes;
        arenas + self.outside_arenas()
    }

    /// Bytes of it that are resident.
    pub fn resident(&self) -> usize {
        self.in_arenas() + self.outside_arenas()
    }

    /// Bytes of these that came by `malloc`.
    pub fn resident_by_malloc(&self) -> usize {
        let in_arenas = match self.objects.arenas.origin {
            Origin::Malloc => self.in_arenas(),
            Origin::Map => 0,
        };
        in_arenas + self.outside_arenas()
    }

    /// The pools whose blocks serve requests of so many bytes; none above the threshold.
    pub fn class_counts(&self, bytes: usize) -> ClassCounts {
        let mut counts = ClassCounts::default();
        let Some(class) = self.objects.geometry.class(bytes) else {
            return counts;
        };
        let pools = self.objects.pools.iter();
        for pool in pools.filter(|p| p.class == Some(class as u16) && !p.is_empty()) {
            counts.pools += 1;
            counts.in_use += usize::from(pool.live);
            counts.available += pool.capacity(&self.objects.geometry) - usize::from(pool.live);
        }
        counts
    }

    /// Pools of all arenas that are not in use.
    pub fn unused_pools(&self) -> usize {
        let arenas = self.objects.arenas.table.iter();
        let all: usize = arenas.map(|arena| usize::from(arena.pools)).sum();
        all - self.objects.pools.iter().filter(|p| !p.is_empty()).count()
    }

    /// Bytes of pools that were written.
    fn in_arenas(&self) -> usize {
        let pools = self.objects.pools.iter();
        let pages: usize = pools.map(|pool| usize::from(pool.touched)).sum();
        pages * PAGE_BYTES
    }

    fn outside_arenas(&self) -> usize {
        let blocks = [&self.ints, &self.floats].map(|typed| {
            let blocks = typed.blocks();
            blocks.map_or(0, |blocks| blocks.blocks() * blocks.block_bytes)
        });
        let tables = self.objects.arenas.table_bytes();
        blocks[0] + blocks[1] + self.large.bytes() + tables
    }

    fn add_arenas(&self, ledger: &mut Ledger, room: &dyn Fn(Option<&Pool>) -> usize) {
        let geometry = &self.objects.geometry;
        let per_arena = geometry.pools_per_arena();
        let mut block_bytes = 0;
        for (slot, arena) in self.objects.arenas.table.iter().enumerate() {
            if arena.memory.is_none() {
                continue;
            }
            let (all, cut) = (usize::from(arena.pools), usize::from(arena.cut));
            let pools = &self.objects.pools[slot * per_arena..][..all];
            ledger.tails += room(None).saturating_sub(all * geometry.pool_bytes);
            let is_empty = pools.iter().all(Pool::is_empty);
            for (number, pool) in pools.iter().enumerate() {
                let room = room(Some(pool));
                match pool.is_empty() {
                    true if is_empty => ledger.empty_arenas += room,
                    true if number < cut => ledger.free_pools += room,
                    true => ledger.uncut_pools += room,
                    false => block_bytes += add_pool(ledger, geometry, pool, room),
                }
            }
        }
        ledger.alive += self.asked_in_pools;
        ledger.rounding += block_bytes - self.asked_in_pools;
    }
}

/// All of a used pool that lies in its first `room` bytes, but for the blocks that are out: the bytes
/// of those. They lie there whole.
fn add_pool(ledger: &mut Ledger, geometry: &Geometry, pool: &Pool, room: usize) -> usize {
    let class = usize::from(pool.class.expect("a pool in use has a class"));
    let bytes = geometry.block_bytes(class);
    let out = usize::from(pool.live) * bytes;
    let rest = room - geometry.header_bytes - out;
    let free = rest.min(geometry.capacity(class) * bytes - out);
    ledger.headers += geometry.header_bytes;
    ledger.free_blocks += free;
    ledger.tails += rest - free;
    out
}

/// What a bounded list keeps was counted as alive so far, the object allocator not knowing better.
fn add_typed<H>(ledger: &mut Ledger, typed: &Typed<H>, large: &Large<H>) {
    if let Some(blocks) = typed.blocks() {
        ledger.alive += blocks.live() * blocks.object_bytes;
        ledger.typed_free += blocks.free_slots() * blocks.object_bytes;
        let slots = blocks.slots_per_block * blocks.object_bytes;
        ledger.headers += blocks.blocks() * (blocks.block_bytes - slots);
    }
    for block in typed.kept() {
        let (counted, bytes) = match block.place() {
            Place::Pool { bytes, .. } => (&mut ledger.alive, usize::from(bytes)),
            Place::Large(number) => (&mut ledger.large, large.bytes_of(number)),
            Place::Slot(_) | Place::Shared => unreachable!("not for a bounded list"),
        };
        *counted -= bytes;
        ledger.typed_free += bytes;
    }
}
