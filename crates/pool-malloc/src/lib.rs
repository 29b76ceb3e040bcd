//! pool-alloc as malloc: preload this library, and a program that exists already runs on pool-alloc.
//!
//! ```text
//! LD_PRELOAD=target/release/libpool_malloc.so program
//! ```
//!
//! The dynamic linker resolves `malloc` and its family to the first library that has them, for the program, for the C
//! library itself and for what C++'s `new` calls. So the whole family is here, those parts that glibc's manual lists
//! under "Replacing malloc" and a few that go with them: a block of one allocator in the hands of another's `free`
//! is a crash. Each function does what POSIX says, and what glibc does where POSIX leaves it open.
//!
//! This file is the family in C's terms: zero sizes, overflow, `errno`. The allocator is `pool_alloc::by_address`.
//! Nothing here allocates by itself, panics or unwinds; what fails is null and ENOMEM.

#![allow(
    clippy::missing_safety_doc,
    reason = "the C standard and POSIX are the documentation; a program that keeps to them is safe"
)]

mod aligned;

use std::ffi::{c_int, c_void};
use std::ptr;

use pool_alloc::{PoolAlloc, by_address};

/// The dynamic linker calls what stands in this section, as the library is loaded: the process then has its first block
/// while it is in the middle of nothing. glibc asks for memory as it registers a handler of forks, the 49th of them, under
/// a lock; were that the first block of all, pool-alloc would come to wait for the same lock, to register its own.
#[used]
#[unsafe(link_section = ".init_array")]
static BEGINS: extern "C" fn() = begin;

extern "C" fn begin() {
    let first = by_address::allocate(1, by_address::MIN_ALIGN);
    // SAFETY: it is null or a block, and this is its end.
    unsafe { by_address::free(first) };
}

/// What `malloc(3)` says.
#[unsafe(no_mangle)]
pub extern "C" fn malloc(size: usize) -> *mut c_void {
    or_no_memory(by_address::allocate(size, by_address::MIN_ALIGN))
}

/// What `free(3)` says; keeps `errno`, as POSIX demands since 2024.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free(block: *mut c_void) {
    // SAFETY: the program hands back null or a block that it has from here.
    unsafe { by_address::free(block.cast()) };
}

/// What `calloc(3)` says.
#[unsafe(no_mangle)]
pub extern "C" fn calloc(count: usize, size: usize) -> *mut c_void {
    match count.checked_mul(size) {
        Some(bytes) => or_no_memory(by_address::allocate_zeroed(bytes)),
        None => no_memory(),
    }
}

/// What `realloc(3)` says. Size 0 frees a block and returns null, as glibc does.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn realloc(block: *mut c_void, size: usize) -> *mut c_void {
    if block.is_null() {
        return malloc(size);
    }
    if size == 0 {
        // SAFETY: as promised by the program.
        unsafe { free(block) };
        return ptr::null_mut();
    }
    // SAFETY: as promised by the program.
    or_no_memory(unsafe { by_address::resize(block.cast(), size) })
}

/// What `reallocarray(3)` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn reallocarray(
    block: *mut c_void,
    count: usize,
    size: usize,
) -> *mut c_void {
    match count.checked_mul(size) {
        // SAFETY: as promised by the program.
        Some(bytes) => unsafe { realloc(block, bytes) },
        None => no_memory(),
    }
}

/// What `malloc_usable_size(3)` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn malloc_usable_size(block: *mut c_void) -> usize {
    // SAFETY: as promised by the program.
    unsafe { by_address::usable_size(block.cast()) }
}

/// What `malloc_trim(3)` says: gives back what holds no block in use, and tells whether that was anything. The
/// program's idea of how much to keep is ignored.
#[unsafe(no_mangle)]
pub extern "C" fn malloc_trim(_keep: usize) -> c_int {
    c_int::from(PoolAlloc.release() > 0)
}

/// What C23 says of `free_sized`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free_sized(block: *mut c_void, _size: usize) {
    // SAFETY: as promised by the program.
    unsafe { free(block) };
}

/// What C23 says of `free_aligned_sized`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free_aligned_sized(block: *mut c_void, _align: usize, _size: usize) {
    // SAFETY: as promised by the program.
    unsafe { free(block) };
}

#[inline(always)]
fn or_no_memory(block: *mut u8) -> *mut c_void {
    if block.is_null() {
        return no_memory();
    }
    block.cast()
}

#[cold]
fn no_memory() -> *mut c_void {
    fail(libc::ENOMEM)
}

/// Null, and `errno` says why.
#[cold]
fn fail(why: c_int) -> *mut c_void {
    // SAFETY: the call has no conditions.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: the calling thread's errno is always there to write.
    unsafe { *errno = why };
    ptr::null_mut()
}
