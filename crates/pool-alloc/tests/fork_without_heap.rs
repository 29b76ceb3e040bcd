//! A process whose threads have had large blocks only, so that none has a heap, forks. Alone in its process.
#![cfg(unix)]

mod support;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;

use support::found::Found;

#[test]
fn a_child_has_large_blocks_though_no_thread_had_a_heap() {
    const FORKS: usize = 300;
    let ends = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while !ends.load(Relaxed) {
                    drop(Found::new(1 << 20, 16));
                }
            });
        }
        let fared: Vec<_> = (0..FORKS).map(|_| how_a_child_fares()).collect();
        ends.store(true, Relaxed);
        assert!(fared.iter().all(|status| *status == 0), "{fared:?}");
    });
}

/// The status that a child ends with which asks for a large block; that of an alarm, if it waits for ever.
fn how_a_child_fares() -> i32 {
    // SAFETY: the child calls nothing but the allocator, and what may be called in a signal handler.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: the call has no conditions.
        unsafe { libc::alarm(10) };
        drop(Found::new(1 << 20, 16));
        // SAFETY: as above.
        unsafe { libc::_exit(0) };
    }
    assert!(child > 0, "the system forks");
    let mut status = 0;
    // SAFETY: the child was made above, and the status is ours to write.
    unsafe { libc::waitpid(child, &mut status, 0) };
    status
}
