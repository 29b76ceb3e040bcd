//! Placement: mappings lie where the kernel puts them, not where an allocator draws them by lot.
//!
//! mimalloc asks for its arenas at addresses of its own choice, which follow from where the linker put its
//! variables. Which pages of its tables an arena then takes changed by one from build to build of the same
//! source. Under lab conditions this executable's own `mmap` leaves such wishes out: without address
//! randomisation the kernel's answer depends on nothing but the calls before.

use std::ffi::{c_int, c_void};
use std::mem::transmute;
use std::ptr::null_mut;

use libc::{off_t, size_t};

use crate::clock::is_lab;
use crate::interpose::Next;

/// Whether this module is what `mmap` means in this executable: wishes for an address where nothing is, and looks
/// whether the answer is another.
pub fn is_in_effect() -> bool {
    const WISH: usize = 1 << 40;
    const LENGTH: usize = 4096;
    let wish = std::ptr::without_provenance_mut(WISH);
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: a new mapping touches no existing memory.
    let at = unsafe { libc::mmap(wish, LENGTH, libc::PROT_NONE, flags, -1, 0) };
    if at == libc::MAP_FAILED {
        return false;
    }
    // SAFETY: the page was mapped above, and nobody knows of it.
    unsafe { libc::munmap(at, LENGTH) };
    at.addr() != WISH
}

/// Replaces the C library's function in this executable.
///
/// # Safety
/// As the system's.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn mmap(
    wish: *mut c_void,
    length: size_t,
    protection: c_int,
    flags: c_int,
    file: c_int,
    offset: off_t,
) -> *mut c_void {
    let is_wish = flags & (libc::MAP_FIXED | libc::MAP_FIXED_NOREPLACE) == 0;
    let at = if is_wish && is_lab() {
        null_mut()
    } else {
        wish
    };
    static NEXT: Next = Next::new(c"mmap");
    type Function =
        unsafe extern "C" fn(*mut c_void, size_t, c_int, c_int, c_int, off_t) -> *mut c_void;
    // SAFETY: the C library's function of this name has this type.
    let next = unsafe { transmute::<*mut c_void, Function>(NEXT.address()) };
    // SAFETY: the caller's arguments, but for an address that was only a wish.
    unsafe { next(at, length, protection, flags, file, offset) }
}
