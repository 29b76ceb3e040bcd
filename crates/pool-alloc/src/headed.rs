//! Large blocks that are found by their address: a run of pages each (`runs`), with a header in the page before the block.
//!
//! ```text
//!      multiple of 2 MiB                              multiple of 2 MiB (and of the alignment asked for)
//!       |                             not mapped   | header |  block ...                     | not mapped
//!       |                                          | 1 page |                                |
//! ```
//!
//! An arena begins with its header at such a multiple, so no block of a pool is there, and every large one is:
//!
//! ```text
//! block mod 2 MiB = 0   <=>   the block is large, and the page before it says how much is mapped
//! ```
//!
//! No alignment is an exception, since a multiple of 1 GiB is one of 2 MiB: whatever the alignment, the header is in
//! the same place, and telling the two sorts of block apart takes no memory access. It costs a page of memory per
//! block and addresses, which are free. Each is a mapping of its own to the kernel, of which a process may have 65,530 by
//! default; where there are many, their runs reach as far as to the next, so that they touch and are one mapping.
//!
//! Where large blocks have guards (`hardened`), none of this is in use but the search for room: they are `guarded`.

use std::ptr::{self, NonNull};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use crate::arena::ARENA;
use crate::counters::{self, Event};
use crate::os::{self, InPlace};
use crate::runs::{self, Contents, Need, Run};
use crate::{guarded, hardened};

/// What stands at the start of the page before a block.
struct Header {
    /// All bytes of the mapping: this page, and the block's.
    mapped: usize,
}

/// Below which address the next block may find room. Only a hint: without it the kernel's choice would have to be
/// mapped, found unaligned and mapped again, with more than is needed, each time.
pub(crate) static BELOW: AtomicUsize = AtomicUsize::new(0);

/// Whether a block is large, or null. Any other is a pool's.
#[inline(always)]
pub(crate) fn is_large_or_null(block: *mut u8) -> bool {
    block.addr() & (ARENA - 1) == 0
}

/// A block, or null.
#[cold]
pub(crate) fn allocate(size: usize, align: usize, contents: Contents) -> *mut u8 {
    if hardened::GUARDS {
        return counters::large(guarded::allocate(size, align));
    }
    let Some(need) = need(size, align) else {
        return ptr::null_mut();
    };
    let run = |need| runs::obtain(need, contents, stretch, || new_run(need));
    counters::large(begin_or_null(need, run))
}

/// # Safety
/// `block` is a large block in use, and the caller is done with it.
pub(crate) unsafe fn free(block: *mut u8) {
    counters::count(Event::LargeFree);
    if hardened::GUARDS {
        // SAFETY: as promised by the caller.
        return unsafe { guarded::free(block, None) };
    }
    // SAFETY: as promised by the caller.
    let run = unsafe { run_of(block) };
    if runs::give(run) {
        BELOW.store(run.end(), Relaxed);
    }
}

/// Bytes of a block.
///
/// # Safety
/// `block` is a large block in use.
pub(crate) unsafe fn size(block: *mut u8) -> usize {
    if hardened::GUARDS {
        // SAFETY: as promised by the caller.
        return unsafe { guarded::size(block) };
    }
    // SAFETY: as promised by the caller.
    unsafe { run_of(block) }.len - os::page_size()
}

/// Resizes a block, see `runs::resize`; null leaves it as it was. A block that moves keeps no alignment above that of
/// all large ones.
///
/// # Safety
/// `block` is a large block in use; on success only the result is used.
#[cold]
pub(crate) unsafe fn resize(block: *mut u8, new_size: usize) -> *mut u8 {
    if hardened::GUARDS {
        // SAFETY: as promised by the caller.
        return unsafe { guarded::resize(block, None, new_size) };
    }
    // SAFETY: as promised by the caller.
    let run = unsafe { run_of(block) };
    let Some(need) = need(new_size, ARENA) else {
        return ptr::null_mut();
    };
    // What has become enough for it stays as long as it is.
    let len = match need.used <= run.len {
        true => need.len.min(run.len),
        false => need.len,
    };
    let need = Need { len, ..need };
    let resized = |need| runs::resize(run, need, stretch, || new_run(need));
    begin_or_null(need, resized)
}

/// The run for a block of `size` bytes; `None` where that is more than a pointer can span.
fn need(size: usize, align: usize) -> Option<Need> {
    let page = os::page_size();
    if size > isize::MAX as usize - 2 * page {
        return None;
    }
    let used = page + os::whole_pages(size.max(1));
    Some(Need {
        len: match runs::are_many() {
            true => used.checked_next_multiple_of(ARENA)?,
            false => used,
        },
        used,
        align: align.max(ARENA),
        ahead: page,
    })
}

fn new_run(need: Need) -> Option<NonNull<u8>> {
    runs::new_run(need, || map(need))
}

/// Maps a run.
pub(crate) fn map(need: Need) -> Option<NonNull<u8>> {
    let below = BELOW.load(Relaxed);
    let block = below.saturating_sub(need.len - need.ahead) & !(need.align - 1);
    let hint = ptr::without_provenance_mut(block.saturating_sub(need.ahead));
    let base = os::map_around(need.len, need.align, need.ahead, hint)?;
    BELOW.store(base.addr().get(), Relaxed);
    Some(base)
}

/// Where the run is when it has the length that is needed: where it was, or at a new place, with its pages.
fn stretch(run: Run, need: Need) -> Option<NonNull<u8>> {
    // SAFETY: the run is one mapping or several side by side, all of them ours.
    match unsafe { os::resize_in_place(run.at, run.len, need.len) } {
        InPlace::Done => return Some(run.at),
        InPlace::NoRoom => {}
        // The system would unmap what is at the new place, and then refuse.
        InPlace::NotToBeMoved => return None,
    }
    let to = new_run(need)?;
    // SAFETY: the one is ours, and the other is new.
    if unsafe { os::remap_to(run.at, run.len, need.len, to) } {
        return Some(to);
    }
    // SAFETY: it was mapped above, and the move did not happen.
    unsafe { os::unmap(to, need.len) };
    None
}

/// Gets a run for a block, and writes its header; returns the block. Where there is no room for a run that reaches to the
/// next, it is one that does not.
fn begin_or_null(need: Need, run: impl Fn(Need) -> Option<NonNull<u8>>) -> *mut u8 {
    let short = Need {
        len: need.used,
        ..need
    };
    let reaches = (need.len > need.used).then(|| run(need)).flatten();
    let (base, need) = match reaches {
        Some(base) => (Some(base), need),
        None => (crate::insistently(|| run(short)), short),
    };
    let Some(base) = base else {
        return ptr::null_mut();
    };
    let header = Header { mapped: need.len };
    // SAFETY: the run is the caller's, and its first page aligned for anything.
    unsafe { base.cast().write(header) };
    // SAFETY: the block begins after the first page of at least two.
    let block = unsafe { base.add(need.ahead) };
    block.as_ptr().expose_provenance();
    block.as_ptr()
}

/// The run of a block.
///
/// # Safety
/// `block` is a large block in use.
unsafe fn run_of(block: *mut u8) -> Run {
    let base = block.expose_provenance() - os::page_size();
    let base = ptr::with_exposed_provenance_mut::<u8>(base);
    // SAFETY: the first page of the address space is never mapped, so its successor is no block.
    let at = unsafe { NonNull::new_unchecked(base) };
    // SAFETY: the page before a large block begins with its header.
    let header = unsafe { at.cast::<Header>().read() };
    let len = header.mapped;
    Run { at, len }
}
