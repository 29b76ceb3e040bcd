//! Everything that is asked of the operating system: address space, pages, and a call when a thread ends.
//!
//! All system calls of the crate are in this file and those below it. None of them allocates, and each failure comes
//! back as a value.

use std::ffi::{CStr, c_void};
use std::ptr::{self, NonNull};

#[path = "os/huge.rs"]
pub(crate) mod huge;
#[path = "os/page.rs"]
mod page;

pub(crate) use huge::{advise_huge, advise_usual, split};
#[cfg(debug_assertions)]
use page::are_whole_pages;
use page::system_page;
pub(crate) use page::{page_size, whole_pages};

#[cfg(feature = "hardened")]
#[path = "os/hardened.rs"]
mod hardened;
#[cfg(feature = "hardened")]
pub(crate) use hardened::{fatal, guard, random};

/// Maps `len` fresh, zeroed bytes at a multiple of `align`, a power of two. `len` is a multiple of the page size.
pub(crate) fn map(len: usize, align: usize) -> Option<NonNull<u8>> {
    // The kernel places mappings side by side, so the first try usually fits what came before it.
    map_around(len, align, 0, ptr::null_mut())
}

/// Maps `len` fresh, zeroed bytes, of which those after the first `ahead` begin at a multiple of `align`; at `hint`
/// if the kernel finds nothing there. All figures are multiples of the page size.
pub(crate) fn map_around(
    len: usize,
    align: usize,
    ahead: usize,
    hint: *mut u8,
) -> Option<NonNull<u8>> {
    let short = |at: NonNull<u8>| (at.addr().get() + ahead).wrapping_neg() & (align - 1);
    let first = map_near(hint, len)?;
    if short(first) == 0 {
        return Some(first);
    }
    // SAFETY: `first` was mapped above with this length and nobody else knows of it.
    unsafe { unmap(first, len) };
    let whole = len.checked_add(align - system_page())?;
    let base = map_near(ptr::null_mut(), whole)?;
    let lead = short(base);
    // SAFETY: lead < align, a multiple of the page, so lead + len <= whole.
    let aligned = unsafe { base.add(lead) };
    // SAFETY: the end of what is kept lies within the mapping or at its end.
    let tail = unsafe { aligned.add(len) };
    // SAFETY: these pages were mapped above and nobody uses them.
    unsafe { unmap(base, lead) };
    // SAFETY: as for the pages before.
    unsafe { unmap(tail, whole - lead - len) };
    Some(aligned)
}

fn map_near(hint: *mut u8, len: usize) -> Option<NonNull<u8>> {
    // SAFETY: a new mapping touches no existing memory: a hint is not MAP_FIXED.
    unsafe { map_anonymous(hint, len, 0) }
}

/// # Safety
/// With MAP_FIXED among the flags, the caller owns the pages that this replaces and needs none of the contents.
unsafe fn map_anonymous(at: *mut u8, len: usize, flags: libc::c_int) -> Option<NonNull<u8>> {
    let protection = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_PRIVATE | libc::MAP_ANON | flags;
    // SAFETY: as promised by the caller.
    let at = unsafe { libc::mmap(at.cast(), len, protection, flags, -1, 0) };
    if at == libc::MAP_FAILED {
        None
    } else {
        NonNull::new(at.cast())
    }
}

/// Unmaps `len` bytes. Where the kernel refuses (it would have to split a mapping and may hold no more of them), the
/// memory is given back all the same and only its addresses stay taken.
///
/// # Safety
/// `[at, at + len)` are whole pages mapped by this module, which nobody uses any more.
pub(crate) unsafe fn unmap(at: NonNull<u8>, len: usize) {
    if len == 0 {
        return;
    }
    // SAFETY: the caller owns these pages and is done with them.
    let refused = unsafe { libc::munmap(at.as_ptr().cast(), len) } != 0;
    if refused {
        // SAFETY: as above.
        unsafe { give_back(at, len) };
    }
}

