//! The project's own arena, pool and block allocator

use std::process::ExitCode;

use afterdrop_subject::{Account, Control, serve};
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

    fn account(&self) -> Account {
        let stats = GLOBAL.stats();
        Account {
            allocated_bytes: Some(stats.allocated_bytes as u64),
            cached_bytes: Some(stats.cached_bytes as u64),
            lazily_freed_bytes: Some(0), // pages are given back with MADV_DONTNEED and munmap
            metadata_bytes: Some(stats.metadata_bytes as u64),
            mapped_bytes: Some(stats.mapped_bytes as u64),
        }
    }
}
