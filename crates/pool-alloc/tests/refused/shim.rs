//! The calls that the crate makes of the system, which pass, or are refused.

use std::cell::Cell;
use std::ffi::{c_int, c_void};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    Map,
    Unmap,
    Advise,
    /// Advice that takes a huge page apart.
    Split,
    Remap,
    #[cfg(feature = "hardened")]
    Protect,
}

/// What is refused to the calling thread.
#[derive(Clone, Copy, Debug)]
pub struct Refusal {
    pub call: Call,
    /// Calls that pass before.
    pub after: usize,
    /// Calls that are refused then.
    pub count: usize,
}

thread_local! {
    static REFUSAL: Cell<Option<Refusal>> = const { Cell::new(None) };
    static REFUSED: Cell<usize> = const { Cell::new(0) };
    static ROOM: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Runs `work` and refuses what is to be refused meanwhile; returns how often that was.
pub fn refusing(refusal: Refusal, work: impl FnOnce()) -> usize {
    REFUSED.set(0);
    REFUSAL.set(Some(refusal));
    work();
    REFUSAL.set(None);
    REFUSED.get()
}

/// Runs `work` while the calling thread can map no more than it unmaps.
pub fn without_room<T>(work: impl FnOnce() -> T) -> T {
    ROOM.set(0);
    let result = work();
    ROOM.set(usize::MAX);
    result
}

/// Takes room for so many bytes; false where there is none.
fn has_taken_room(bytes: usize) -> bool {
    let room = ROOM.get();
    let left = match room {
        usize::MAX => Some(room),
        _ => room.checked_sub(bytes),
    };
    ROOM.set(left.unwrap_or(room));
    left.is_some() || refuse()
}

fn has_left_room(bytes: usize) {
    ROOM.set(ROOM.get().saturating_add(bytes));
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
    refused && !refuse()
}

/// Says why; false.
fn refuse() -> bool {
    // SAFETY: every thread has an errno.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: as above.
    unsafe { errno.write(libc::ENOMEM) };
    false
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
    if is_refused(Call::Map) || !has_taken_room(len) {
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
    has_left_room(len);
    // SAFETY: as promised by the caller.
    unsafe { libc::syscall(libc::SYS_munmap, at, len) as c_int }
}

/// # Safety
/// As the system's.
#[unsafe(no_mangle)]
unsafe extern "C" fn madvise(at: *mut c_void, len: usize, advice: c_int) -> c_int {
    let call = match advice {
        libc::MADV_COLD => Call::Split,
        _ => Call::Advise,
    };
    if is_refused(call) {
        return -1;
    }
    // SAFETY: as promised by the caller.
    unsafe { libc::syscall(libc::SYS_madvise, at, len, advice) as c_int }
}

/// # Safety
/// As the system's. Where the crate passes no fifth argument, it is not looked at.
#[unsafe(no_mangle)]
unsafe extern "C" fn mremap(
    at: *mut c_void,
    old: usize,
    new: usize,
    flags: c_int,
    to: *mut c_void,
) -> *mut c_void {
    // What is moved to a given place replaces a mapping there.
    let more = match flags & libc::MREMAP_FIXED {
        0 => new.saturating_sub(old),
        _ => 0,
    };
    if is_refused(Call::Remap) || !has_taken_room(more) {
        return libc::MAP_FAILED;
    }
    // SAFETY: as promised by the caller.
    let moved = unsafe { libc::syscall(libc::SYS_mremap, at, old, new, flags, to) as *mut c_void };
    has_left_room(
        match (moved == libc::MAP_FAILED, flags & libc::MREMAP_FIXED) {
            (true, _) => more,
            (false, 0) => old.saturating_sub(new),
            (false, _) => old,
        },
    );
    moved
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
