//! The allocator with the fault in it, which wraps the base.

use std::alloc::{GlobalAlloc, Layout};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use afterdrop_subject::{Account, Control, Process};
use model::protocol::Command;

use crate::base::base;
use crate::held::{self, roomy};
use crate::memory::{self, fault, is_build};
use crate::pages;

static ALLOCATED: AtomicU64 = AtomicU64::new(0);

/// What the program holds.
pub fn allocated_bytes() -> u64 {
    ALLOCATED.load(Relaxed)
}

#[global_allocator]
static GLOBAL: Planted = Planted;

pub struct Planted;

// SAFETY: every block comes from the base and goes back to it at most once, as its caller asks or
// later. `realloc` is the trait's own, by `alloc` and `dealloc`: what these hold back, it does.
unsafe impl GlobalAlloc for Planted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size() as u64, Relaxed);
        if (fault().apart)(&layout) {
            return pages::apart(layout.size());
        }
        // SAFETY: the caller vouches for `layout`, of which this is no smaller.
        unsafe { base().blocks.alloc(roomy(layout)) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.fetch_add(layout.size() as u64, Relaxed);
        // SAFETY: the caller vouches for `layout`, of which this is no smaller.
        unsafe { base().blocks.alloc_zeroed(roomy(layout)) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size() as u64, Relaxed);
        if pages::is_apart(block) {
            return;
        }
        if (fault().holds)(block) {
            // SAFETY: the caller gives the block away, the base gave it, and it has room.
            unsafe { held::hold(block, roomy(layout)) };
        } else {
            // SAFETY: the caller vouches for both, and the base gave the block for this layout.
            unsafe { base().blocks.dealloc(block, roomy(layout)) };
        }
    }
}

impl Control for Planted {
    fn name(&self) -> &str {
        "planted-fault"
    }

    fn title(&self) -> &str {
        "the planted fault"
    }

    fn version(&self) -> &str {
        env!("CARGO_PKG_VERSION")
    }

    fn release_call(&self) -> Option<&str> {
        Some("the base's own")
    }

    fn hear(&self, command: &Command) {
        if is_build(command) {
            memory::build();
        }
        if (fault().until)(command) {
            held::free_all();
        }
        match (fault().takes)(command) {
            0 => {}
            bytes => pages::take(bytes),
        }
    }

    fn release(&self) {
        (base().release)();
    }

    /// What the program holds, as the wrapper sees it; what the base holds beyond it stays unknown.
    fn account(&self, _: &Process) -> Account {
        Account {
            allocated_bytes: Some((fault().claims)(allocated_bytes())),
            ..Account::default()
        }
    }
}
