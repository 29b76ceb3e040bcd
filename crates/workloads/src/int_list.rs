//! `int-list` and `rebuild`: millions of boxes of three words behind one vector, built and dropped.
//!
//! The scenario of that name as a race. `int-list` is built once, by a process that has had no such
//! memory before: its pages are new, and what they cost is part of it. `rebuild` does the same on a
//! smaller scale again and again: an allocator that gives everything back in each drop pays for its
//! pages each time, and one that keeps everything never again.

use std::hint::black_box;

use crate::limits::{BUMP, FOUR_KIB, HUGE};
use crate::{Pass, Start, Workload};

pub(crate) const INT_LIST: Workload = Workload {
    name: "int-list",
    summary: "5,120,000 boxes of 24 bytes behind a vector, built and dropped once, from cold",
    operation: "a box built and dropped",
    start: Start::Cold,
    passes: 1,
    size: 5_120_000,
    prepare,
    limits: &[HUGE, FOUR_KIB, BUMP],
};

pub(crate) const REBUILD: Workload = Workload {
    name: "rebuild",
    summary: "30 MiB of such boxes, built and dropped again and again",
    start: Start::Warm,
    passes: 8,
    size: (30 << 20) / BYTES_PER_BOX,
    limits: &[],
    ..INT_LIST
};

/// A box and the pointer to it.
pub(crate) const BYTES_PER_BOX: u64 = size_of::<Int>() as u64 + size_of::<Box<Int>>() as u64;

pub(crate) type Int = [u64; 3];

const _: () = assert!(BYTES_PER_BOX == 32);

fn prepare(size: u64) -> Pass {
    Box::new(move || {
        let mut list = Vec::with_capacity(size as usize);
        list.extend((0..size).map(|value| black_box(Box::new([1, 0, value]))));
        drop(black_box(list));
        size
    })
}
