//! The protocol between threads, explored: every interleaving, and every value that a load may see.
//!
//! These are the allocator's own files, compiled once more over a `sync` and an `os` of the models (see `shadow`):
//! what is explored is what ships, from `heap::free` down to the mappings, and no copy of it. A model is a few threads
//! that allocate, free and end. It fails where
//!
//! - a cell of a header, a list, a heap, or a block's link is touched by two threads with nothing to order them,
//! - anything is touched after it was unmapped, or unmapped while another thread may still come,
//! - an invariant of the crate does not hold, or a block does not hold what was written there,
//! - at the end, when all blocks are freed and all threads have ended, one arena is left, or one byte in use: a block
//!   that nobody found, or a pool that nobody owns.
//!
//! That the models can fail is shown by `mutants`: what is explored with one ordering or one comparison taken away.
//!
//! The feature `hardened` has no part in the protocol, and would end the process where a model is to fail.

#![cfg(not(feature = "hardened"))]
#![allow(dead_code, reason = "the models need no large blocks, for one")]

#[path = "../../src/arena.rs"]
mod arena;
mod atomic;
#[path = "../../src/class.rs"]
mod class;
#[path = "../../src/commons.rs"]
mod commons;
#[path = "../../src/counters.rs"]
mod counters;
#[path = "../../src/hardened.rs"]
mod hardened;
#[path = "../../src/heap.rs"]
mod heap;
#[path = "../../src/list.rs"]
mod list;
mod models;
mod mutants;
mod os;
#[path = "../../src/pool.rs"]
mod pool;
#[path = "../../src/remote.rs"]
mod remote;
#[path = "../../src/rest.rs"]
mod rest;
#[path = "../../src/runs.rs"]
mod runs;
mod shadow;
#[path = "../../src/shelf.rs"]
mod shelf;
mod slot;
#[path = "../../src/sparse.rs"]
mod sparse;
#[path = "../../src/stats.rs"]
mod stats;
#[path = "../../src/sweep.rs"]
mod sweep;
mod sync;
#[path = "../../src/thread.rs"]
mod thread;
#[path = "../../src/tide.rs"]
mod tide;
mod word;

/// The models do not fork, nor does anybody say anything to them.
mod begin {
    pub(crate) fn once() {}
}

/// They take no census: each look of it would be explored as an access of the allocator's. What is lost shows at the end.
mod census {
    impl crate::pool::Pool {
        pub(crate) fn is_whole(&self) -> bool {
            true
        }
    }
}
