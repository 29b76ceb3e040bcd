//! Seeded randomness: `getrandom` gives the same bytes in every run.
//!
//! Hash maps seed themselves from it, and the order in which a map drops its entries follows from
//! the seed. Under lab conditions this executable's own `getrandom` answers; under host
//! conditions the kernel's does.

use std::ffi::{c_uint, c_void};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use libc::{size_t, ssize_t};

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

/// Whether this module is what `getrandom` means in this executable: rewinds the sequence, asks
/// twice through the symbol that everybody calls, and looks whether the answers agree.
pub fn is_in_effect() -> bool {
    let before = STATE.load(Relaxed);
    let mut answers = [[0u8; 16]; 2];
    for answer in &mut answers {
        STATE.store(before, Relaxed);
        // SAFETY: `answer` is valid for the write of its sixteen bytes.
        let filled = unsafe { libc::getrandom(answer.as_mut_ptr().cast(), answer.len(), 0) };
        if filled != answer.len() as ssize_t {
            return false;
        }
    }
    STATE.store(before, Relaxed);
    answers[0] == answers[1]
}

/// Replaces the C library's function in this executable.
///
/// # Safety
/// As Linux has it: `buffer` is valid for the write of `length` bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn getrandom(buffer: *mut c_void, length: size_t, flags: c_uint) -> ssize_t {
    if !crate::clock::is_lab() {
        // SAFETY: the kernel's own call, with the arguments that the caller vouches for.
        return unsafe { libc::syscall(libc::SYS_getrandom, buffer, length, flags) } as ssize_t;
    }
    for i in 0..length {
        // SAFETY: `i < length`, and the caller vouches for that many bytes.
        let byte = unsafe { buffer.cast::<u8>().add(i) };
        // SAFETY: as above.
        unsafe { byte.write(next_byte()) };
    }
    length as ssize_t
}
