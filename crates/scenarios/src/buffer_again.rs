//! `buffer-again`: an 11 MiB buffer that came back the first time, and small blocks above it.
//!
//! Does history matter? samsoir/xearthlayer#227 (a tile of 11 MiB), lgse/strata#841 and
//! seaweedfs/seaweedfs#11255: glibc takes a large buffer from the system and gives it back when it
//! is freed, but learns from that first one to serve the next from its heap, where whatever was
//! allocated after the buffer holds it. So the same object is built in every round, and the rounds
//! differ. The size is the complaint's: above 32 MiB nothing is learnt any more.

use std::hint::black_box;

use crate::block::{BYTES_PER_BLOCK, Block, block, bytes_of};
use crate::{Object, Scenario, boxed};

pub(crate) const SCENARIO: Scenario = Scenario {
    name: "buffer-again",
    summary: "an 11 MiB buffer, then small blocks that outlive it",
    question: "does a large buffer come back the second time as it did the first?",
    unit: "KiB of buffer",
    default_size: 11 * 1024,
    footprint_bytes: |size| buffer_bytes(size).saturating_add(blocks(size) * BYTES_PER_BLOCK),
    build: |size, _seed| boxed(|| Again::build(size)),
};

fn buffer_bytes(size: u64) -> u64 {
    size.saturating_mul(1024)
}

/// More than fits into what holes there are in a heap that has done little: 160 KB above 11 MiB.
fn blocks(size: u64) -> u64 {
    (size / 11).clamp(1, 1_000)
}

struct Again {
    buffer: Vec<u8>,
    above: Vec<Block>,
}

impl Again {
    fn build(size: u64) -> Again {
        // Filled with ones: zeros would be asked for as zeroed memory, and no page touched.
        Again {
            buffer: black_box(vec![1; buffer_bytes(size) as usize]),
            above: (0..blocks(size)).map(|_| block()).collect(),
        }
    }
}

impl Object for Again {
    fn live_bytes(&self) -> u64 {
        self.buffer.capacity() as u64 + bytes_of(&self.above)
    }

    fn drop_large(mut self: Box<Self>) -> Option<Box<dyn Object>> {
        self.buffer = Vec::new();
        Some(self)
    }
}
