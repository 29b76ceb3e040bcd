//! The members of the family that take an alignment: five, which differ in what they think of odd ones.
//!
//! | | an alignment that is not a power of two | failure |
//! |---|---|---|
//! | `posix_memalign` | EINVAL, and so is less than a pointer's size | is returned; `errno` and the pointer stay |
//! | `aligned_alloc` | EINVAL; the size need not be a multiple | `errno` |
//! | `memalign` | is rounded up to one | `errno` |
//! | `valloc`, `pvalloc` | take none: a page | `errno` |

use std::ffi::{c_int, c_void};

use pool_alloc::by_address;

use crate::{fail, no_memory, or_no_memory};

/// What `posix_memalign(3)` says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn posix_memalign(
    result: *mut *mut c_void,
    align: usize,
    size: usize,
) -> c_int {
    if !align.is_power_of_two() || align < size_of::<*mut c_void>() {
        return libc::EINVAL;
    }
    let block = keeping_errno(|| by_address::allocate(size, align));
    if block.is_null() {
        return libc::ENOMEM;
    }
    // SAFETY: the program has room there for the result.
    unsafe { result.write(block.cast()) };
    0
}

/// What `aligned_alloc(3)` says.
#[unsafe(no_mangle)]
pub extern "C" fn aligned_alloc(align: usize, size: usize) -> *mut c_void {
    if !align.is_power_of_two() {
        return fail(libc::EINVAL);
    }
    or_no_memory(by_address::allocate(size, align))
}

/// What `memalign(3)` says.
#[unsafe(no_mangle)]
pub extern "C" fn memalign(align: usize, size: usize) -> *mut c_void {
    match align.checked_next_power_of_two() {
        Some(align) => or_no_memory(by_address::allocate(size, align)),
        None => fail(libc::EINVAL),
    }
}

/// What `valloc(3)` says.
#[unsafe(no_mangle)]
pub extern "C" fn valloc(size: usize) -> *mut c_void {
    memalign(page_size(), size)
}

/// What `pvalloc(3)` says: whole pages.
#[unsafe(no_mangle)]
pub extern "C" fn pvalloc(size: usize) -> *mut c_void {
    match size.max(1).checked_next_multiple_of(page_size()) {
        Some(bytes) => memalign(page_size(), bytes),
        None => no_memory(),
    }
}

fn page_size() -> usize {
    // SAFETY: sysconf only reads.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}

/// `errno` after the work is what it was before.
fn keeping_errno<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: the call has no conditions.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: the calling thread's errno is always there to read.
    let before = unsafe { *errno };
    let result = work();
    // SAFETY: as above, and to write.
    unsafe { *errno = before };
    result
}
