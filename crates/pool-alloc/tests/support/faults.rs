//! The allocator as the tests' blocks reach it, with a fault planted where one is asked for: the checks must see each.

use std::alloc::{GlobalAlloc, Layout};
use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicUsize, Ordering::Relaxed};

use super::POOL;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    None,
    /// Now and then a block is handed out that is in use.
    HandsOutTwice,
    /// Every block of `alloc_zeroed` has a byte that is not zero.
    DoesNotZero,
    /// Blocks begin a byte late.
    Misaligns,
    /// What is moved loses a byte.
    MovesBadly,
    /// Now and then a freed block is kept.
    Loses,
}

pub const FAULTS: [(Fault, &str); 5] = [
    (Fault::HandsOutTwice, "overlaps"),
    (Fault::DoesNotZero, "is not zeroed"),
    (Fault::Misaligns, "is not aligned"),
    (Fault::MovesBadly, "changed"),
    (Fault::Loses, "allocated_bytes"),
];

static PLANTED: AtomicU8 = AtomicU8::new(Fault::None as u8);

/// Plants `fault` in this process, for good.
pub fn plant(fault: Fault) {
    PLANTED.store(fault as u8, Relaxed);
}

fn is(fault: Fault) -> bool {
    PLANTED.load(Relaxed) == fault as u8
}

/// True once in so many calls.
fn now_and_then() -> bool {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    CALLS.fetch_add(1, Relaxed) % 16 == 15
}

/// The allocator, and what is planted.
pub struct Subject;

// SAFETY: it is not, with a fault; then the process is there to fail.
unsafe impl GlobalAlloc for Subject {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        static LAST: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());
        // SAFETY: as promised by the caller.
        let block = unsafe { POOL.alloc(layout) };
        if is(Fault::Misaligns) && layout.align() > 1 {
            return block.wrapping_add(1);
        }
        if is(Fault::HandsOutTwice) && layout == Layout::new::<u64>() {
            let last = LAST.swap(block, Relaxed);
            if !last.is_null() && now_and_then() {
                return last;
            }
        }
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as promised by the caller.
        let block = unsafe { POOL.alloc_zeroed(layout) };
        if is(Fault::DoesNotZero) && !block.is_null() {
            let last = block.wrapping_add(layout.size() - 1);
            // SAFETY: the block has this many bytes.
            unsafe { last.write(1) };
        }
        block
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as promised by the caller.
        let moved = unsafe { POOL.realloc(block, layout, size) };
        if is(Fault::MovesBadly) && !moved.is_null() && moved != block {
            // SAFETY: the block has a first byte, which was written before it moved.
            let byte = unsafe { moved.read() };
            // SAFETY: as above.
            unsafe { moved.write(!byte) };
        }
        moved
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        if is(Fault::Loses) && now_and_then() {
            return;
        }
        // SAFETY: as promised by the caller.
        unsafe { POOL.dealloc(block, layout) };
    }
}
