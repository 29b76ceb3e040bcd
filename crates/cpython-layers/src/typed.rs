//! What a type keeps of its dead objects, in one of the three ways that CPython has had.
//!
//! ```text
//! none      everything goes on to the object allocator
//! blocks    everything is kept, in the type's own blocks        ints and floats of 2.x
//! bounded   the first so many are kept, blocks of the object    floats from 3.3, ints from 3.14,
//!           allocator that it takes to be in use                lists in every version
//! ```

use crate::aside::{Aside, Table};
use crate::block::{Block, Owner, Place};
use crate::object_blocks::ObjectBlocks;
use crate::policy::{Collected, FreeList};
use crate::raw::{OutOfMemory, Raw};
use crate::word::Word;

pub(crate) struct Typed<H> {
    store: Store<H>,
    collected: Collected,
}

enum Store<H> {
    None,
    Blocks(ObjectBlocks<H>),
    Bounded {
        limit: usize,
        /// The one to be given next last.
        kept: Table<Block>,
    },
}

impl<H> Typed<H> {
    pub fn new(policy: FreeList, object_bytes: usize, word: Word) -> Self {
        let (store, collected) = match policy {
            FreeList::None => (Store::None, Collected::Kept),
            FreeList::Blocks(collected) => (
                Store::Blocks(ObjectBlocks::new(object_bytes, word)),
                collected,
            ),
            FreeList::Bounded(limit, collected) => {
                let kept = Table::new_in(Aside);
                (Store::Bounded { limit, kept }, collected)
            }
        };
        Typed { store, collected }
    }

    /// An object, or `None` where the object allocator has to make it.
    ///
    /// # Errors
    ///
    /// Where the type has blocks of its own and there is no memory for one.
    pub fn take<R: Raw<Handle = H>>(
        &mut self,
        owner: Owner,
        raw: &mut R,
    ) -> Result<Option<Block>, OutOfMemory> {
        match &mut self.store {
            Store::None => Ok(None),
            Store::Bounded { kept, .. } => Ok(kept.pop()),
            Store::Blocks(blocks) => {
                let slot = blocks.allocate(raw).ok_or(OutOfMemory)?;
                let place = Place::Slot(slot);
                Ok(Some(Block::new(owner, place)))
            }
        }
    }

    /// Keeps a dead object, or hands it on.
    pub fn keep(&mut self, block: Block) -> Option<Block> {
        match &mut self.store {
            Store::Blocks(blocks) => {
                let Place::Slot(slot) = block.place() else {
                    unreachable!("such a type's objects lie in its blocks");
                };
                blocks.free(slot);
                None
            }
            Store::Bounded { limit, kept } if kept.len() < *limit => {
                kept.push(block);
                None
            }
            Store::Bounded { .. } | Store::None => Some(block),
        }
    }

    /// For a full collection: gives back the blocks without a live object, where it clears them.
    pub fn clear_blocks<R: Raw<Handle = H>>(&mut self, raw: &mut R) {
        if let (Store::Blocks(blocks), Collected::Cleared) = (&mut self.store, self.collected) {
            blocks.clear(raw);
        }
    }

    /// For a full collection: what a bounded list held, from its head on, where it clears the list.
    pub fn take_kept(&mut self) -> Table<Block> {
        match (&mut self.store, self.collected) {
            (Store::Bounded { kept, .. }, Collected::Cleared) => {
                let mut all = std::mem::replace(kept, Table::new_in(Aside));
                all.reverse();
                all
            }
            _ => Table::new_in(Aside),
        }
    }

    /// The type's own blocks.
    pub fn blocks(&self) -> Option<&ObjectBlocks<H>> {
        match &self.store {
            Store::Blocks(blocks) => Some(blocks),
            _ => None,
        }
    }

    /// What a bounded list holds.
    pub fn kept(&self) -> &[Block] {
        match &self.store {
            Store::Bounded { kept, .. } => kept,
            _ => &[],
        }
    }
}