/// Makes pages resident with one call instead of a fault for each; false where the kernel refuses or knows no such call
/// (before Linux 5.14), and they may be as before. `errno` stays as it is.
///
/// # Safety
/// `[at, at + len)` are whole pages mapped by this module.
#[cfg(target_os = "linux")]
pub(crate) unsafe fn populate(at: NonNull<u8>, len: usize) -> bool {
    invariant!(are_whole_pages(at, len));
    let _errno = ErrnoKept::now();
    // SAFETY: the advice changes no contents.
    unsafe { libc::madvise(at.as_ptr().cast(), len, libc::MADV_POPULATE_WRITE) == 0 }
}

/// As above; elsewhere there is no such call.
#[cfg(not(target_os = "linux"))]
pub(crate) unsafe fn populate(_at: NonNull<u8>, _len: usize) -> bool {
    false
}

/// Gives the pages' memory back and keeps their addresses; they read as zero afterwards. False where the kernel
/// refused (pages locked in memory): nothing has changed then.
///
/// # Safety
/// `[at, at + len)` are whole pages mapped by this module, whose contents nobody needs.
pub(crate) unsafe fn discard(at: NonNull<u8>, len: usize) -> bool {
    invariant!(are_whole_pages(at, len));
    // SAFETY: as promised by the caller.
    unsafe { give_back(at, len) }
}

/// # Safety
/// As above, but that pages are the system's.
#[cfg(any(target_os = "linux", target_os = "android"))]
unsafe fn give_back(at: NonNull<u8>, len: usize) -> bool {
    // SAFETY: the caller needs none of the contents.
    unsafe { libc::madvise(at.as_ptr().cast(), len, libc::MADV_DONTNEED) == 0 }
}

/// As above; elsewhere MADV_DONTNEED is a hint only.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
unsafe fn give_back(at: NonNull<u8>, len: usize) -> bool {
    // SAFETY: as promised by the caller.
    unsafe { renew(at, len) }
}

/// Copies pages that are not all zero: where what they are copied to was never touched, it stays so.
///
/// # Safety
/// Both are `len` bytes, whole pages, of mappings of this module that do not overlap; `to` is all zero.
pub(crate) unsafe fn copy_to_zeroes(from: NonNull<u8>, to: NonNull<u8>, len: usize) {
    const PAGE: usize = 4 << 10;
    static ZEROES: [u8; PAGE] = [0; PAGE];
    for page in (0..len).step_by(PAGE) {
        // SAFETY: the page lies within what is copied.
        let from = unsafe { from.add(page) };
        // SAFETY: as above.
        let to = unsafe { to.add(page) };
        // SAFETY: both are that long. What of a block was never written is compared by a function of C's, to which all
        // memory has a value.
        let is_zero =
            unsafe { libc::memcmp(from.as_ptr().cast(), ZEROES.as_ptr().cast(), PAGE) } == 0;
        if !is_zero {
            // SAFETY: as promised by the caller.
            unsafe { from.copy_to_nonoverlapping(to, PAGE) };
        }
    }
}

/// Maps pages anew over themselves: they are zero, and what was advised of them is forgotten. False where the kernel
/// refuses.
///
/// # Safety
/// As for `discard`.
pub(crate) unsafe fn renew(at: NonNull<u8>, len: usize) -> bool {
    // SAFETY: as promised by the caller.
    unsafe { map_anonymous(at.as_ptr(), len, libc::MAP_FIXED) }.is_some()
}

