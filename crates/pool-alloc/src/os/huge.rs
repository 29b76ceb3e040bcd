//! Huge pages: whether there are any to be had, and who wants them.

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) use advice::*;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) use none::*;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod advice {
    use std::ptr::NonNull;
    use std::sync::atomic::AtomicBool;
    use std::sync::atomic::Ordering::Relaxed;

    use crate::os::ErrnoKept;

    /// Whether the system gives huge pages to those who ask for them, which the advice itself does not tell. They may come,
    /// too, where that cannot be read.
    static ARE_THERE: AtomicBool = AtomicBool::new(true);

    /// Finds out whether there are huge pages. As the process begins: later it may not be allowed to look.
    pub(crate) fn look_for() {
        const NEVER: &[u8] = b"[never]";
        let _errno = ErrnoKept::now();
        let mode = c"/sys/kernel/mm/transparent_hugepage/enabled".as_ptr();
        // SAFETY: the path ends in a zero.
        let file = unsafe { libc::open(mode, libc::O_RDONLY | libc::O_CLOEXEC) };
        if file < 0 {
            return;
        }
        let mut modes = [0u8; 64];
        // SAFETY: the buffer has that much room. A failure leaves it as it is.
        unsafe { libc::read(file, modes.as_mut_ptr().cast(), modes.len()) };
        // SAFETY: the file was opened above.
        unsafe { libc::close(file) };
        let is_never = modes.windows(NEVER.len()).any(|mode| mode == NEVER);
        ARE_THERE.store(!is_never, Relaxed);
    }

    /// Asks for huge pages; true where the pages may come as huge ones from now on.
    ///
    /// # Safety
    /// `[at, at + len)` are whole pages mapped by `os`.
    pub(crate) unsafe fn advise_huge(at: NonNull<u8>, len: usize) -> bool {
        if !ARE_THERE.load(Relaxed) {
            return false;
        }
        // SAFETY: the call only reads.
        let disabled = unsafe { libc::prctl(libc::PR_GET_THP_DISABLE, 0, 0, 0, 0) } != 0;
        // SAFETY: the advice changes no contents.
        !disabled && unsafe { libc::madvise(at.as_ptr().cast(), len, libc::MADV_HUGEPAGE) } == 0
    }

    /// Asks for pages of the usual size from now on.
    ///
    /// # Safety
    /// As above.
    pub(crate) unsafe fn advise_usual(at: NonNull<u8>, len: usize) {
        // SAFETY: the advice changes no contents.
        unsafe { libc::madvise(at.as_ptr().cast(), len, libc::MADV_NOHUGEPAGE) };
    }

    /// Has the huge page that this page is a part of taken apart. Of one of which a part is given back the kernel does that when it
    /// is short of memory: until then the part counts as nobody's, and is not free. Advice on a single page takes
    /// its huge page apart at once, and this one, that it will not be needed soon, does nothing else that matters.
    ///
    /// # Safety
    /// As above; the page is mapped.
    pub(crate) unsafe fn split(at: NonNull<u8>) {
        // SAFETY: the advice changes no contents. Before Linux 5.4 there is none such.
        unsafe { libc::madvise(at.as_ptr().cast(), crate::os::page_size(), libc::MADV_COLD) };
    }
}

/// Elsewhere there is no such call.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod none {
    use std::ptr::NonNull;

    pub(crate) fn look_for() {}

    pub(crate) unsafe fn advise_huge(_at: NonNull<u8>, _len: usize) -> bool {
        false
    }

    pub(crate) unsafe fn advise_usual(_at: NonNull<u8>, _len: usize) {}

    pub(crate) unsafe fn split(_at: NonNull<u8>) {}
}
