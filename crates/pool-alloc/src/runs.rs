//! Runs: whole pages, side by side, of which large blocks are made; and those that wait for the next such block.
//!
//! A large block has a run of its own, straight from the system, and when it is freed the run goes straight back. A
//! program that frees large blocks and soon wants as much again, round after round, earns a reserve (`tide`): then free
//! runs wait in a table of `RUNS` entries, whoever's they were.
//!
//! ```text
//! bytes of waiting runs <= reserve             no two of them touch
//! ```
//!
//! A few of them a thread keeps to itself (`at_hand`). Where there are many large blocks, what the reserve has no room for is
//! not unmapped: its memory goes, and its addresses stay for the next blocks (`hollow`).
//!
//! What a block needs is a length, and a place in it that has to be aligned: the block itself where there is no header
//! (`large`), the page behind the header where there is one (`headed`). So every run that has such a place serves, and
//! what is before and behind it goes on waiting; it joins its neighbour again when that comes back. A block that grew
//! is placed with room to grow on (`Table::take_with_room`). Where no run is long enough, one is *stretched*: the system
//! moves its pages to where there is room and adds what is missing, so that no size fails to find what another left.

#[path = "runs/at_hand.rs"]
mod at_hand;
#[path = "runs/hollow.rs"]
mod hollow;
#[path = "runs/table.rs"]
mod table;

use std::ptr::NonNull;
use std::sync::PoisonError;
use std::sync::atomic::Ordering::Relaxed;

use crate::begin;
use crate::commons;
use crate::counters::{self, Event};
use crate::os::{self, invariant};
use crate::sync::{Mutex, MutexGuard};
use crate::thread;
use crate::tide::Told;
pub(crate) use at_hand::AtHand;
use table::ARE_MANY;
pub(crate) use table::Table;

/// Bytes that are written to make them zero. Where more have to be zero, they are given back and come as zeroes when
/// they are touched: programs that ask for so many tend to use a part of them.
const WRITTEN_MOST: usize = 32 << 20;

/// From here on a block asks for huge pages (`large`).
pub(crate) const HUGE_FROM: usize = 2 << 20;

static TABLE: Mutex<Table> = Mutex::new(Table::new());

/// What its tide tells.
static TOLD: Told = Told::new();

/// Ends the reserve if it is over. The arenas' tide calls this when it looks at the clock: a program that has done with
/// large blocks does not come here by itself.
pub(crate) fn end_if_over(now_ms: impl FnOnce() -> u64) {
    if let Some(now_ms) = TOLD.ended_by(now_ms) {
        lock().look(now_ms);
    }
}

/// Ends whichever reserve is over, as a large block is freed: what goes to a thread's hand tells the table nothing, and
/// neither tells the commons. Not for whoever holds a lock.
pub(crate) fn end_reserves_if_over() {
    end_if_over(os::now_ms);
    commons::end_if_over();
}

/// A run of whole pages.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    pub(crate) at: NonNull<u8>,
    pub(crate) len: usize,
}

/// What a block needs: `len` bytes, of which those after the first `ahead` begin at a multiple of `align`. All are
/// multiples of the page size.
#[derive(Clone, Copy)]
pub(crate) struct Need {
    pub(crate) len: usize,
    /// Those of them that are for the block; the others are so that runs touch.
    pub(crate) used: usize,
    pub(crate) align: usize,
    pub(crate) ahead: usize,
}

/// What the block is to hold at first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contents {
    /// Whatever is there.
    Any,
    /// Zeroes.
    Zero,
    /// What a shorter block held that it takes the place of. What has grown will grow again.
    Grown,
}

impl Contents {
    /// What a copy of a block of `old` bytes holds that has room for `new`.
    pub(crate) fn of_copy(old: usize, new: usize) -> Self {
        if new > old { Self::Grown } else { Self::Any }
    }
}

/// Makes a run of another length, which keeps its contents: where it is, or elsewhere, as the block needs it. `None`
/// leaves it as it was.
pub(crate) type Stretch = fn(Run, Need) -> Option<NonNull<u8>>;

impl Run {
    pub(crate) fn end(self) -> usize {
        self.at.addr().get() + self.len
    }

    /// Cuts the run behind its first `len` bytes, of which it has at least so many; returns the rest.
    pub(crate) fn cut(&mut self, len: usize) -> Run {
        invariant!(len <= self.len);
        // SAFETY: `len` is within the run, or at its end.
        let at = unsafe { self.at.add(len) };
        let rest = self.len - len;
        self.len = len;
        Run { at, len: rest }
    }

    /// Bytes before the first place that is aligned as needed, which may be beyond the run.
    pub(crate) fn lead(self, need: Need) -> usize {
        (self.at.addr().get() + need.ahead).wrapping_neg() & (need.align - 1)
    }

    fn has_room_for(self, need: Need) -> bool {
        let lead = self.lead(need);
        lead <= self.len && need.len <= self.len - lead
    }

    /// Gives the run back to the system.
    ///
    /// # Safety
    /// Nobody uses it, and it is in no table.
    pub(crate) unsafe fn unmap(self) {
        // SAFETY: as promised by the caller; runs are made of mappings of this crate.
        unsafe { os::unmap(self.at, self.len) };
    }
}

