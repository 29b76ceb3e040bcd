//! A subject that counts: the most bytes that a workload holds at once, by its own requests
//!
//! The C library's malloc with a counter on top. It is nobody's measurement of time or of memory, and
//! its name lacks the `with-` of the contestants, so that no command lists it: `bench` runs each
//! workload here once, to know what the footprints are to be compared with.

use std::alloc::{GlobalAlloc, Layout, System};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use afterdrop_subject::{Account, Control, Figure, Process, serve};
use model::protocol::{Command, PEAK_LIVE_BYTES};

static LIVE: AtomicU64 = AtomicU64::new(0);
static PEAK: AtomicU64 = AtomicU64::new(0);
static BEFORE: AtomicU64 = AtomicU64::new(0);

#[global_allocator]
static GLOBAL: Counting = Counting;

fn main() -> ExitCode {
    serve(&Counting)
}

struct Counting;

impl Control for Counting {
    fn name(&self) -> &str {
        "count-live"
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    /// What is alive when a workload begins is not the workload's.
    fn hear(&self, command: &Command<'_>) {
        if let Command::Time { .. } = command {
            BEFORE.store(LIVE.load(Relaxed), Relaxed);
            PEAK.store(LIVE.load(Relaxed), Relaxed);
        }
    }

    fn account(&self, _: &Process) -> Account {
        let [live, peak, before] = [&LIVE, &PEAK, &BEFORE].map(|count| count.load(Relaxed));
        Account {
            allocated_bytes: Some(live - before),
            counters: [Figure::new(PEAK_LIVE_BYTES, peak - before)]
                .into_iter()
                .collect(),
            ..Account::default()
        }
    }
}

fn add(bytes: usize) {
    let live = LIVE.fetch_add(bytes as u64, Relaxed) + bytes as u64;
    PEAK.fetch_max(live, Relaxed);
}

fn subtract(bytes: usize) {
    LIVE.fetch_sub(bytes as u64, Relaxed);
}

// SAFETY: every call goes to the system allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        subtract(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(block, layout) }
    }

    /// The program holds one block, before and after; that there may be two for a moment is the
    /// allocator's affair.
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, bytes: usize) -> *mut u8 {
        subtract(layout.size());
        add(bytes);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(block, layout, bytes) }
    }
}