/// Resizes a mapping, moving its pages rather than copying them; `None` leaves it as it was.
///
/// # Safety
/// `[at, at + old)` is one mapping of this module; both lengths are multiples of the page size. On success the old
/// addresses may be gone.
#[cfg(target_os = "linux")]
pub(crate) unsafe fn remap(at: NonNull<u8>, old: usize, new: usize) -> Option<NonNull<u8>> {
    if cfg!(debug_assertions) && page_size() > system_page() {
        // The kernel, which knows nothing of that, would move it by its own pages.
        // SAFETY: as promised by the caller.
        let resized = unsafe { resize_in_place(at, old, new) };
        return (resized == InPlace::Done).then_some(at);
    }
    // SAFETY: the caller owns the mapping and uses the new address from here on.
    let at = unsafe { libc::mremap(at.as_ptr().cast(), old, new, libc::MREMAP_MAYMOVE) };
    if at == libc::MAP_FAILED {
        None
    } else {
        NonNull::new(at.cast())
    }
}

/// As above; elsewhere there is no such call, or none that `libc` has.
#[cfg(not(target_os = "linux"))]
pub(crate) unsafe fn remap(_at: NonNull<u8>, _old: usize, _new: usize) -> Option<NonNull<u8>> {
    None
}

/// What came of resizing a mapping where it is. Unless that is done, all is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InPlace {
    Done,
    #[cfg_attr(not(target_os = "linux"), allow(dead_code, reason = "told by Linux"))]
    NoRoom,
    /// It is several mappings side by side, or locked in memory and there may be no more of that.
    NotToBeMoved,
}

/// Resizes a mapping where it is.
///
/// # Safety
/// `[at, at + old)` are whole pages mapped by this module; what is cut off is not used any more.
#[cfg(target_os = "linux")]
pub(crate) unsafe fn resize_in_place(at: NonNull<u8>, old: usize, new: usize) -> InPlace {
    // SAFETY: the caller owns the mapping and does not use what goes.
    if unsafe { libc::mremap(at.as_ptr().cast(), old, new, 0) } != libc::MAP_FAILED {
        return InPlace::Done;
    }
    // SAFETY: the calling thread's errno is always there to read.
    match unsafe { *errno() } {
        libc::EFAULT | libc::EAGAIN => InPlace::NotToBeMoved,
        _ => InPlace::NoRoom,
    }
}

/// Resizes a mapping and moves its pages to `to`, in place of what is mapped there. False leaves it as it was; what is
/// at `to` then may have been unmapped to make room.
///
/// # Safety
/// As `remap`; `[to, to + new)` was mapped by this module, apart from the old mapping, and nobody uses it.
#[cfg(target_os = "linux")]
pub(crate) unsafe fn remap_to(at: NonNull<u8>, old: usize, new: usize, to: NonNull<u8>) -> bool {
    let flags = libc::MREMAP_MAYMOVE | libc::MREMAP_FIXED;
    // SAFETY: the caller owns both mappings, and uses the new one from here on.
    unsafe { libc::mremap(at.as_ptr().cast(), old, new, flags, to.as_ptr()) != libc::MAP_FAILED }
}

/// As above; elsewhere there is no such call.
#[cfg(not(target_os = "linux"))]
pub(crate) unsafe fn resize_in_place(_at: NonNull<u8>, old: usize, new: usize) -> InPlace {
    match old == new {
        true => InPlace::Done,
        false => InPlace::NotToBeMoved,
    }
}

/// As above; elsewhere there is no such call.
#[cfg(not(target_os = "linux"))]
pub(crate) unsafe fn remap_to(_: NonNull<u8>, _: usize, _: usize, _: NonNull<u8>) -> bool {
    false
}

/// Milliseconds on a clock that never goes back, as of the kernel's last tick: a few nanoseconds to read.
pub(crate) fn now_ms() -> u64 {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC_COARSE;
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    const CLOCK: libc::clockid_t = libc::CLOCK_MONOTONIC;
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: `now` is ours to write. A failure leaves it at zero.
    unsafe { libc::clock_gettime(CLOCK, &mut now) };
    now.tv_sec as u64 * 1_000 + now.tv_nsec as u64 / 1_000_000
}

