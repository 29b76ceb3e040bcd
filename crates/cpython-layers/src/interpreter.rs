//! The layers put together: a request goes down until one can serve it, and a free goes down until
//! one keeps it.
//!
//! ```text
//! alloc:  small int?  ->  typed free list  ->  object allocator  ->  Raw
//! free:                   typed free list  ->  object allocator  ->  Raw
//! ```
//!
//! Where a layer cannot get memory, the request goes past it to `malloc`, as in CPython; it fails
//! where that does.

use std::ops::Range;

use crate::arenas::ArenaCounts;
use crate::aside::{Aside, Table};
use crate::block::{Block, Owner, Place};
use crate::kind::{self, Kind};
use crate::large::Large;
use crate::object_blocks::ObjectBlocks;
use crate::objects::Objects;
use crate::policy::{Buffers, SmallInts, Version};
use crate::raw::{Origin, OutOfMemory, Raw};
use crate::typed::Typed;
use crate::word::Word;

/// The memory of one Python process. It begins with nothing but the small ints, where these are
/// allocated: what an interpreter allocates for itself as it starts is not in the model.
pub struct Interpreter<R: Raw> {
    version: &'static Version,
    word: Word,
    pub(crate) raw: R,
    pub(crate) objects: Objects<R::Handle>,
    pub(crate) large: Large<R::Handle>,
    pub(crate) ints: Typed<R::Handle>,
    pub(crate) floats: Typed<R::Handle>,
    pub(crate) lists: Typed<R::Handle>,
    /// Bytes that were asked for of the live blocks in pools, the bounded free lists' included.
    pub(crate) asked_in_pools: usize,
    small_ints: Table<Block>,
}

impl<R: Raw> Interpreter<R> {
    /// An interpreter of this version and word over this allocator.
    ///
    /// # Errors
    ///
    /// Where there is no memory for the small ints.
    pub fn new(version: &'static Version, word: Word, raw: R) -> Result<Self, OutOfMemory> {
        let int_bytes = 3 * word.bytes();
        let mut interpreter = Interpreter {
            version,
            word,
            raw,
            objects: Objects::new(version, word),
            large: Large::EMPTY,
            ints: Typed::new(version.dead_ints, int_bytes, word),
            floats: Typed::new(version.dead_floats, kind::float_bytes(word), word),
            lists: Typed::new(version.dead_lists, kind::list_bytes(version, word), word),
            asked_in_pools: 0,
            small_ints: Table::new_in(Aside),
        };
        let (range, home) = &version.small_ints;
        if *home == SmallInts::Allocated {
            for value in range.clone() {
                let small = interpreter.new_int(value)?;
                interpreter.small_ints.push(small);
            }
        }
        Ok(interpreter)
    }

    /// Memory for this.
    ///
    /// # Errors
    ///
    /// Where the allocator below has none.
    ///
    /// # Panics
    ///
    /// Where an int of Python 2 does not fit a C `long`.
    pub fn alloc(&mut self, kind: Kind) -> Result<Block, OutOfMemory> {
        match kind {
            Kind::Int(value) if self.version.small_ints.0.contains(&value) => {
                Ok(Block::new(Owner::Nobody, Place::Shared))
            }
            Kind::Int(value) => self.new_int(value),
            Kind::Float => self.typed(Owner::Floats, kind::float_bytes(self.word)),
            Kind::List => self.typed(Owner::Lists, kind::list_bytes(self.version, self.word)),
            Kind::Str(characters) => {
                let header = self.version.str_header_bytes.of(self.word);
                self.object(Owner::Nobody, header + characters)
            }
            Kind::Object(bytes) => self.object(Owner::Nobody, bytes),
            Kind::Buffer(bytes) => match self.version.buffers {
                Buffers::ObjectAllocator => self.object(Owner::Nobody, bytes),
                Buffers::Malloc => self.malloc(Owner::Nobody, bytes),
            },
        }
    }

    /// The program is done with this block, which must be of this interpreter.
    pub fn free(&mut self, block: Block) {
        let rest = match block.owner() {
            Owner::Ints => self.ints.keep(block),
            Owner::Floats => self.floats.keep(block),
            Owner::Lists => self.lists.keep(block),
            Owner::Nobody => Some(block),
        };
        if let Some(block) = rest {
            self.release(block);
        }
    }

    /// A full collection, `gc.collect()`: clears the free lists that this version clears. There are
    /// no cycles in the model for it to find.
    pub fn gc_collect(&mut self) {
        self.ints.clear_blocks(&mut self.raw);
        self.floats.clear_blocks(&mut self.raw);
        let kept = [&mut self.floats, &mut self.lists, &mut self.ints].map(Typed::take_kept);
        for block in kept.into_iter().flatten() {
            self.release(block);
        }
    }

