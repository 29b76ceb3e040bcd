//! `buffers`: a few large buffers, each touched once, replaced at random.
//!
//! Images, files, network frames. Whether a freed buffer goes back to the system decides everything
//! here: if it does, the next one pays for every page again, and for its being zeroed.

use fastrand::Rng;

use crate::block::{Block, PAGE_BYTES, block, two_below};
use crate::{Pass, Start, Workload};

pub(crate) const BUFFERS: Workload = Workload {
    name: "buffers",
    summary: "four buffers of 5 to 25 MiB, touched and replaced at random",
    operation: "a page of 4 KiB asked for, touched and freed",
    start: Start::Warm,
    passes: 10,
    size: 20,
    prepare,
    limits: &[],
};

const SLOTS: usize = 4;
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
            table[slot] = block((pages + LEAST_PAGES) * PAGE_BYTES);
            touched += (pages + LEAST_PAGES) as u64;
        }
        touched
    })
}
