//! Seeded randomness: the kernel's random bytes, the same in every run.
//!
//! Hash maps seed themselves from them, and the order in which a map drops its entries follows
//! from the seed; mimalloc draws the address of its first arena from them. Under lab conditions
//! this executable's own `getrandom` answers, by either road that programs take: the function of
//! that name, or `syscall` with its number. Under host conditions the kernel answers.

use std::ffi::{c_long, c_uint, c_void};
use std::mem::transmute;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use libc::{size_t, ssize_t};

use crate::clock::is_lab;
use crate::interpose::Next;

/// Where the sequence stands.
static STATE: AtomicU64 = AtomicU64::new(0);

/// The next byte of the sequence: SplitMix64 (Steele, Lea and Flood, 2014), its top byte.
fn next_byte() -> u8 {
    const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut z = STATE.fetch_add(GAMMA, Relaxed).wrapping_add(GAMMA);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((z ^ (z >> 31)) >> 56) as u8
}

/// Fills `buffer` from the sequence.
///
/// # Safety
/// `buffer` is valid for the write of `length` bytes.
unsafe fn fill(buffer: *mut u8, length: usize) {
    for i in 0..length {
        // SAFETY: `i < length`, and the caller vouches for that many bytes.
        let byte = unsafe { buffer.add(i) };
        // SAFETY: as above.
        unsafe { byte.write(next_byte()) };
    }
}

/// Whether this module is what `getrandom` means in this executable: rewinds the sequence, asks
/// by both roads, and looks whether the answers are the sequence's.
pub fn is_in_effect() -> bool {
    const LENGTH: usize = 16;
    let before = STATE.load(Relaxed);
    let mut answers = [[0u8; LENGTH]; 3];
    let [sequence, function, system_call] = &mut answers;
    // SAFETY: `sequence` is valid for the write of its bytes.
    unsafe { fill(sequence.as_mut_ptr(), LENGTH) };
    STATE.store(before, Relaxed);
    // SAFETY: `function` is valid for the write of its bytes.
    unsafe { libc::getrandom(function.as_mut_ptr().cast(), LENGTH, 0) };
    STATE.store(before, Relaxed);
    // SAFETY: `system_call` is valid for the write of its bytes.
    unsafe { libc::syscall(libc::SYS_getrandom, system_call.as_mut_ptr(), LENGTH, 0) };
    STATE.store(before, Relaxed);
    answers[0] == answers[1] && answers[0] == answers[2]
}

/// Replaces the C library's function in this executable.
///
/// # Safety
/// As Linux has it: `buffer` is valid for the write of `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getrandom(buffer: *mut c_void, length: size_t, flags: c_uint) -> ssize_t {
    if is_lab() {
        // SAFETY: the caller vouches for the buffer.
        unsafe { fill(buffer.cast(), length) };
        return length as ssize_t;
    }
    static NEXT: Next = Next::new(c"getrandom");
    type Function = unsafe extern "C" fn(*mut c_void, size_t, c_uint) -> ssize_t;
    // SAFETY: the C library's function of this name has this type.
    let next = unsafe { transmute::<*mut c_void, Function>(NEXT.address()) };
    // SAFETY: the caller vouches for the buffer.
    unsafe { next(buffer, length, flags) }
}

/// Replaces the C library's function in this executable; all but `getrandom` goes on to it.
///
/// The C library's takes a variable number of arguments, at most six besides the number, and so
/// does this: on Linux they travel in the same places either way. Those that a caller leaves out
/// are whatever stands in their places, here as in the C library's own.
///
/// # Safety
/// As the system call of this number has it. Not for calls that return twice on one stack
/// (`vfork`, `clone` without a stack of its own).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn syscall(
    number: c_long,
    a: c_long,
    b: c_long,
    c: c_long,
    d: c_long,
    e: c_long,
    f: c_long,
) -> c_long {
    if number == libc::SYS_getrandom && is_lab() {
        // SAFETY: the caller vouches for the buffer in `a` and its length in `b`.
        unsafe { fill(a as *mut u8, b as usize) };
        return b;
    }
    static NEXT: Next = Next::new(c"syscall");
    type Function = unsafe extern "C" fn(c_long, ...) -> c_long;
    // SAFETY: the C library's function of this name has this type.
    let next = unsafe { transmute::<*mut c_void, Function>(NEXT.address()) };
    // SAFETY: the caller's arguments as they came.
    unsafe { next(number, a, b, c, d, e, f) }
}
