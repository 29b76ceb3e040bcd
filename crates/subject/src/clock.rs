//! The lab clock: it stands still, and moves when it is told to.
//!
//! Allocators decide what to give back by the clock. Under lab conditions this executable's own
//! `clock_gettime` answers them: the linker resolves the symbol to the executable before the C
//! library, for Rust's standard library as for allocators written in C and linked statically.
//! A minute of idling then costs no time, and the same run sees the same clock.
//!
//! Clocks of CPU time pass through to the kernel: they measure work and cannot be moved. So does the
//! raw hardware clock, against which libraries gauge the processor's counter (TCMalloc divides by
//! what has passed on it). A library that reads the counter itself lives in real time, and so does a
//! thread that waits on a condition variable: the lab clock does not wake it.

use std::ffi::{c_int, c_void};
use std::mem::{MaybeUninit, transmute};
use std::sync::atomic::{AtomicI64, AtomicU8, Ordering::Relaxed};

use libc::{clockid_t, timespec};
use model::protocol::CONDITIONS_VARIABLE;

use crate::interpose::Next;

/// Where the lab clock stands when the process begins. Not zero: some libraries read zero as unset.
const START_NS: i64 = 1_000 * 1_000_000_000;

static LAB_NS: AtomicI64 = AtomicI64::new(START_NS);

/// Whether the process lives by the lab clock, as opposed to real time.
pub fn is_lab() -> bool {
    const UNKNOWN: u8 = 0;
    const LAB: u8 = 1;
    const HOST: u8 = 2;
    static CHOICE: AtomicU8 = AtomicU8::new(UNKNOWN);

    // Asked for before `main` by allocators that initialise themselves early, hence `getenv`.
    match CHOICE.load(Relaxed) {
        UNKNOWN => {
            let choice = if host_is_wanted() { HOST } else { LAB };
            CHOICE.store(choice, Relaxed);
            choice == LAB
        }
        choice => choice == LAB,
    }
}

/// Milliseconds on the clock that the process lives by.
pub fn now_ms() -> u64 {
    now_ns() / 1_000_000
}

/// Nanoseconds on the same clock.
pub fn now_ns() -> u64 {
    let now = read(libc::CLOCK_MONOTONIC);
    now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// Lets `ms` milliseconds pass: moves the lab clock, or sleeps where time is real.
pub fn pass(ms: u64) {
    if is_lab() {
        // Saturating: a clock that has run for three centuries stands at its end.
        let on = (ms as i64).saturating_mul(1_000_000);
        LAB_NS.store(LAB_NS.load(Relaxed).saturating_add(on), Relaxed);
    } else {
        std::thread::sleep(std::time::Duration::from_millis(ms));
    }
}

/// Whether this module is what `clock_gettime` means in this executable: moves the clock by one
/// nanosecond and looks whether the symbol that everybody calls has moved with it.
pub fn is_in_effect() -> bool {
    let before = read(libc::CLOCK_MONOTONIC);
    LAB_NS.fetch_add(1, Relaxed);
    let after = read(libc::CLOCK_MONOTONIC);
    LAB_NS.fetch_sub(1, Relaxed);
    after.tv_sec == before.tv_sec && after.tv_nsec == before.tv_nsec + 1
}

/// The clock as the rest of the executable sees it, through the symbol.
fn read(clock: clockid_t) -> timespec {
    let mut time = MaybeUninit::<timespec>::zeroed();
    // SAFETY: `time` is valid for the write of one `timespec`.
    unsafe { libc::clock_gettime(clock, time.as_mut_ptr()) };
    // SAFETY: zeroed above, and all-zero bytes are a valid `timespec` even if the call failed.
    unsafe { time.assume_init() }
}

fn host_is_wanted() -> bool {
    let mut name = [0u8; 64];
    name[..CONDITIONS_VARIABLE.len()].copy_from_slice(CONDITIONS_VARIABLE.as_bytes());
    // SAFETY: `name` is nul-terminated, and nobody changes the environment this early or later on.
    let value = unsafe { libc::getenv(name.as_ptr().cast()) };
    // SAFETY: `getenv` gives null or a nul-terminated string that stays in the environment.
    !value.is_null() && unsafe { crate::c_string(value) } == "host"
}

/// Replaces the C library's function in this executable.
///
/// # Safety
/// As POSIX has it: `time` is valid for the write of one `timespec`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn clock_gettime(clock: clockid_t, time: *mut timespec) -> c_int {
    let is_the_machines = matches!(
        clock,
        libc::CLOCK_PROCESS_CPUTIME_ID | libc::CLOCK_THREAD_CPUTIME_ID | libc::CLOCK_MONOTONIC_RAW
    ) || clock < 0; // another process's or thread's CPU-time clock
    if is_the_machines || !is_lab() {
        static NEXT: Next = Next::new(c"clock_gettime");
        type Function = unsafe extern "C" fn(clockid_t, *mut timespec) -> c_int;
        // SAFETY: the C library's function of this name has this type.
        let next = unsafe { transmute::<*mut c_void, Function>(NEXT.address()) };
        // SAFETY: the caller vouches for `time`.
        return unsafe { next(clock, time) };
    }
    let now = LAB_NS.load(Relaxed);
    let now = timespec {
        tv_sec: now / 1_000_000_000,
        tv_nsec: now % 1_000_000_000,
    };
    // SAFETY: the caller vouches for `time`.
    unsafe { time.write(now) };
    0
}
