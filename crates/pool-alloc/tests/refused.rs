//! A kernel that refuses: each call of a history fails in turn, and the answer is null or the long way round.
//!
//! This binary defines the calls that the crate makes, so that they can be refused where a test says so: from the
//! n-th on, or the n-th only, for every n that the history reaches. The calls of other threads pass.
#![cfg(target_os = "linux")]

mod support;

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::process::Command;
use std::sync::mpsc;
use std::thread;

use support::plan::nothing_is_left;
use support::{Held, POOL, alone, list, stats};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Call {
    Map,
    Unmap,
    Advise,
    Remap,
    #[cfg(feature = "hardened")]
    Protect,
}

/// What is refused to the calling thread.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    call: Call,
    /// Calls that pass before.
    after: usize,
    /// Calls that are refused then.
    count: usize,
}

thread_local! {
    static REFUSAL: Cell<Option<Refusal>> = const { Cell::new(None) };
    static REFUSED: Cell<usize> = const { Cell::new(0) };
}

/// Runs `work` and refuses what is to be refused meanwhile; returns how often that was.
fn refusing(refusal: Refusal, work: impl FnOnce()) -> usize {
    REFUSED.set(0);
    REFUSAL.set(Some(refusal));
    work();
    REFUSAL.set(None);
    REFUSED.get()
}

fn is_refused(call: Call) -> bool {
    let Some(mut refusal) = REFUSAL.get().filter(|refusal| refusal.call == call) else {
        return false;
    };
    let refused = refusal.after == 0 && refusal.count > 0;
    match refusal.after {
        0 => refusal.count = refusal.count.saturating_sub(1),
        _ => refusal.after -= 1,
    }
    REFUSAL.set(Some(refusal));
    REFUSED.set(REFUSED.get() + usize::from(refused));
    if refused {
        // SAFETY: every thread has an errno.
        let errno = unsafe { libc::__errno_location() };
        // SAFETY: as above.
        unsafe { errno.write(libc::ENOMEM) };
    }
    refused
}

/// # Safety
/// As the system's.
#[unsafe(no_mangle)]
unsafe extern "C" fn mmap(
    at: *mut c_void,
    len: usize,
    protection: c_int,
    flags: c_int,
    file: c_int,
    offset: i64,
) -> *mut c_void {
    if is_refused(Call::Map) {
        return libc::MAP_FAILED;
    }
    // SAFETY: as promised by the caller.
    unsafe {
        libc::syscall(libc::SYS_mmap, at, len, protection, flags, file, offset) as *mut c_void
    }
}

/// # Safety
/// As the system's.
#[unsafe(no_mangle)]
unsafe extern "C" fn munmap(at: *mut c_void, len: usize) -> c_int {
    if is_refused(Call::Unmap) {
        return -1;
    }
    // SAFETY: as promised by the caller.
    unsafe { libc::syscall(libc::SYS_munmap, at, len) as c_int }
}

/// # Safety
/// As the system's.
#[unsafe(no_mangle)]
unsafe extern "C" fn madvise(at: *mut c_void, len: usize, advice: c_int) -> c_int {
    if is_refused(Call::Advise) {
        return -1;
    }
    // SAFETY: as promised by the caller.
    unsafe { libc::syscall(libc::SYS_madvise, at, len, advice) as c_int }
}

/// # Safety
/// As the system's. Where no fifth argument was passed, the system does not look at what stands in its place.
#[unsafe(no_mangle)]
unsafe extern "C" fn mremap(
    at: *mut c_void,
    old: usize,
    new: usize,
    flags: c_int,
    to: *mut c_void,
) -> *mut c_void {
    if is_refused(Call::Remap) {
        return libc::MAP_FAILED;
    }
    // SAFETY: as promised by the caller.
    unsafe { libc::syscall(libc::SYS_mremap, at, old, new, flags, to) as *mut c_void }
}

/// # Safety
/// As the system's.
#[cfg(feature = "hardened")]
#[unsafe(no_mangle)]
unsafe extern "C" fn mprotect(at: *mut c_void, len: usize, protection: c_int) -> c_int {
    if is_refused(Call::Protect) {
        return -1;
    }
    // SAFETY: as promised by the caller.
    unsafe { libc::syscall(libc::SYS_mprotect, at, len, protection) as c_int }
}

