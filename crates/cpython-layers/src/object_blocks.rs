//! The blocks of Python 2's ints and floats: memory that one type takes from `malloc` for itself.
//!
//! ```text
//! slots  = (1000 - 8) / object             per block, whole ones
//! block  = a pointer + slots * object      what malloc is asked for
//! slots of all blocks = live + free
//! ```
//!
//! A slot that is freed goes to the front of one free list for all blocks, and that is all that ever
//! happens to it: the list has no bound, and no block goes back while the list has a slot of it.
//! Only a full collection, where the version has it look here, gives back the blocks without a live
//! slot, and threads the free list anew through the others.

use std::ops::Range;

use crate::aside::{Aside, Table};
use crate::raw::{Origin, Raw};
use crate::word::Word;

/// What a block is to take, "1K less typical malloc overhead".
const BLOCK_SIZE: usize = 1000;
/// What is set aside in it for the pointer to the next block, on any word.
const BLOCK_HEAD_SIZE: usize = 8;

pub(crate) struct ObjectBlocks<H> {
    pub object_bytes: usize,
    pub slots_per_block: usize,
    pub block_bytes: usize,
    blocks: Table<Option<Block<H>>>,
    vacant: Table<u32>,
    /// CPython's list of blocks, its head last.
    list: Table<u32>,
    /// The free slots, by number, the one to be given next last.
    free: Table<u32>,
}

struct Block<H> {
    memory: H,
    /// A bit for each live slot.
    live: u128,
}

impl<H> ObjectBlocks<H> {
    pub fn new(object_bytes: usize, word: Word) -> Self {
        let slots_per_block = (BLOCK_SIZE - BLOCK_HEAD_SIZE) / object_bytes;
        assert!(slots_per_block <= u128::BITS as usize);
        ObjectBlocks {
            object_bytes,
            slots_per_block,
            block_bytes: word.bytes() + slots_per_block * object_bytes,
            blocks: Table::new_in(Aside),
            vacant: Table::new_in(Aside),
            list: Table::new_in(Aside),
            free: Table::new_in(Aside),
        }
    }

    /// A slot, by number: its block's number times the slots of a block, and on.
    pub fn allocate<R: Raw<Handle = H>>(&mut self, raw: &mut R) -> Option<u32> {
        if self.free.is_empty() {
            self.add_block(raw)?;
        }
        let slot = self.free.pop().expect("a block has been added");
        let (block, bit) = self.locate(slot);
        self.block_mut(block).live |= bit;
        Some(slot)
    }

    /// Puts a slot on the free list.
    pub fn free(&mut self, slot: u32) {
        let (block, bit) = self.locate(slot);
        let live = &mut self.block_mut(block).live;
        assert!(*live & bit != 0, "a slot that is freed is live");
        *live &= !bit;
        self.free.push(slot);
    }

    /// What a full collection does: gives back each block without a live slot. Blocks are looked
    /// at from the newest on, and those that stay are listed in the opposite order afterwards.
    pub fn clear<R: Raw<Handle = H>>(&mut self, raw: &mut R) {
        self.free.clear();
        for number in std::mem::replace(&mut self.list, Table::new_in(Aside))
            .into_iter()
            .rev()
        {
            let live = self.block_mut(number).live;
            if live == 0 {
                let block = self.blocks[number as usize].take();
                let memory = block.expect("a listed block exists").memory;
                raw.free(memory, self.block_bytes, Origin::Malloc);
                self.vacant.push(number);
            } else {
                self.list.push(number);
                let first = number * self.slots_per_block as u32;
                let slots = 0..self.slots_per_block as u32;
                let dead = slots.filter(|slot| live & (1 << slot) == 0);
                self.free.extend(dead.map(|slot| first + slot));
            }
        }
    }

    /// Blocks there are.
    pub fn blocks(&self) -> usize {
        self.list.len()
    }

    /// Live slots, counted one by one.
    pub fn live(&self) -> usize {
        let blocks = self.blocks.iter().flatten();
        blocks.map(|block| block.live.count_ones() as usize).sum()
    }

    /// Slots on the free list.
    pub fn free_slots(&self) -> usize {
        self.free.len()
    }

    /// The addresses of a slot.
    pub fn address<R: Raw<Handle = H>>(&self, slot: u32, raw: &R) -> Range<usize> {
        let slots = self.slots_per_block as u32;
        let block = self.blocks[(slot / slots) as usize].as_ref();
        let head = self.block_bytes - self.slots_per_block * self.object_bytes;
        let offset = head + (slot % slots) as usize * self.object_bytes;
        let start = raw.address(&block.expect("a slot's block exists").memory) + offset;
        start..start + self.object_bytes
    }

    /// The slots of a new block are linked from its end, so that the last one is given first.
    fn add_block<R: Raw<Handle = H>>(&mut self, raw: &mut R) -> Option<()> {
        let mut memory = raw.allocate(self.block_bytes, Origin::Malloc)?;
        raw.touch(&mut memory, 0..self.block_bytes);
        let block = Some(Block { memory, live: 0 });
        let number = match self.vacant.pop() {
            Some(number) => {
                self.blocks[number as usize] = block;
                number
            }
            None => {
                self.blocks.push(block);
                self.blocks.len() as u32 - 1
            }
        };
        self.list.push(number);
        let first = number * self.slots_per_block as u32;
        self.free.extend(first..first + self.slots_per_block as u32);
        Some(())
    }

    fn locate(&self, slot: u32) -> (u32, u128) {
        let slots = self.slots_per_block as u32;
        (slot / slots, 1 << (slot % slots))
    }

    fn block_mut(&mut self, number: u32) -> &mut Block<H> {
        let block = self.blocks[number as usize].as_mut();
        block.expect("a slot's block exists")
    }
}
