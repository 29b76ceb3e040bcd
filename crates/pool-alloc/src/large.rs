//! Large blocks: each a run of pages of its own, straight from the system and straight back, unless a loop is at work.
//!
//! ```text
//! mapped(size) = size rounded up to whole pages
//! ```
//!
//! There is no header and no table of those in use: `dealloc` and `realloc` are handed the size. A program that frees
//! large blocks and soon wants as much again, round after round, earns a reserve (`tide`): then free runs wait in a
//! table of `RUNS` entries. A run serves a smaller request by being cut, and a larger one by being stretched: the
//! system moves its pages to where there is room and adds what is missing, so that no size fails to find what another
//! left. Neighbours in the table are joined.
//!
//! ```text
//! bytes of waiting runs <= reserve
//! ```
//!
//! Where large blocks have guards (`hardened`), none of this is in use: they are those of `headed`.

use std::cmp::Ordering;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::os::{self, invariant};
use crate::tide::Tide;
use crate::{hardened, headed};

/// Runs that wait at most. More would find a closer fit, at a comparison each.
const RUNS: usize = 16;

/// From here on a block asks for huge pages: it will be written from end to end more often than not, and at most the
/// last page, which is not huge, is touched without need. Blocks that have to be zero are not asked for: programs
/// take those for tables that they fill here and there.
const HUGE_FROM: usize = 2 << 20;

/// Bytes mapped for the large blocks in use, those of `headed` included.
pub(crate) static IN_USE: AtomicUsize = AtomicUsize::new(0);

static WAITING: Mutex<Waiting> = Mutex::new(Waiting::new());

/// What the block is to hold at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contents {
    /// Whatever is there.
    Any,
    /// Zeroes.
    Zero,
}

/// A run of whole pages.
#[derive(Clone, Copy)]
struct Run {
    at: NonNull<u8>,
    len: usize,
}

impl Run {
    fn end(self) -> usize {
        self.at.addr().get() + self.len
    }

    /// Cuts the run behind its first `len` bytes, which are fewer than it has; returns the rest.
    fn cut(&mut self, len: usize) -> Run {
        invariant!(len < self.len);
        // SAFETY: `len` is within the run.
        let at = unsafe { self.at.add(len) };
        let rest = Run {
            at,
            len: self.len - len,
        };
        self.len = len;
        rest
    }
}

/// The free runs that are kept.
struct Waiting {
    runs: [Option<Run>; RUNS],
    bytes: usize,
    tide: Tide,
}

// SAFETY: its runs are mapped memory that belongs to no thread, reached only under the lock.
unsafe impl Send for Waiting {}

/// The lock of the runs, held.
pub(crate) struct Guard(
    #[expect(dead_code, reason = "held, and let go")] MutexGuard<'static, Waiting>,
);

/// Takes the lock, so that nobody else holds it.
pub(crate) fn lock() -> Guard {
    Guard(waiting())
}

fn waiting() -> MutexGuard<'static, Waiting> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A block, or null.
#[cold]
pub(crate) fn allocate(size: usize, align: usize, contents: Contents) -> *mut u8 {
    if hardened::GUARDS {
        return guarded(size, align, contents);
    }
    // The size may be small where the alignment is large, even zero if the caller breaks the rules.
    let len = os::whole_pages(size.max(1));
    let page = os::page_size();
    let waited = match align <= page {
        true => waiting().take(len),
        false => None,
    };
    let run = waited.and_then(|run| stretched(run, len));
    if let (Some(run), Contents::Zero) = (run, contents) {
        // SAFETY: the run has this length and is nobody's but the caller's.
        unsafe { run.at.write_bytes(0, len) };
    }
    let at = run
        .map(|run| run.at)
        .or_else(|| fresh(len, align.max(page), contents));
    match at {
        Some(at) => {
            in_use_grew(len);
            at.as_ptr()
        }
        None => ptr::null_mut(),
    }
}

