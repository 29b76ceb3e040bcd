//! Large blocks with guards on both sides: pages of which every access faults. With the feature `hardened` all large
//! blocks are these, those that are found by their address and the others.
//!
//! ```text
//!                                  multiple of 2 MiB (and of the alignment asked for)
//!                                   |
//!   | header, 1 page | guard, 1 page | block ...                 | guard, 1 page |
//!   |<----------- ahead ------------>|                           |
//! ```
//!
//! Each is mapped when it is asked for and unmapped when it is freed. None waits for others, and none is joined with
//! another: whoever comes back to a freed block is to find nothing there. A block cannot grow where it is, since a guard
//! is in the way, nor shrink, since one would have to move; its pages move to between the guards of another mapping.
//!
//! In the account of large blocks (`runs`) each stands with all but its guards, which take addresses only.

use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::Relaxed;

use crate::arena::ARENA;
use crate::hardened::{self, Call};
use crate::headed::{self, BELOW};
use crate::os;
use crate::runs::{self, Need, Run};

/// What stands at the start of a mapping.
struct Header {
    /// All its bytes: this page, the block's, and those of the guards.
    mapped: usize,
}

/// A zeroed block, or null.
#[cold]
pub(crate) fn allocate(size: usize, align: usize) -> *mut u8 {
    let Some(need) = need(size, align.max(ARENA)) else {
        return ptr::null_mut();
    };
    begin_or_null(crate::insistently(|| {
        let run = map(need)?;
        runs::lock().grew(counted(run));
        Some(run)
    }))
}

/// Ends the process unless the block has as many pages as it was `told` to have, here and below; `None` where the
/// caller told nothing.
///
/// # Safety
/// The caller is done with `block`. With the feature that is all there is to promise: what is no large block in use
/// ends the process, too.
#[cold]
pub(crate) unsafe fn free(block: *mut u8, told: Option<usize>) {
    hardened::vouch_for_large(block, Call::Free, told);
    // Of two frees at once, one ends here, before it reads what may be gone.
    hardened::large_ends(block);
    // SAFETY: the block was in use, and this thread's call took it back.
    let run = unsafe { run_of(block, told) };
    runs::lock().shrank(counted(run));
    runs::end_reserves_if_over();
    // SAFETY: as promised by the caller.
    unsafe { unmap(run) };
}

/// Bytes of a block.
///
/// # Safety
/// No other thread frees `block` meanwhile.
pub(crate) unsafe fn size(block: *mut u8) -> usize {
    hardened::vouch_for_large(block, Call::Use, None);
    // SAFETY: the block is a large one in use.
    unsafe { run_of(block, None) }.len - beside()
}

/// Moves a block to where it has another size; null leaves it as it was. It keeps no alignment above that of all large
/// ones.
///
/// # Safety
/// No other thread frees `block` meanwhile; on success only the result is used.
#[cold]
pub(crate) unsafe fn resize(block: *mut u8, told: Option<usize>, new_size: usize) -> *mut u8 {
    hardened::vouch_for_large(block, Call::Use, told);
    // SAFETY: the block is a large one in use.
    let run = unsafe { run_of(block, told) };
    match need(new_size, ARENA) {
        Some(need) if need.len == run.len => block,
        // SAFETY: as above, and the caller goes on with the result.
        Some(need) => begin_or_null(crate::insistently(|| unsafe { moved(run, need) })),
        None => ptr::null_mut(),
    }
}

/// What is mapped before a block: the page of its header, and a guard.
fn ahead() -> usize {
    2 * os::page_size()
}

/// What is mapped beside a block.
fn beside() -> usize {
    ahead() + os::page_size()
}

/// What is in use of a mapping: all but the guards.
fn counted(run: Run) -> usize {
    run.len - 2 * os::page_size()
}

/// The mapping for a block of `size` bytes; `None` where that is more than a pointer can span.
fn need(size: usize, align: usize) -> Option<Need> {
    if size > isize::MAX as usize - beside() - os::page_size() {
        return None;
    }
    let len = beside() + os::whole_pages(size.max(1));
    Some(Need {
        len,
        used: len,
        align,
        ahead: ahead(),
    })
}

