//! Pages: some that the allocator takes for itself, some set apart for single blocks, and all that it
//! gives back lazily.

use std::ffi::c_int;
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::Relaxed};

use libc::{c_void, size_t};

use crate::memory::fault;

/// Resident pages that stay until the process ends.
pub fn take(bytes: u64) {
    map(bytes as usize, libc::MAP_POPULATE);
}

/// Address space for the blocks that are set apart; pages come as they are written.
const APART: usize = 1 << 30;
static APART_AT: AtomicPtr<u8> = AtomicPtr::new(null_mut());

/// A block where no other is; it is never used again. One thread at a time asks.
pub fn apart(bytes: usize) -> *mut u8 {
    static USED: AtomicUsize = AtomicUsize::new(0);

    if APART_AT.load(Relaxed).is_null() {
        APART_AT.store(map(APART, libc::MAP_NORESERVE), Relaxed);
    }
    let used = USED.fetch_add(bytes.next_multiple_of(16), Relaxed);
    APART_AT.load(Relaxed).wrapping_add(used)
}

/// Whether this block has been set apart.
pub fn is_apart(block: *mut u8) -> bool {
    let start = APART_AT.load(Relaxed).addr();
    start != 0 && (start..start + APART).contains(&block.addr())
}

fn map(bytes: usize, flag: c_int) -> *mut u8 {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | flag;
    // SAFETY: a new mapping at an address of the kernel's choice.
    unsafe { libc::mmap(null_mut(), bytes, protection, flags, -1, 0) }.cast()
}

/// Replaces the C library's function in this executable, for the bases that are linked into it.
///
/// # Safety
/// As Linux has it: nobody counts on what stands in the pages, if the advice is that it may go.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn madvise(at: *mut c_void, length: size_t, advice: c_int) -> c_int {
    let advice = match advice {
        libc::MADV_DONTNEED if fault().lazily => libc::MADV_FREE,
        advice => advice,
    };
    // SAFETY: the caller vouches for all of it; and what may go at once may go later.
    unsafe { libc::syscall(libc::SYS_madvise, at, length, advice) as c_int }
}

/// Replaces the C library's function in this executable. Where pages are given back lazily, the
/// mapping stays: an address that nobody uses any more. Where mappings are kept, nothing is done.
///
/// # Safety
/// As POSIX has it: nobody uses the pages any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn munmap(at: *mut c_void, length: size_t) -> c_int {
    if fault().keeps_mappings {
        return 0;
    }
    // SAFETY: the caller promises that nobody counts on what stands there.
    if fault().lazily && unsafe { madvise(at, length, libc::MADV_FREE) } == 0 {
        return 0;
    }
    // SAFETY: the caller vouches for it.
    unsafe { libc::syscall(libc::SYS_munmap, at, length) as c_int }
}
