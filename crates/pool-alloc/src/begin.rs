//! What a process does before it first takes a lock; whoever takes one calls this.
//!
//! One thread does it, and the others wait: a fork must know of a lock before anyone holds it. Two do not wait. To
//! register what a fork must do may take memory, so the thread that begins may ask for some, and takes the lock for it: the C
//! library holds a lock of its own meanwhile that a fork takes first. Until it is done it counts as a thread that has ended,
//! and has no heap. And where a process forked before there was anything registered, the thread that was about to begin is not
//! in the child, so the child begins by itself.

use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU32};
use std::{process, thread};

use crate::heap::{ENDED_REF, NO_HEAP_REF};
use crate::{environment, fork, os, slot};

static HAS_BEGUN: AtomicBool = AtomicBool::new(false);

#[inline]
pub(crate) fn once() {
    if !HAS_BEGUN.load(Acquire) {
        begin_or_wait();
    }
}

#[cold]
fn begin_or_wait() {
    /// The process of which a thread begins.
    static BEGINS: AtomicU32 = AtomicU32::new(0);
    let process = process::id();
    let begun = BEGINS.load(Relaxed);
    let is_first = begun != process
        && BEGINS
            .compare_exchange(begun, process, Relaxed, Relaxed)
            .is_ok();
    if is_first {
        slot::set(ENDED_REF);
        fork::watch();
        os::huge::look_for();
        environment::heed();
        slot::set(NO_HEAP_REF);
        HAS_BEGUN.store(true, Release);
    } else if slot::get() != ENDED_REF {
        while !HAS_BEGUN.load(Acquire) {
            thread::yield_now();
        }
    }
}
