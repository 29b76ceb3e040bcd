//! `threads-...`: the same blocks, allocated by sixteen workers, one after the other.
//!
//! Whose memory is it, and who gives it back? Allocators give each thread a heap of its own:
//!
//! - `threads-freed-in-main`: the workers are still there, but stand still while another thread
//!   frees their blocks (microsoft/mimalloc#351, microsoft/mimalloc#214)
//! - `threads-exited`: the workers have handed their blocks over and are gone; nobody owns the
//!   heaps that they leave (YosysHQ/yosys#5664)
//! - `threads-own-arenas`: each frees its own blocks and goes on standing there, holding on to
//!   its heap (holon-run/holon#2931: 65 workers, 107 arenas, 8.4 GiB)
//!
//! Before it hires anybody, the main thread reads its input into one buffer and frees it, as
//! programs do. From such a buffer glibc learns not to trim its heaps, the workers' too: what
//! lgse/strata#841 found behind its retention.
//!
//! How many heaps there are is the allocator's choice; glibc makes eight per processor at most,
//! and a process under lab conditions has one.

use std::hint::black_box;
use std::mem::take;

use crate::block::{BYTES_PER_BLOCK, Block, block, bytes_of};
use crate::turns::Worker;
use crate::{Object, Scenario};

pub(crate) const FREED_IN_MAIN: Scenario = Scenario {
    name: "threads-freed-in-main",
    summary: "160-byte blocks of 16 workers that stay, freed by the main thread",
    question: "does memory come back when its owners stand still and another thread frees it?",
    unit: "blocks",
    default_size: 600_000,
    footprint_bytes: |size| {
        let blocks = size.saturating_mul(BYTES_PER_BLOCK);
        blocks
            .saturating_add(input_bytes(size))
            .saturating_add(4096)
    },
    build: |size, _seed| {
        let workers = workers(size);
        let handed_over = workers.iter().map(|worker| worker.desk(take)).collect();
        Box::new(Threads {
            handed_over,
            workers,
        })
    },
};

pub(crate) const EXITED: Scenario = Scenario {
    name: "threads-exited",
    summary: "160-byte blocks of 16 workers that are gone, freed by the main thread",
    question: "does memory come back when the threads that allocated it have exited?",
    build: |size, _seed| {
        let leave = |worker: Worker<Share>| worker.desk(take);
        let handed_over = workers(size).into_iter().map(leave).collect();
        Box::new(Threads {
            handed_over,
            workers: Vec::new(),
        })
    },
    ..FREED_IN_MAIN
};

pub(crate) const OWN_ARENAS: Scenario = Scenario {
    name: "threads-own-arenas",
    summary: "160-byte blocks of 16 workers that stay, each freeing its own",
    question: "does memory come back when many threads keep a heap each?",
    build: |size, _seed| {
        Box::new(Threads {
            handed_over: Vec::new(),
            workers: workers(size),
        })
    },
    ..FREED_IN_MAIN
};

const WORKERS: u64 = 16;

/// A worker's blocks, and how many they are to be.
#[derive(Default)]
struct Share {
    size: u64,
    blocks: Vec<Block>,
}

/// As much input as 64 bytes to a block, up to what glibc learns from: at 32 MiB it stops.
fn input_bytes(size: u64) -> u64 {
    size.saturating_mul(64).min(30 << 20)
}

/// All workers, each with its share allocated. All have been hired before the first begins.
fn workers(size: u64) -> Vec<Worker<Share>> {
    drop(black_box(vec![1u8; input_bytes(size) as usize]));
    let share = |worker| Share {
        size: (size + worker) / WORKERS,
        blocks: Vec::new(),
    };
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| Worker::hire(share(worker)))
        .collect();
    for worker in &workers {
        worker.work(|share| share.blocks = (0..share.size).map(|_| block()).collect());
    }
    workers
}

struct Threads {
    handed_over: Vec<Share>,
    workers: Vec<Worker<Share>>,
}

impl Object for Threads {
    fn live_bytes(&self) -> u64 {
        let shares = self.handed_over.iter().map(|share| bytes_of(&share.blocks));
        let desks = self
            .workers
            .iter()
            .map(|worker| worker.desk(|share| bytes_of(&share.blocks)));
        shares.sum::<u64>() + desks.sum::<u64>()
    }

    /// Each share goes where it lies. The workers stay, and hold nothing of it.
    fn drop_large(mut self: Box<Self>) -> Option<Box<dyn Object>> {
        self.handed_over = Vec::new();
        for worker in &self.workers {
            worker.work(|share| share.blocks = Vec::new());
        }
        (!self.workers.is_empty()).then_some(self)
    }
}