/// Blocks of every kind, as many as there is memory for; then some of them resized, freed, and allocated again.
fn history() -> Vec<Held> {
    let mut held = Vec::with_capacity(1 << 12);
    let shapes = [
        (24, 8),
        (3_000, 8),
        (60_000, 64),
        (256 << 10, 8),
        (400 << 10, 8),
        (8, 4 << 20),
    ];
    for round in 0..2 {
        for (size, align) in shapes {
            let count = (128_usize << 10).div_ceil(size).clamp(2, 20);
            for number in 0..count {
                let seed = (number + round) as u8;
                match number % 2 {
                    0 => held.extend(Held::try_new(size, align, seed)),
                    _ => held.extend(Held::try_new_zeroed(size, align, seed)),
                }
            }
        }
        for (number, block) in held.iter_mut().enumerate().step_by(3) {
            block.try_resize([20_000, 600 << 10, 500 << 10, 10][number % 4]);
        }
        let mut number = 0;
        held.retain(|_| {
            number += 1;
            number % 3 == 0
        });
        POOL.release();
        stats();
    }
    held
}

/// The history under every refusal of `call` that it can meet, the memory being there again afterwards.
fn survives(call: Call) {
    alone(|| {
        for count in [1, usize::MAX] {
            for after in 0.. {
                let mut held = Vec::new();
                let refusal = Refusal { call, after, count };
                let refused = refusing(refusal, || held = history());
                held.iter().for_each(Held::check);
                drop(held);
                drop(list(100, 3_000));
                nothing_is_left();
                if refused == 0 {
                    assert!(after > 0, "the history makes no such call");
                    break;
                }
            }
        }
    });
}

#[test]
fn a_refused_mapping_gives_null_and_no_more() {
    survives(Call::Map);
}

#[test]
fn a_refused_unmapping_is_not_noticed() {
    survives(Call::Unmap);
}

#[test]
fn a_refused_purge_is_made_up_for_later() {
    survives(Call::Advise);
}

#[test]
fn a_refused_move_becomes_a_copy() {
    survives(Call::Remap);
}

#[cfg(feature = "hardened")]
#[test]
fn a_refused_guard_gives_null_and_no_more() {
    survives(Call::Protect);
}

#[test]
fn null_is_given_where_everything_is_refused() {
    alone(|| {
        let everything = Refusal {
            call: Call::Map,
            after: 0,
            count: usize::MAX,
        };
        let refused = refusing(everything, || {
            for size in [1, 24, 8_000, 100_000, 1 << 20] {
                assert!(Held::try_new(size, 8, 0).is_none());
                assert!(Held::try_new_zeroed(size, 8, 0).is_none());
            }
        });
        assert!(refused >= 10, "each asked for a mapping");
    });
}

const CHILD: &str = "POOL_ALLOC_TEST_NO_HEAP";

/// Heaps are made forty or so to a mapping, and reused; so this takes a process of its own.
#[test]
fn a_thread_that_can_have_no_heap_can_free() {
    if std::env::var_os(CHILD).is_some() {
        return alone(free_without_a_heap);
    }
    let this = std::env::current_exe().expect("tests are files");
    let status = Command::new(this)
        .args([
            "--exact",
            "a_thread_that_can_have_no_heap_can_free",
            "--nocapture",
        ])
        .env(CHILD, "1")
        .status()
        .expect("the test can start itself");
    assert!(status.success());
}

fn free_without_a_heap() {
    let everything = Refusal {
        call: Call::Map,
        after: 0,
        count: usize::MAX,
    };
    // Blocks of full pools, of this thread's current one, and of one whose owner has ended.
    let mut blocks = list(1_000, 1_000);
    blocks.extend(
        thread::spawn(|| list(10, 2_000))
            .join()
            .expect("it does not fail"),
    );
    let (mut waiting, mut without) = (Vec::new(), 0);
    // Threads that live together, until one can have no heap.
    while without == 0 {
        let (say, told) = mpsc::channel();
        let (go, gone) = mpsc::channel::<()>();
        let some = blocks.split_off(blocks.len().saturating_sub(100));
        let thread = thread::spawn(move || {
            let refused = refusing(everything, || {
                let got = Held::try_new(1_000, 8, 1);
                say.send(got.is_none()).expect("the other side lives");
                drop(got);
                if !some.is_empty() {
                    drop(some);
                }
            });
            let _ = gone.recv();
            refused
        });
        without += usize::from(told.recv().expect("it tells"));
        waiting.push((thread, go));
        if blocks.is_empty() {
            blocks = list(1_000, 1_000);
        }
        assert!(waiting.len() < 1_000, "heaps come from nowhere");
    }
    for (thread, go) in waiting {
        drop(go);
        thread.join().expect("it does not fail");
    }
    drop(blocks);
    nothing_is_left();
}
