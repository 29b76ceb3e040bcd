//! Large blocks: each a run of pages of its own (`runs`).
//!
//! ```text
//! |<------------------------- run ------------------------->|
//! |<- offset ->|<---------------- size ---------------->|   |
//!              block                                    pages = (offset + size) rounded up
//! ```
//!
//! There is no header and no table of those in use: `dealloc` and `realloc` are handed the size, and the offset is the
//! place of the block in its first page.
//!
//! What has the same place in every page shares few sets of the processor's caches, and programs touch large blocks at their
//! beginning and page by page. So blocks begin at different lines, as far as their last page has room: no page is
//! added for that, but where a block is resized, which keeps its offset and may need one more.
//!
//! Where large blocks have guards (`hardened`), none of this is in use: they are `guarded`.

use std::ptr::{self, NonNull};

use crate::arena::LINE;
use crate::counters::{self, Event};
use crate::os::{self, InPlace};
use crate::runs::{self, Contents, HUGE_FROM, Need, Run};
use crate::{guarded, hardened};

/// A block, or null.
#[cold]
pub(crate) fn allocate(size: usize, align: usize, contents: Contents) -> *mut u8 {
    if hardened::GUARDS {
        return counters::large(with_guards(size, align, contents));
    }
    // The size may be small where the alignment is large, even zero if the caller breaks the rules.
    let need = need(size.max(1), align);
    let run = || runs::obtain(need, contents, stretch, || map(need, contents));
    let Some(at) = crate::insistently(run) else {
        return ptr::null_mut();
    };
    let most = if align <= LINE {
        need.len - size.max(1)
    } else {
        0
    };
    // SAFETY: the run is that much longer than the block.
    let block = unsafe { at.add(offset(at, most)) };
    counters::large(block.as_ptr())
}

/// Where in the run that begins here its block begins: a multiple of a line, at most so many bytes from the start. Runs
/// that lie side by side get different ones.
fn offset(at: NonNull<u8>, most: usize) -> usize {
    let page = (at.addr().get() / os::page_size()) as u32;
    // The upper half of the product with a number without a pattern is as good as random.
    let random = page.wrapping_mul(0x9E37_79B9) as u64;
    let lines = (most / LINE) as u64 + 1;
    ((random * lines) >> u32::BITS) as usize * LINE
}

/// The run of a block of this size.
///
/// # Safety
/// `block` is a large block of `size` bytes.
unsafe fn run_of(block: NonNull<u8>, size: usize) -> Run {
    let offset = block.addr().get() % os::page_size();
    Run {
        // SAFETY: the block lies in the first page of its run.
        at: unsafe { block.sub(offset) },
        len: os::whole_pages(offset + size.max(1)),
    }
}

/// # Safety
/// `block` is a large block of `size` bytes, and the caller is done with it.
#[cold]
pub(crate) unsafe fn free(block: *mut u8, size: usize) {
    counters::count(Event::LargeFree);
    let _errno = os::ErrnoKept::now();
    if hardened::GUARDS {
        // SAFETY: as promised by the caller.
        return unsafe { guarded::free(block, Some(size)) };
    }
    if let Some(block) = NonNull::new(block) {
        // SAFETY: as promised by the caller.
        let _gone = runs::give(unsafe { run_of(block, size) });
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
    // SAFETY: as promised by the caller.
    let run = unsafe { run_of(at, old) };
    // The contents keep their place in the run.
    let offset = at.addr().get() - run.at.addr().get();
    let need = need(offset + new, 1);
    match crate::insistently(|| runs::resize(run, need, stretch, || map(need, Contents::Grown))) {
        // SAFETY: the run is longer than that.
        Some(at) => unsafe { at.add(offset) }.as_ptr(),
        None => ptr::null_mut(),
    }
}

fn need(size: usize, align: usize) -> Need {
    let len = os::whole_pages(size);
    Need {
        len,
        used: len,
        align: align.max(os::page_size()),
        ahead: 0,
    }
}

fn map(need: Need, contents: Contents) -> Option<NonNull<u8>> {
    let at = runs::new_run(need, || os::map(need.len, need.align))?;
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

/// Asks for huge pages where that is worth it: it will be written from end to end more often than not, and at most the
/// last page, which is not huge, is touched without need. Blocks that have to be zero are not asked for: programs
/// take those for tables that they fill here and there. Nor are they where there are many, as what is hollow is taken for
/// blocks of all sizes.
///
/// # Safety
/// `[at, at + len)` are whole pages of a block.
unsafe fn advise(at: NonNull<u8>, len: usize, contents: Contents) {
    if len >= HUGE_FROM && contents != Contents::Zero && !runs::are_many() {
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
