//! A program on pool-alloc: builds a large list, drops it, and prints what the allocator says at each step.
//!
//! `cargo run --release -p pool-alloc --example global`

use pool_alloc::{PoolAlloc, Stats};

#[global_allocator]
static GLOBAL: PoolAlloc = PoolAlloc;

fn main() {
    print("start", GLOBAL.stats());
    let list: Vec<Box<[u64; 3]>> = (0..1_000_000).map(|number| Box::new([number; 3])).collect();
    print("built", GLOBAL.stats());
    drop(list);
    print("dropped", GLOBAL.stats());
    let released = GLOBAL.release();
    print("released", GLOBAL.stats());
    println!("release() gave back {} KiB", released >> 10);
}

fn print(when: &str, stats: Stats) {
    println!(
        "{when:>9}: allocated {:>6} KiB, cached {:>5} KiB, metadata {:>4} KiB, mapped {:>6} KiB in {} arenas",
        stats.allocated_bytes >> 10,
        stats.cached_bytes >> 10,
        stats.metadata_bytes >> 10,
        stats.mapped_bytes >> 10,
        stats.arenas,
    );
}
