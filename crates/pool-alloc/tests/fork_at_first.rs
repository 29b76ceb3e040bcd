//! A process forks while one of its threads, the first that asked for memory, still registers what a fork must do.
//! Alone in its process.
#![cfg(all(target_os = "linux", target_env = "gnu"))]

mod support;

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use support::found::Found;

type Handler = Option<extern "C" fn()>;

unsafe extern "C" {
    /// What `pthread_atfork` calls in this C library.
    fn __register_atfork(before: Handler, parent: Handler, child: Handler, of: *mut c_void) -> i32;
}

static HAS_BEGUN: AtomicBool = AtomicBool::new(false);
static MAY_REGISTER: AtomicBool = AtomicBool::new(false);

/// Stands before the C library's, allocates, as some do, and takes as long as the test wants.
///
/// # Safety
/// As of the C library's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn pthread_atfork(before: Handler, parent: Handler, child: Handler) -> i32 {
    ask();
    HAS_BEGUN.store(true, Relaxed);
    wait_for(&MAY_REGISTER);
    // SAFETY: as promised by the caller; without a library to belong to, they stay for ever.
    unsafe { __register_atfork(before, parent, child, ptr::null_mut()) }
}

fn wait_for(flag: &AtomicBool) {
    while !flag.load(Relaxed) {
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_child_has_blocks_though_its_process_was_about_to_have_the_first() {
    let ends = AtomicBool::new(false);
    let ask_on = || {
        while !ends.load(Relaxed) {
            ask();
        }
    };
    thread::scope(|scope| {
        scope.spawn(ask_on);
        wait_for(&HAS_BEGUN);
        (0..3).for_each(|_| drop(scope.spawn(ask_on)));
        let meanwhile = (0..200).find_map(|_| in_child(ask_first));
        MAY_REGISTER.store(true, Relaxed);
        let afterwards = (0..200).find_map(|_| in_child(ask));
        ends.store(true, Relaxed);
        let ill = (meanwhile, afterwards);
        assert_eq!(
            ill,
            (None, None),
            "a child's wait status, {}'s if it hung",
            libc::SIGALRM
        );
    });
}

/// What a child does in which nobody is about to register anything any more.
fn ask_first() {
    MAY_REGISTER.store(true, Relaxed);
    ask();
}

fn ask() {
    drop(Found::new(1 << 20, 16));
    drop(Found::new(100, 16));
}

/// The wait status of a child that does this, unless it fares well.
fn in_child(work: fn()) -> Option<i32> {
    // SAFETY: no other thread of this process holds a lock that the child takes, but those that are tested.
    let child = unsafe { libc::fork() };
    assert!(child >= 0, "the system forks");
    if child == 0 {
        // SAFETY: the call has no conditions.
        unsafe { libc::alarm(10) };
        work();
        // SAFETY: the process ends.
        unsafe { libc::_exit(0) };
    }
    let mut status = 0;
    // SAFETY: the child was made above, and the status is ours to write.
    unsafe { libc::waitpid(child, &mut status, 0) };
    (status != 0).then_some(status)
}
