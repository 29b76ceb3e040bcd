//! The allocator never calls the global allocator: that may be itself, holding its own lock.

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use support::{Held, POOL};

/// Counts the calling thread's allocations.
struct Counting;

thread_local!(static COUNT: Cell<usize> = const { Cell::new(0) });

// SAFETY: everything is the system's work.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.set(COUNT.get() + 1);
        // SAFETY: as promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: as promised by the caller.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static GLOBAL: Counting = Counting;

#[test]
fn no_call_of_the_allocator_allocates() {
    let mut held = Vec::with_capacity(512);
    let before = COUNT.get();
    for number in 0..held.capacity() {
        held.push(Held::new(1 + number * number, 8, number as u8));
    }
    for block in held.iter_mut().step_by(3) {
        block.resize(10_000);
    }
    held.clear();
    let stats = POOL.stats();
    let released = POOL.release();
    assert_eq!(COUNT.get(), before);
    assert!(stats.mapped_bytes > 0 && released > 0);
    drop(std::hint::black_box(Box::new(1)));
    assert_eq!(COUNT.get(), before + 1, "the count counts");
}