fn in_use_grew(by: usize) {
    IN_USE.fetch_add(by, Relaxed);
    waiting().watch();
}

fn fresh(len: usize, align: usize, contents: Contents) -> Option<NonNull<u8>> {
    let at = os::map(len, align)?;
    // SAFETY: the run was mapped with this length.
    unsafe { advise(at, len, contents) };
    Some(at)
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

/// A block with guards, or null.
fn guarded(size: usize, align: usize, contents: Contents) -> *mut u8 {
    let block = headed::allocate(size, align);
    if let Some(at) = NonNull::new(block) {
        // SAFETY: the block has so many pages.
        unsafe { advise(at, os::whole_pages(size.max(1)), contents) };
    }
    block
}

/// The run with `len` bytes; `None`, and the run is gone, where the system refuses.
fn stretched(run: Run, len: usize) -> Option<Run> {
    if run.len == len {
        return Some(run);
    }
    // SAFETY: the run is one mapping or several side by side, all of them ours.
    match unsafe { os::remap(run.at, run.len, len) } {
        Some(at) => Some(Run { at, len }),
        None => {
            // SAFETY: nobody uses the run.
            unsafe { os::unmap(run.at, run.len) };
            None
        }
    }
}

/// # Safety
/// `block` is a large block of `size` bytes, and the caller is done with it.
#[cold]
pub(crate) unsafe fn free(block: *mut u8, size: usize) {
    if hardened::GUARDS {
        // SAFETY: as promised by the caller.
        return unsafe { headed::free_as(block, size) };
    }
    let Some(at) = NonNull::new(block) else {
        return;
    };
    let len = os::whole_pages(size.max(1));
    IN_USE.fetch_sub(len, Relaxed);
    give(Run { at, len });
}

/// Puts a free run into the reserve, or gives it back.
fn give(run: Run) {
    let Some(surplus) = waiting().put(run) else {
        return;
    };
    // SAFETY: nobody uses the run.
    unsafe { os::unmap(surplus.at, surplus.len) };
}

/// Resizes a block: cuts its end off, adds what waits behind it, copies it to where a run waits that is long enough,
/// or has its pages moved to where there is room. Null leaves it as it was.
///
/// # Safety
/// `block` is a large block of `old` bytes whose alignment is at most a page's; on success only the result is used.
pub(crate) unsafe fn resize(block: *mut u8, old: usize, new: usize) -> *mut u8 {
    if hardened::GUARDS {
        // SAFETY: as promised by the caller.
        return unsafe { headed::resize_from(block, old, new) };
    }
    let Some(at) = NonNull::new(block) else {
        return block;
    };
    let (old, new) = (os::whole_pages(old), os::whole_pages(new));
    let mut run = Run { at, len: old };
    match new.cmp(&old) {
        Ordering::Less => {
            IN_USE.fetch_sub(old - new, Relaxed);
            give(run.cut(new));
            block
        }
        Ordering::Equal => block,
        Ordering::Greater => match grow(run, new) {
            Some(at) => {
                in_use_grew(new - old);
                at.as_ptr()
            }
            None => ptr::null_mut(),
        },
    }
}

/// Where a run's contents are when it has `len` bytes, which is more than it had.
fn grow(run: Run, len: usize) -> Option<NonNull<u8>> {
    let mut waiting = waiting();
    if waiting.extend(run, len - run.len) {
        return Some(run.at);
    }
    // Copying costs less than fetching what is to be added, and leaves no more resident than there was.
    let longer = waiting.take_if_fits(len);
    drop(waiting);
    let Some(longer) = longer else {
        // SAFETY: the block is one run of this length.
        return unsafe { os::remap(run.at, run.len, len) };
    };
    // SAFETY: both runs hold this many bytes, and they are two.
    unsafe { run.at.copy_to_nonoverlapping(longer.at, run.len) };
    give(run);
    Some(longer.at)
}

/// Gives back all runs that wait; returns their bytes.
pub(crate) fn release() -> usize {
    let all = std::mem::replace(&mut *waiting(), Waiting::new());
    for run in all.runs.into_iter().flatten() {
        // SAFETY: nobody uses the run.
        unsafe { os::unmap(run.at, run.len) };
    }
    all.bytes
}

/// Bytes of all large blocks in use.
pub(crate) fn bytes_in_use() -> usize {
    IN_USE.load(Relaxed)
}

/// Bytes of the runs that wait.
pub(crate) fn waiting_bytes() -> usize {
    waiting().bytes
}

impl Waiting {
    const fn new() -> Self {
        Self {
            runs: [None; RUNS],
            bytes: 0,
            tide: Tide::new(),
        }
    }

    /// A run of `len` bytes, or one to be stretched to that, off the table: the least that is long enough, else the
    /// longest.
    fn take(&mut self, len: usize) -> Option<Run> {
        self.take_if_fits(len).or_else(|| {
            let longest = self.runs.iter().flatten().max_by_key(|run| run.len)?.at;
            self.remove(|run| run.at == longest)
        })
    }

    /// The least run that has `len` bytes, cut to that, off the table.
    fn take_if_fits(&mut self, len: usize) -> Option<Run> {
        let fits = self.runs.iter().flatten().filter(|run| run.len >= len);
        let at = fits.min_by_key(|run| run.len)?.at;
        let mut run = self.remove(|run| run.at == at)?;
        if run.len > len {
            self.insert(run.cut(len));
        }
        Some(run)
    }

    /// Takes `more` bytes off a run that begins where `run` ends; false where there is none so long.
    fn extend(&mut self, run: Run, more: usize) -> bool {
        let end = run.end();
        let follows = |other: &Run| other.at.addr().get() == end && other.len >= more;
        let Some(mut behind) = self.remove(follows) else {
            return false;
        };
        if behind.len > more {
            self.insert(behind.cut(more));
        }
        true
    }

    /// Puts a free run on the table if the reserve goes so far, at the expense of others; returns what goes back.
    fn put(&mut self, run: Run) -> Option<Run> {
        self.watch();
        let room = self.tide.reserve().checked_sub(run.len);
        self.shrink_to(room.unwrap_or(self.tide.reserve()));
        if room.is_none() {
            return Some(run);
        }
        let mut run = run;
        while let Some(other) = self.remove(|other| {
            other.end() == run.at.addr().get() || run.end() == other.at.addr().get()
        }) {
            run = Run {
                at: run.at.min(other.at),
                len: run.len + other.len,
            };
        }
        if self.runs.iter().all(Option::is_some) {
            self.give_one_back();
        }
        self.insert(run);
        None
    }

    /// Lets the tide see what is in use, and gives back what is beyond the reserve then.
    fn watch(&mut self) {
        self.tide.stands_at(IN_USE.load(Relaxed), os::now_ms);
        self.shrink_to(self.tide.reserve());
    }

    fn shrink_to(&mut self, bytes: usize) {
        while self.bytes > bytes {
            self.give_one_back();
        }
    }

    fn give_one_back(&mut self) {
        if let Some(run) = self.remove(|_| true) {
            // SAFETY: nobody uses the run.
            unsafe { os::unmap(run.at, run.len) };
        }
    }

    fn remove(&mut self, is_it: impl Fn(&Run) -> bool) -> Option<Run> {
        let entry = self
            .runs
            .iter_mut()
            .find(|entry| entry.as_ref().is_some_and(&is_it))?;
        let run = entry.take()?;
        self.bytes -= run.len;
        Some(run)
    }

    /// There is a free entry.
    fn insert(&mut self, run: Run) {
        if let Some(entry) = self.runs.iter_mut().find(|entry| entry.is_none()) {
            self.bytes += run.len;
            *entry = Some(run);
        }
    }
}