/// A fresh mapping with its guards.
fn map(need: Need) -> Option<Run> {
    let at = headed::map(need)?;
    let run = Run { at, len: need.len };
    // SAFETY: the guard before the block follows the header's page.
    let before = unsafe { at.add(os::page_size()) };
    let behind = behind(run);
    // SAFETY: the page is part of the mapping, which nobody uses yet, and neither the header's nor the block's.
    let first = unsafe { hardened::guard(before) };
    // SAFETY: as above.
    if !first || !unsafe { hardened::guard(behind) } {
        // SAFETY: as above.
        unsafe { unmap(run) };
        return None;
    }
    Some(run)
}

/// The guard behind the block of a mapping.
fn behind(run: Run) -> NonNull<u8> {
    // SAFETY: it is the last page of the mapping, which has at least four.
    unsafe { run.at.add(run.len - os::page_size()) }
}

/// # Safety
/// `run` is a mapping of `map` that nobody uses any more.
unsafe fn unmap(run: Run) {
    BELOW.store(run.end(), Relaxed);
    // SAFETY: as promised by the caller; it is in no table.
    unsafe { run.unmap() };
}

/// Moves what is between the guards of a mapping to between those of another, as it is needed, and unmaps the rest.
/// `None` leaves it as it was.
///
/// # Safety
/// `run` is the mapping of a large block in use; on success only the result is used.
unsafe fn moved(run: Run, need: Need) -> Option<Run> {
    let to = map(need)?;
    let (block, place) = (block_of(run), block_of(to));
    // Before its address is anybody's.
    hardened::large_ends(block.as_ptr());
    // SAFETY: between its guards a block is one mapping, and the other place is new.
    if !unsafe { os::remap_to(block, run.len - beside(), need.len - beside(), place) } {
        hardened::large_begins(block.as_ptr());
        // SAFETY: it was mapped above, and the move did not happen.
        unsafe { unmap(to) };
        return None;
    }
    // SAFETY: the header and the guard before the block are nobody's any more.
    unsafe { os::unmap(run.at, ahead()) };
    // SAFETY: nor is the one behind it.
    unsafe { os::unmap(behind(run), os::page_size()) };
    let mut table = runs::lock();
    match to.len.checked_sub(run.len) {
        Some(more) => table.grew(more),
        None => table.shrank(run.len - to.len),
    }
    Some(to)
}

/// Writes the header of a new block; returns the block.
fn begin_or_null(run: Option<Run>) -> *mut u8 {
    let Some(run) = run else {
        return ptr::null_mut();
    };
    let header = Header { mapped: run.len };
    // SAFETY: the mapping is the caller's, and its first page aligned for anything.
    unsafe { run.at.cast().write(header) };
    let block = block_of(run).as_ptr();
    block.expose_provenance();
    hardened::large_begins(block);
    block
}

/// The block of a mapping.
fn block_of(run: Run) -> NonNull<u8> {
    // SAFETY: the block begins within the mapping.
    unsafe { run.at.add(ahead()) }
}

/// The mapping of a block. Ends the process unless it has as many pages as was told.
///
/// # Safety
/// `block` is a large block in use, or was until this thread took it back.
unsafe fn run_of(block: *mut u8, told: Option<usize>) -> Run {
    let base = block.expose_provenance() - ahead();
    let base = ptr::with_exposed_provenance_mut::<u8>(base);
    // SAFETY: the first page of the address space is never mapped, and that of a header is.
    let at = unsafe { NonNull::new_unchecked(base) };
    // SAFETY: what is before a large block begins with its header.
    let header = unsafe { at.cast::<Header>().read() };
    let len = header.mapped;
    match told {
        Some(told) if len - beside() != os::whole_pages(told.max(1)) => {
            hardened::wrong_size(block, len - beside(), told);
        }
        _ => {}
    }
    Run { at, len }
}
