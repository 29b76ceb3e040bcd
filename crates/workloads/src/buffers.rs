//! `buffers`: a few large buffers, each touched once, replaced at random.
//!
//! Images, files, network frames. Whether a freed buffer goes back to the system decides everything
//! here: if it does, the next one pays for every page again, and for its being zeroed.

use std::hint::black_box;

use fastrand::Rng;

use crate::block::{Block, two_below};
use crate::{Pass, Start, Workload};

pub(crate) const BUFFERS: Workload = Workload {
    name: "buffers",
    summary: "four buffers of 5 to 25 MiB, touched and replaced at random",
    operation: "a page of 4 KiB asked for, touched and freed",
    start: Start::Warm,
    passes: 2,
    size: 20,
    prepare,
    limits: &[],
};

const SLOTS: usize = 4;
const PAGE_BYTES: usize = 4096;
const LEAST_PAGES: usize = (5 << 20) / PAGE_BYTES;
const MOST_PAGES: usize = (25 << 20) / PAGE_BYTES;

/// `size` buffers a pass, the same ones in every pass.
fn prepare(size: u64) -> Pass {
    let mut table: [Block; SLOTS] = Default::default();
    Box::new(move || {
        let mut rng = Rng::with_seed(1);
        let mut touched = 0;
        for _ in 0..size {
            let (slot, pages) = two_below(&mut rng, SLOTS, MOST_PAGES - LEAST_PAGES + 1);
            table[slot] = Block::default(); // freed first, and then asked for anew
            table[slot] = buffer(pages + LEAST_PAGES);
            touched += (pages + LEAST_PAGES) as u64;
        }
        touched
    })
}

/// A word of each page is written.
fn buffer(pages: usize) -> Block {
    let mut buffer: Block = Box::new_uninit_slice(pages * PAGE_BYTES);
    for page in buffer.chunks_mut(PAGE_BYTES) {
        page[0].write(1);
    }
    black_box(buffer)
}
