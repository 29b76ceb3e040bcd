//! Large blocks: each a run of pages of its own (`runs`).
//!
//! ```text
//! mapped(size) = size rounded up to whole pages
//! ```
//!
//! There is no header and no table of those in use: `dealloc` and `realloc` are handed the size.
//!
//! Where large blocks have guards (`hardened`), none of this is in use: they are `guarded`.

use std::ptr::{self, NonNull};

use crate::counters::{self, Event};
use crate::os::{self, InPlace};
use crate::runs::{self, Contents, Need, Run};
use crate::{guarded, hardened};

/// From here on a block asks for huge pages: it will be written from end to end more often than not, and at most the
/// last page, which is not huge, is touched without need. Blocks that have to be zero are not asked for: programs
/// take those for tables that they fill here and there.
const HUGE_FROM: usize = 2 << 20;

/// A block, or null.
#[cold]
pub(crate) fn allocate(size: usize, align: usize, contents: Contents) -> *mut u8 {
    if hardened::GUARDS {
        return counters::large(with_guards(size, align, contents));
    }
    // The size may be small where the alignment is large, even zero if the caller breaks the rules.
    let need = need(size.max(1), align);
    let run = || runs::obtain(need, contents, stretch, || map(need, contents));
    counters::large(or_null(crate::insistently(run)))
}

/// # Safety
/// `block` is a large block of `size` bytes, and the caller is done with it.
#[cold]
pub(crate) unsafe fn free(block: *mut u8, size: usize) {
    counters::count(Event::LargeFree);
    if hardened::GUARDS {
        // SAFETY: as promised by the caller.
        return unsafe { guarded::free(block, Some(size)) };
    }
    if let Some(at) = NonNull::new(block) {
        let len = os::whole_pages(size.max(1));
        runs::give(Run { at, len });
    }
}

/// Resizes a block, see `runs::resize`. Null leaves it as it was.
///
/// # Safety
/// `block` is a large block of `old` bytes whose alignment is at most a page's; on success only the result is used.
pub(crate) unsafe fn resize(block: *mut u8, old: usize, new: usize) -> *mut u8 {
    if hardened::GUARDS {
        // SAFETY: as promised by the caller.
        return unsafe { guarded::resize(block, Some(old), new) };
    }
    let Some(at) = NonNull::new(block) else {
        return block;
    };
    let len = os::whole_pages(old);
    let need = need(new, 1);
    or_null(crate::insistently(|| {
        runs::resize(Run { at, len }, need, stretch)
    }))
}

fn need(size: usize, align: usize) -> Need {
    Need {
        len: os::whole_pages(size),
        align: align.max(os::page_size()),
        ahead: 0,
    }
}

fn or_null(run: Option<NonNull<u8>>) -> *mut u8 {
    run.map_or(ptr::null_mut(), NonNull::as_ptr)
}

fn map(need: Need, contents: Contents) -> Option<NonNull<u8>> {
    let at = os::map(need.len, need.align)?;
    // SAFETY: the run was mapped with this length.
    unsafe { advise(at, need.len, contents) };
    Some(at)
}

/// A block with guards, or null.
fn with_guards(size: usize, align: usize, contents: Contents) -> *mut u8 {
    let block = guarded::allocate(size, align);
    if let Some(at) = NonNull::new(block) {
        // SAFETY: the block has so many pages.
        unsafe { advise(at, os::whole_pages(size.max(1)), contents) };
    }
    block
}

/// Asks for huge pages where that is worth it.
///
/// # Safety
/// `[at, at + len)` are whole pages of a block.
unsafe fn advise(at: NonNull<u8>, len: usize, contents: Contents) {
    if len >= HUGE_FROM && contents == Contents::Any {
        // SAFETY: as promised by the caller.
        unsafe { os::advise_huge(at, len) };
    }
}

/// Where the run is when it has the length that is needed. Aligned to more than a page, it cannot be moved.
fn stretch(run: Run, need: Need) -> Option<NonNull<u8>> {
    if need.align <= os::page_size() {
        // SAFETY: the run is one mapping or several side by side, all of them ours.
        return unsafe { os::remap(run.at, run.len, need.len) };
    }
    // SAFETY: as above.
    let resized = unsafe { os::resize_in_place(run.at, run.len, need.len) };
    (resized == InPlace::Done).then_some(run.at)
}