/// Takes the lock, so that nobody else holds it.
pub(crate) fn lock() -> MutexGuard<'static, Table> {
    begin::once();
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A run for a new block: one at hand, unless it has grown, else one that waits, else one stretched, else what `map` gets.
pub(crate) fn obtain(
    need: Need,
    contents: Contents,
    stretch: Stretch,
    map: impl FnOnce() -> Option<NonNull<u8>>,
) -> Option<NonNull<u8>> {
    let heap = thread::heap();
    let waited = match contents {
        Contents::Grown => {
            // What is at hand may be what is missing behind a run that waits.
            heap.at_hand().give_back();
            lock().take_with_room(need)
        }
        _ => heap.at_hand().take(need).or_else(|| lock().take(need)),
    };
    if let Some(run) = waited {
        counters::count(Event::LargeReuse);
        prepare(run, need, contents);
        return Some(run.at);
    }
    if let Some(at) = stretched(need, contents, stretch) {
        return Some(at);
    }
    let at = map()?;
    lock().began(need.len);
    Some(at)
}

/// Whether there are many large blocks, so that mappings are worth saving.
pub(crate) fn are_many() -> bool {
    ARE_MANY.load(Relaxed)
}

/// Addresses for a run of zeroes, without memory: of a hollow one, or as `map` gets them.
pub(crate) fn new_run(
    need: Need,
    map: impl FnOnce() -> Option<NonNull<u8>>,
) -> Option<NonNull<u8>> {
    let hollow = lock().take_hollow(need);
    hollow.map(|run| run.at).or_else(map)
}

/// The longest run that waits, with as many bytes as are needed. Where the system refuses, it goes on waiting.
fn stretched(need: Need, contents: Contents, stretch: Stretch) -> Option<NonNull<u8>> {
    if are_many() {
        return None; // it would most likely move
    }
    let run = lock().take_longest(need)?;
    let Some(at) = stretch(run, need) else {
        lock().put(run);
        return None;
    };
    lock().grew(need.len - run.len);
    // What was added is zero.
    prepare(Run { at, len: run.len }, need, contents);
    Some(at)
}

/// Makes a run that waited hold what a block is to hold.
fn prepare(run: Run, need: Need, contents: Contents) {
    if contents != Contents::Zero {
        return;
    }
    let run = Run {
        len: run.len.min(need.used),
        ..run
    };
    // SAFETY: the run is the caller's, who needs nothing of it.
    if run.len > WRITTEN_MOST && unsafe { os::discard(run.at, run.len) } {
        return;
    }
    // SAFETY: as above.
    unsafe { run.at.write_bytes(0, run.len) };
}

/// Resizes the run of a block: cuts its end off, adds what waits behind it, copies it to where a run waits that is long
/// enough, has it stretched, or copies it to what `map` gets. `None` leaves it as it was.
pub(crate) fn resize(
    run: Run,
    need: Need,
    stretch: Stretch,
    map: impl FnOnce() -> Option<NonNull<u8>>,
) -> Option<NonNull<u8>> {
    let mut run = run;
    if need.len <= run.len {
        let rest = run.cut(need.len);
        lock().put_end(rest);
        let unused = run.cut(need.used);
        // SAFETY: these pages are of the run, and the block needs them no more. If they stay, there is less free memory.
        let _is_given = unused.len > 0 && unsafe { os::discard(unused.at, unused.len) };
        return Some(run.at);
    }
    thread::heap().at_hand().give_back();
    let mut table = lock();
    if table.extend(run, need.len - run.len) {
        return Some(run.at);
    }
    // Copying costs less than fetching what is to be added, and leaves no more resident than there was.
    let longer = table.take_with_room(need);
    let may_move = longer.is_none() && table.may_take_mapping();
    drop(table);
    if may_move && let Some(at) = stretch(run, need) {
        lock().grew(need.len - run.len);
        return Some(at);
    }
    let to = match longer {
        Some(longer) => {
            // SAFETY: both runs hold this many bytes, and they are two.
            unsafe { run.at.copy_to_nonoverlapping(longer.at, run.len) };
            longer.at
        }
        // What is made of several mappings the system does not move. That is no lack of memory.
        None => {
            let at = map()?;
            lock().began(need.len);
            // SAFETY: as above, and a fresh run is zero.
            unsafe { os::copy_to_zeroes(run.at, at, run.len) };
            at
        }
    };
    lock().put(run);
    Some(to)
}

/// Takes the run of a block back, into the reserve as far as that goes. Returns whether there is none, so that it went
/// back to the system with its addresses.
pub(crate) fn give(run: Run) -> bool {
    end_reserves_if_over();
    if TOLD.lets_threads_keep() {
        // A thread that has had large blocks only has none yet.
        let _has_heap = thread::heap_or_new();
    }
    let heap = thread::heap();
    if !heap.is_none() {
        heap.pass_wide_by();
        if heap.at_hand().put(run) {
            return false;
        }
    }
    let mut table = lock();
    table.put(run);
    table.waiting_bytes() == 0 && !are_many()
}

/// Gives back all runs that wait, and those that the calling thread has at hand; returns their bytes.
pub(crate) fn release() -> usize {
    let heap = thread::heap();
    let at_hand = heap.at_hand();
    // Counted before, since not all may find room in the table.
    let bytes = at_hand.bytes() + lock().waiting_bytes();
    at_hand.give_back();
    lock().release();
    bytes
}

/// Gives back addresses that have no memory, where the system has none to give; returns whether there were any.
pub(crate) fn part_with_addresses() -> bool {
    lock().part_with_addresses()
}
