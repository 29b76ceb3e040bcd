//! The project's own arena, pool and block allocator

use std::process::ExitCode;

use afterdrop_subject::{Account, Control, Figure, Holds, Part, Process, serve};
use pool_alloc::PoolAlloc;

#[global_allocator]
static GLOBAL: PoolAlloc = PoolAlloc;

fn main() -> ExitCode {
    serve(&Pool)
}

struct Pool;

impl Control for Pool {
    fn name(&self) -> &str {
        "pool"
    }

    fn title(&self) -> &str {
        "pool-alloc"
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn release_call(&self) -> Option<&str> {
        Some("PoolAlloc.release()")
    }

    fn release(&self) {
        GLOBAL.release();
    }

    fn parts(&self) -> &'static [Part] {
        &PARTS
    }

    fn account(&self, process: &Process) -> Account {
        let stats = GLOBAL.stats();
        let [allocated, cached, slices, metadata, mapped, released] = [
            stats.allocated_bytes,
            stats.cached_bytes,
            stats.free_slice_bytes + stats.free_large_bytes,
            stats.metadata_bytes,
            stats.mapped_bytes,
            stats.released_bytes,
        ]
        .map(|bytes| bytes as u64);
        let mut resident = process.mappings;
        let figures = [
            ("metadata", resident.claim(metadata)),
            ("free slices", resident.claim(slices)),
            ("free blocks", resident.claim(cached.saturating_sub(slices))),
            ("blocks", resident.claim(allocated)),
        ];
        Account {
            allocated_bytes: Some(allocated),
            cached_bytes: Some(cached),
            lazily_freed_bytes: Some(0), // pages are given back with MADV_DONTNEED and munmap
            metadata_bytes: Some(metadata),
            mapped_bytes: Some(mapped),
            parts: figures
                .map(|(name, bytes)| Figure::new(name, bytes))
                .into_iter()
                .collect(),
            counters: [Figure::new("bytes given back from arenas", released)]
                .into_iter()
                .collect(),
        }
    }
}

/// What the parts are.
static PARTS: [Part; 4] = [
    Part::new(
        "blocks",
        Holds::Blocks,
        "stats().allocated_bytes, as far as mincore finds it resident",
        "which the program holds",
    ),
    Part::new(
        "free blocks",
        Holds::Free,
        "stats().cached_bytes - stats().free_slice_bytes - stats().free_large_bytes",
        "on pages with a block that is in use, or in the few pools that a thread has just emptied or \
         nearly so: others of them go back when it turns to the next",
    ),
    Part::new(
        "free slices",
        Holds::Free,
        "stats().free_slice_bytes + stats().free_large_bytes",
        "which wait for the next pools and large blocks, up to a bound that follows what has been in \
         use, and higher for a program that drops and builds the same again and again",
    ),
    Part::new(
        "metadata",
        Holds::Records,
        "stats().metadata_bytes",
        "which goes back with the arena that it describes",
    ),
];
