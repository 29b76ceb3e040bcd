//! `threads-...`: the same blocks, allocated by seven workers, one after the other.
//!
//! Whose memory is it, and who gives it back? Allocators give each thread a heap of its own:
//!
//! - `threads-freed-in-main`: the workers are still there, but stand still while another thread
//!   frees their blocks (microsoft/mimalloc#351, microsoft/mimalloc#214)
//! - `threads-freed-by-both`: as above, and each has freed some of its own blocks before it stands
//!   still, so that it has room for more in all that it holds, and keeps an eye on it
//! - `threads-exited`: the workers have handed their blocks over and are gone; nobody owns the
//!   heaps that they leave (YosysHQ/yosys#5664)
//! - `threads-own-arenas`: each frees its own blocks and goes on standing there, holding on to
//!   its heap (holon-run/holon#2931: 65 workers, 107 arenas, 8.4 GiB)
//!
//! Before it hires anybody, the main thread reads its input into one buffer and frees it, as
//! programs do. From such a buffer glibc learns not to trim its heaps, the workers' too: what
//! lgse/strata#841 found behind its retention.
//!
//! How many heaps there are is the allocator's choice; glibc makes eight per processor at most, and
//! a process under lab conditions has one processor: the main thread's heap, and one for each of
//! seven workers.
//!
//! The lists of the blocks are the main thread's own, so that only blocks wait for their owners. In
//! a worker's heap the list would be its largest block, and how much of a heap one such block ties
//! up, mimalloc's pages of 4 MiB above all, would depend on its length.

use std::hint::black_box;
use std::mem::take;

use crate::block::{BYTES_PER_BLOCK, Block, block, bytes_of};
use crate::turns::Worker;
use crate::{Object, Scenario, boxed};

pub(crate) const FREED_IN_MAIN: Scenario = Scenario {
    name: "threads-freed-in-main",
    summary: "160-byte blocks of 7 workers that stay, freed by the main thread",
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
        boxed(|| {
            let workers = workers(size);
            let handed_over = workers.iter().map(|worker| worker.desk(take)).collect();
            Threads {
                handed_over,
                workers,
            }
        })
    },
};

pub(crate) const FREED_BY_BOTH: Scenario = Scenario {
    name: "threads-freed-by-both",
    summary: "160-byte blocks of 7 workers that stay, each freeing one in 100, and the main thread the rest",
    question: "does memory come back when its owners have freed some of it, and stand still?",
    build: |size, _seed| {
        boxed(|| {
            let workers = workers(size);
            for worker in &workers {
                worker.work(free_one_in_a_hundred);
            }
            let handed_over = workers.iter().map(|worker| worker.desk(take)).collect();
            Threads {
                handed_over,
                workers,
            }
        })
    },
    ..FREED_IN_MAIN
};

pub(crate) const EXITED: Scenario = Scenario {
    name: "threads-exited",
    summary: "160-byte blocks of 7 workers that are gone, freed by the main thread",
    question: "does memory come back when the threads that allocated it have exited?",
    build: |size, _seed| {
        let leave = |worker: Worker<Share>| worker.desk(take);
        boxed(|| Threads {
            handed_over: workers(size).into_iter().map(leave).collect(),
            workers: Vec::new(),
        })
    },
    ..FREED_IN_MAIN
};

pub(crate) const OWN_ARENAS: Scenario = Scenario {
    name: "threads-own-arenas",
    summary: "160-byte blocks of 7 workers that stay, each freeing its own",
    question: "does memory come back when many threads keep a heap each?",
    build: |size, _seed| {
        boxed(|| Threads {
            handed_over: Vec::new(),
            workers: workers(size),
        })
    },
    ..FREED_IN_MAIN
};

const WORKERS: u64 = 7;

/// A worker's blocks, or room for them.
type Share = Vec<Block>;

fn free_one_in_a_hundred(share: &mut Share) {
    let mut nth = 0;
    share.retain(|_| {
        nth += 1;
        nth % 100 != 0
    });
}

/// As much input as 64 bytes to a block, up to what glibc learns from: at 32 MiB it stops.
fn input_bytes(size: u64) -> u64 {
    size.saturating_mul(64).min(30 << 20)
}

/// All workers, each with its share allocated. All have been hired before the first begins.
fn workers(size: u64) -> Vec<Worker<Share>> {
    drop(black_box(vec![1u8; input_bytes(size) as usize]));
    let share = |worker| Vec::with_capacity(((size + worker) / WORKERS) as usize);
    let workers: Vec<_> = (0..WORKERS)
        .map(|worker| Worker::hire(share(worker)))
        .collect();
    for worker in &workers {
        worker.work(|share| share.extend((0..share.capacity()).map(|_| block())));
    }
    workers
}

struct Threads {
    handed_over: Vec<Share>,
    workers: Vec<Worker<Share>>,
}

impl Object for Threads {
    fn live_bytes(&self) -> u64 {
        let shares = self.handed_over.iter().map(bytes_of);
        let desks = self
            .workers
            .iter()
            .map(|worker| worker.desk(|share| bytes_of(share)));
        shares.sum::<u64>() + desks.sum::<u64>()
    }

    /// Each share goes where it lies. The workers stay, and hold nothing of it.
    fn drop_large(mut self: Box<Self>) -> Option<Box<dyn Object>> {
        self.handed_over = Vec::new();
        for worker in &self.workers {
            worker.work(Vec::clear);
            drop(worker.desk(take));
        }
        (!self.workers.is_empty()).then_some(self)
    }
}
