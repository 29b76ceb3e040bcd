//! `blocks-forwards`, `blocks-backwards`, `blocks-shuffled`: one list, freed in three orders.
//!
//! Does it matter in which order blocks are freed? tokio-rs/tokio#4406 came back or stayed by that
//! alone. The blocks freed first sit in a thread's cache and are not joined with their neighbours;
//! where they lie decides what they pin: at the bottom of the heap nothing, at its top all of it.
//! The orders differ in the drop only: the list is put into order when it is full.

use fastrand::Rng;

use crate::block::{BYTES_PER_BLOCK, Block, block, bytes_of};
use crate::{Object, Scenario, boxed};

pub(crate) const FORWARDS: Scenario = Scenario {
    name: "blocks-forwards",
    summary: "160-byte blocks, dropped front to back",
    question: "does memory come back when blocks are freed in the order in which they were made?",
    unit: "blocks",
    default_size: 600_000,
    footprint_bytes: |size| size.saturating_mul(BYTES_PER_BLOCK),
    build: |size, _seed| Blocks::build(size, |_| {}),
};

pub(crate) const BACKWARDS: Scenario = Scenario {
    name: "blocks-backwards",
    summary: "160-byte blocks, dropped back to front",
    question: "does memory come back when the blocks made last are freed first?",
    build: |size, _seed| Blocks::build(size, |list| list.reverse()),
    ..FORWARDS
};

pub(crate) const SHUFFLED: Scenario = Scenario {
    name: "blocks-shuffled",
    summary: "160-byte blocks, dropped in a shuffled order",
    question: "does memory come back when blocks are freed in no order at all?",
    build: |size, seed| Blocks::build(size, |list| Rng::with_seed(seed).shuffle(list)),
    ..FORWARDS
};

struct Blocks(Vec<Block>);

impl Blocks {
    fn build(size: u64, order: impl FnOnce(&mut [Block])) -> Box<dyn Object> {
        boxed(|| {
            let mut list: Vec<Block> = (0..size).map(|_| block()).collect();
            order(&mut list);
            Blocks(list)
        })
    }
}

impl Object for Blocks {
    fn live_bytes(&self) -> u64 {
        bytes_of(&self.0)
    }
}
