//! `churn`: generation after generation, a quarter is kept, and the next is twice the size.
//!
//! What do the survivors of collected generations cost? Ruby processes of a gigabyte led to
//! <https://www.joyfulbikeshedding.com/blog/2019-03-14-what-causes-ruby-memory-bloat.html>: free
//! memory between the survivors, none of it large enough for what comes next. While the object is
//! alive the price is what it occupies over what it holds; after the drop it is what stays.
//!
//! The newest block outlives the others, as what is in use at a collection does. Without it the heap
//! under glibc would be trimmed down to the highest block in the thread's cache, more or less than
//! nine tenths of it by the size and the seed that put it there.

use std::hint::black_box;

use fastrand::Rng;

use crate::{Object, Scenario, boxed};

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "churn",
    summary: "seven generations of blocks of 32 to 2,048 bytes, a quarter of each kept",
    question: "does memory come back when each generation left its survivors among the free?",
    unit: "blocks in a generation",
    default_size: 40_000,
    footprint_bytes: |size| size.saturating_mul(MOST_BYTES).saturating_add(1 << 16),
    build: |size, seed| boxed(|| Churn::build(size, seed)),
};

type Block = Box<[u8]>;

const REFERENCE_BYTES: u64 = size_of::<Block>() as u64;

const GENERATIONS: u32 = 7;

/// The last generation whole, a quarter of all before it, and their lists.
const MOST_BYTES: u64 = bytes(GENERATIONS - 1) + bytes(GENERATIONS - 1) / 4 + 8 * REFERENCE_BYTES;

const fn bytes(generation: u32) -> u64 {
    32 << generation
}

struct Churn {
    kept: Vec<Block>,
    last: Vec<Block>,
    newest: Block,
}

impl Churn {
    fn build(size: u64, seed: u64) -> Churn {
        let mut rng = Rng::with_seed(seed);
        let mut kept: Vec<Block> = Vec::new();
        let mut last: Vec<Block> = Vec::new();
        for generation in 0..GENERATIONS {
            kept.extend(last.drain(..).filter(|_| rng.u8(0..4) == 0));
            last.extend((0..size).map(|_| block(generation)));
        }
        Churn {
            kept,
            last,
            newest: block(GENERATIONS - 1),
        }
    }
}

impl Object for Churn {
    fn live_bytes(&self) -> u64 {
        let blocks = self.kept.iter().chain(&self.last);
        let references = self.kept.capacity() + self.last.capacity();
        let blocks = blocks.chain([&self.newest]);
        blocks.map(|block| block.len() as u64).sum::<u64>() + references as u64 * REFERENCE_BYTES
    }

    fn drop_large(mut self: Box<Self>) -> Option<Box<dyn Object>> {
        self.kept = Vec::new();
        self.last = Vec::new();
        Some(self)
    }
}

fn block(generation: u32) -> Block {
    black_box(vec![1; bytes(generation) as usize].into_boxed_slice())
}
