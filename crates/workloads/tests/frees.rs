//! Every workload frees all that it has asked for, and asks for the same each time.
//!
//! This test's own global allocator counts the bytes that are alive. One test walks through all
//! workloads: two at a time would be counted together.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};

use afterdrop_workloads::{ALL, Workload};

struct Counting;

static LIVE: AtomicI64 = AtomicI64::new(0);

#[global_allocator]
static GLOBAL: Counting = Counting;

// SAFETY: every call goes to the system allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size() as i64, Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size() as i64, Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(block, layout) }
    }
}

/// Small enough to be quick.
const DIVISOR: u64 = 100;

/// Runs it; what stays alive of it.
fn left(workload: &Workload) -> i64 {
    let before = LIVE.load(Relaxed);
    let timed = workload.time(DIVISOR, || 0);
    assert!(timed.operations > 0, "{} does nothing", workload.name);
    LIVE.load(Relaxed) - before
}

fn main() {
    for workload in ALL {
        left(workload); // whatever the standard library allocates once
        assert_eq!(left(workload), 0, "{}", workload.name);
    }
    assert_ne!(left(&LEAK), 0, "the check above would notice a leak");
    println!("{} workloads free everything", ALL.len());
}

/// Keeps a byte in each pass.
const LEAK: Workload = Workload {
    name: "leak",
    prepare: |size| {
        Box::new(move || {
            Box::leak(Box::new(1u8));
            size
        })
    },
    ..ALL[0]
};