    /// The version whose memory it is.
    pub fn version(&self) -> &'static Version {
        self.version
    }

    /// How many arenas there are and were.
    pub fn arena_counts(&self) -> ArenaCounts {
        self.objects.arenas.counts
    }

    /// The addresses of each arena that was mapped.
    pub fn mapped_arenas(&self) -> impl Iterator<Item = Range<usize>> {
        let arenas = &self.objects.arenas;
        let mapped = arenas.origin == Origin::Map;
        let table = arenas.table.iter().filter(move |_| mapped);
        table.filter_map(|arena| {
            let start = self.raw.address(arena.memory.as_ref()?);
            Some(start..start + self.objects.geometry.arena_bytes)
        })
    }

    /// The allocator below.
    pub fn raw(&self) -> &R {
        &self.raw
    }

    /// The blocks that ints have of their own, where the version has such.
    pub fn int_blocks(&self) -> Option<BlockCounts> {
        self.ints.blocks().map(counts)
    }

    /// The blocks that floats have of their own, where the version has such.
    pub fn float_blocks(&self) -> Option<BlockCounts> {
        self.floats.blocks().map(counts)
    }

    /// The addresses of a block; `None` of a small int. In a pool they are of the whole block, the
    /// rounding included.
    pub fn address(&self, block: &Block) -> Option<Range<usize>> {
        match block.place() {
            Place::Pool { pool, index, .. } => {
                let slot = self.objects.arenas.slot(pool) as usize;
                let memory = self.objects.arenas.table[slot].memory.as_ref();
                let start = self
                    .raw
                    .address(memory.expect("a block's arena has memory"));
                let range = self.objects.block_range(pool, index);
                Some(start + range.start..start + range.end)
            }
            Place::Slot(slot) => {
                let blocks = match block.owner() {
                    Owner::Ints => self.ints.blocks(),
                    _ => self.floats.blocks(),
                };
                let blocks = blocks.expect("a slot is in blocks");
                Some(blocks.address(slot, &self.raw))
            }
            Place::Large(number) => Some(self.large.address(number, &self.raw)),
            Place::Shared => None,
        }
    }

    fn new_int(&mut self, value: i64) -> Result<Block, OutOfMemory> {
        let (bytes, digits) = kind::int_size(self.version, self.word, value);
        // A free list of ints takes those of one digit only.
        let owner = if digits == 1 {
            Owner::Ints
        } else {
            Owner::Nobody
        };
        self.typed(owner, bytes)
    }

    /// An object of a type that may have a free list.
    fn typed(&mut self, owner: Owner, bytes: usize) -> Result<Block, OutOfMemory> {
        let list = match owner {
            Owner::Ints => &mut self.ints,
            Owner::Floats => &mut self.floats,
            Owner::Lists => &mut self.lists,
            Owner::Nobody => return self.object(owner, bytes),
        };
        if let Some(block) = list.take(owner, &mut self.raw)? {
            return Ok(block);
        }
        self.object(owner, bytes)
    }

    fn object(&mut self, owner: Owner, bytes: usize) -> Result<Block, OutOfMemory> {
        let class = self.objects.geometry.class(bytes);
        let block = class.and_then(|class| self.objects.allocate(class, &mut self.raw));
        let Some((pool, index)) = block else {
            return self.malloc(owner, bytes);
        };
        self.asked_in_pools += bytes;
        let bytes = bytes as u16;
        let place = Place::Pool { pool, index, bytes };
        Ok(Block::new(owner, place))
    }

    fn malloc(&mut self, owner: Owner, bytes: usize) -> Result<Block, OutOfMemory> {
        let number = self.large.allocate(bytes, &mut self.raw);
        let place = Place::Large(number.ok_or(OutOfMemory)?);
        Ok(Block::new(owner, place))
    }

    /// Gives back what no free list keeps.
    fn release(&mut self, block: Block) {
        match block.place() {
            Place::Pool { pool, index, bytes } => {
                self.asked_in_pools -= usize::from(bytes);
                self.objects.free(pool, index, &mut self.raw);
            }
            Place::Large(number) => self.large.free(number, &mut self.raw),
            Place::Slot(_) => unreachable!("a type's own blocks keep every slot"),
            Place::Shared => {}
        }
    }
}

/// The blocks that a type has of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockCounts {
    /// How many there are.
    pub blocks: usize,
    /// Bytes that `malloc` is asked for, for each.
    pub block_bytes: usize,
    /// Objects that each has room for.
    pub slots_per_block: usize,
    /// Objects alive in them.
    pub live: usize,
}

fn counts<H>(blocks: &ObjectBlocks<H>) -> BlockCounts {
    BlockCounts {
        blocks: blocks.blocks(),
        block_bytes: blocks.block_bytes,
        slots_per_block: blocks.slots_per_block,
        live: blocks.live(),
    }
}
