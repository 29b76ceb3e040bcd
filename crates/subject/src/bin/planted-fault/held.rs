//! Blocks that the program has freed and the base has not: held back until some command is heard.
//!
//! The record of such a block stands inside it, so that nothing is allocated for it.

use std::alloc::Layout;
use std::ptr::null_mut;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicPtr, AtomicU64};

use afterdrop_subject::clock;

use crate::base::base;

/// The record of a block that is held back, at its beginning.
struct Held {
    next: *mut Held,
    layout: Layout,
}

static HELD: AtomicPtr<Held> = AtomicPtr::new(null_mut());
static SINCE_MS: AtomicU64 = AtomicU64::new(0);

/// Where the clock stood when the first of them was held back.
pub fn since_ms() -> u64 {
    SINCE_MS.load(Relaxed)
}

/// Room for a [`Held`] in every block; one too large for any layout to be roomier stays as it is.
pub fn roomy(layout: Layout) -> Layout {
    let record = Layout::new::<Held>();
    let size = layout.size().max(record.size());
    let align = layout.align().max(record.align());
    Layout::from_size_align(size, align).unwrap_or(layout)
}

/// Holds a block back.
///
/// # Safety
/// The block is nobody's any more, came from the base for this layout, and the layout is roomy.
pub unsafe fn hold(block: *mut u8, layout: Layout) {
    let held = block.cast::<Held>();
    let mut next = HELD.load(Relaxed);
    if next.is_null() {
        SINCE_MS.store(clock::now_ms(), Relaxed);
    }
    loop {
        // SAFETY: the caller promises that there is room and that nobody looks.
        unsafe { held.write(Held { next, layout }) };
        match HELD.compare_exchange_weak(next, held, Release, Relaxed) {
            Ok(_) => return,
            Err(newer) => next = newer,
        }
    }
}

/// Frees all of them in the base.
pub fn free_all() {
    let mut rest = HELD.swap(null_mut(), Acquire);
    while !rest.is_null() {
        // SAFETY: `hold` wrote it, and the swap gave the whole list to this thread.
        let Held { next, layout } = unsafe { rest.read() };
        // SAFETY: the base gave the block for this layout, and it has not been freed since.
        unsafe { base().blocks.dealloc(rest.cast(), layout) };
        rest = next;
    }
}