/// A slot that every thread has and whose value is handed to a function when a thread ends, after the destructors of
/// its Rust thread-locals.
#[derive(Clone, Copy)]
pub(crate) struct ExitHook(libc::pthread_key_t);

impl ExitHook {
    /// A new slot, empty in every thread; `None` where the process has no more of them.
    pub(crate) fn new(run: unsafe extern "C" fn(*mut c_void)) -> Option<Self> {
        let mut key = 0;
        // SAFETY: `key` is ours to write, and `run` takes what `arm` stores.
        let status = unsafe { libc::pthread_key_create(&mut key, Some(run)) };
        (status == 0).then_some(Self(key))
    }

    /// Sets the calling thread's value, which must not be null; false where the system has no room for it.
    pub(crate) fn arm(self, value: *const c_void) -> bool {
        // SAFETY: the key came from pthread_key_create, and was not deleted.
        unsafe { libc::pthread_setspecific(self.0, value) == 0 }
    }

    /// Ends it for all threads. Who arms it afterwards fails, or arms another's: nobody must.
    pub(crate) fn end(self) {
        // SAFETY: the key came from pthread_key_create, and this is the last call that it is used in.
        unsafe { libc::pthread_key_delete(self.0) };
    }
}

/// Has three functions called around each `fork` of the process: before it, and after it on both sides. Without
/// memory for that, nothing happens.
pub(crate) fn on_fork(before: extern "C" fn(), parent: extern "C" fn(), child: extern "C" fn()) {
    // SAFETY: the functions take nothing, and stay as long as this code.
    unsafe { libc::pthread_atfork(Some(before), Some(parent), Some(child)) };
}

/// Restores the `errno` of its making when it goes: who frees memory may be about to report an error.
pub(crate) struct ErrnoKept(libc::c_int);

impl ErrnoKept {
    pub(crate) fn now() -> Self {
        // SAFETY: the calling thread's errno is always there to read.
        Self(unsafe { *errno() })
    }
}

impl Drop for ErrnoKept {
    fn drop(&mut self) {
        // SAFETY: as above, and to write.
        unsafe { *errno() = self.0 };
    }
}

/// Where the calling thread's `errno` is.
fn errno() -> *mut libc::c_int {
    #[cfg(target_os = "linux")]
    let find = libc::__errno_location;
    #[cfg(target_os = "freebsd")]
    let find = libc::__error;
    #[cfg(target_os = "android")]
    let find = libc::__errno;
    // SAFETY: the call has no conditions.
    unsafe { find() }
}

/// A variable of the environment.
///
/// # Safety
/// Nobody changes the environment meanwhile, nor while the result is looked at.
pub(crate) unsafe fn variable<'a>(name: &CStr) -> Option<&'a CStr> {
    // SAFETY: the name ends in a zero, and the caller vouches for the rest.
    let value = NonNull::new(unsafe { libc::getenv(name.as_ptr()) })?;
    // SAFETY: what the environment holds ends in a zero.
    Some(unsafe { CStr::from_ptr(value.as_ptr()) })
}

/// Writes to standard error, as far as it takes it.
#[cold]
pub(crate) fn say(line: &[u8]) {
    // SAFETY: the bytes are there.
    unsafe { libc::write(libc::STDERR_FILENO, line.as_ptr().cast(), line.len()) };
}

/// Ends the process because an invariant of the allocator does not hold. Debug builds only: a panic would allocate.
#[cfg(debug_assertions)]
#[cold]
pub(crate) fn broken(invariant: &str) -> ! {
    for part in ["pool-alloc: broken invariant: ", invariant, "\n"] {
        say(part.as_bytes());
    }
    std::process::abort()
}

/// `debug_assert!` for code inside the allocator: it prints without allocating, and aborts rather than unwinds.
macro_rules! invariant {
    ($holds:expr) => {
        #[cfg(debug_assertions)]
        if !$holds {
            $crate::os::broken(stringify!($holds));
        }
    };
}
pub(crate) use invariant;
