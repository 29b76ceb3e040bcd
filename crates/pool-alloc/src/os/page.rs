//! Pages: how large they are, and what is rounded to them.
//!
//! In a debug build they may be taken for larger than the system's, so that what happens where they are can be tested
//! everywhere (`tests/larger_pages.rs`).

#[cfg(debug_assertions)]
use std::ptr::NonNull;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Bytes of a page.
pub(crate) fn page_size() -> usize {
    static PAGE: AtomicUsize = AtomicUsize::new(0);
    let known = PAGE.load(Ordering::Relaxed);
    if known != 0 {
        return known;
    }
    let page = system_page().max(pretended_page());
    PAGE.store(page, Ordering::Relaxed);
    page
}

pub(super) fn system_page() -> usize {
    // SAFETY: sysconf only reads.
    unsafe { libc::sysconf(libc::_SC_PAGESIZE) as usize }
}

/// In a debug build, pages may be taken for larger than they are, so that what happens on systems with such pages can
/// be tested on all others: bytes of them, from the environment's `POOL_ALLOC_PAGE_KIB`, or 0.
#[cfg(debug_assertions)]
fn pretended_page() -> usize {
    // SAFETY: this is asked once, when the process's first page is wanted; whoever changes the environment before that has no
    // other thread yet that could ask for memory.
    let Some(kib) = (unsafe { super::variable(c"POOL_ALLOC_PAGE_KIB") }) else {
        return 0;
    };
    match kib.to_bytes() {
        b"4" => 4 << 10,
        b"8" => 8 << 10,
        b"16" => 16 << 10,
        b"32" => 32 << 10,
        b"64" => 64 << 10,
        _ => super::broken("POOL_ALLOC_PAGE_KIB is 4, 8, 16, 32 or 64, or is not set"),
    }
}

#[cfg(not(debug_assertions))]
fn pretended_page() -> usize {
    0
}

/// What calls ask for that change what is resident.
#[cfg(debug_assertions)]
pub(super) fn are_whole_pages(at: NonNull<u8>, len: usize) -> bool {
    (at.addr().get() | len) & (page_size() - 1) == 0
}

/// `bytes` rounded up to whole pages. `bytes` is at most `isize::MAX`, so this does not overflow.
pub(crate) fn whole_pages(bytes: usize) -> usize {
    (bytes + page_size() - 1) & !(page_size() - 1)
}

#[cfg(test)]
mod tests {
    /// `tests/larger_pages.rs` looks whether this ran.
    #[test]
    fn pages_are_as_large_as_is_pretended() {
        let kib = std::env::var("POOL_ALLOC_PAGE_KIB").ok();
        let pretended = kib.map_or(0, |kib| kib.parse::<usize>().expect("a number") << 10);
        assert_eq!(super::page_size(), super::system_page().max(pretended));
        let page = super::page_size();
        for _ in 0..20 {
            let at = super::super::map(3 * page, page).expect("the machine has memory for a test");
            assert_eq!(at.addr().get() % page, 0);
            // SAFETY: it was mapped above, and nobody uses it.
            unsafe { super::super::unmap(at, 3 * page) };
        }
    }
}
