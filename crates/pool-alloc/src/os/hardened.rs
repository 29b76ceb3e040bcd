//! What the feature `hardened` asks of the operating system besides: random bits, guards, and the end of the process.

use std::ptr::NonNull;

/// Bits that the process has for itself.
///
/// The kernel puts them on the stack of every new program, so there is no call that could fail, wait, or be answered by
/// the program itself, as `getrandom` is in a laboratory that wants each run to be the same: what it answers is left
/// to those who are to get it.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) fn random() -> [u64; 2] {
    // SAFETY: the call only reads.
    let at = unsafe { libc::getauxval(libc::AT_RANDOM) } as usize;
    let at: *const [u64; 2] = std::ptr::with_exposed_provenance(at);
    if at.is_null() {
        return [now(), 0];
    }
    // SAFETY: the kernel left sixteen bytes there, for as long as the process lives.
    unsafe { at.read_unaligned() }
}

/// As above, by a call.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) fn random() -> [u64; 2] {
    let mut bits = [0; 2];
    // SAFETY: the sixteen bytes are ours to write.
    match unsafe { libc::getentropy(bits.as_mut_ptr().cast(), size_of_val(&bits)) } {
        0 => bits,
        _ => [now(), 0],
    }
}

/// Where the system has no random bits: what little there is that differs between runs.
fn now() -> u64 {
    let here = &raw const NOTHING;
    super::now_ms() ^ (here.addr() as u64).rotate_left(32)
}

static NOTHING: u8 = 0;

/// Makes pages such that every access faults; false where the kernel refuses.
///
/// # Safety
/// `[at, at + len)` are whole pages mapped by this module, which nobody uses.
pub(crate) unsafe fn guard(at: NonNull<u8>, len: usize) -> bool {
    // SAFETY: the caller vouches for the pages.
    unsafe { libc::mprotect(at.as_ptr().cast(), len, libc::PROT_NONE) == 0 }
}

/// Writes a line to standard error and ends the process.
#[cold]
pub(crate) fn fatal(line: &[u8]) -> ! {
    super::say(line);
    std::process::abort()
}
