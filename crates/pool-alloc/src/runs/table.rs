//! The table of the runs that wait, and the account of those in use.
//!
//! A short table, gone through for each request: a request is for 64 pages at least, so that whatever is
//! done with the block costs more than the look. Everything here happens under one lock.
//!
//! What does not wait is unmapped; but where there are many large blocks, it is hollow (`hollow`) until there are few.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use super::hollow::Hollow;
use super::{HUGE_FROM, Need, Run, TOLD};
use crate::os::{self, invariant};
use crate::tide::Tide;

/// Runs that wait at most. More lose less of what programs leave that hold many blocks, or have many grow in turns: each of
/// those leaves one. Each that waits costs some comparisons per request. Debug builds have few, so that what is tested
/// meets a full table.
const RUNS: usize = if cfg!(debug_assertions) { 32 } else { 256 };

/// Large blocks from which on there are many, until there are half as many. More lets more of the mappings be taken that a
/// process may have; fewer keeps more addresses. Debug builds have few, so that what is tested has many.
const MANY: usize = if cfg!(debug_assertions) { 96 } else { 8_192 };

/// Mappings that may be spent while there are many, on blocks that grow and move, and on hollow runs that are unmapped because
/// memory is out.
const SPENT: usize = MANY;

/// Whether there are many, for who does not hold the lock.
pub(super) static ARE_MANY: AtomicBool = AtomicBool::new(false);

/// See the top of this file.
pub(crate) struct Table {
    /// The first `count` are there.
    runs: [Option<Run>; RUNS],
    count: usize,
    waiting_bytes: usize,
    bytes_in_use: usize,
    blocks: usize,
    hollow: Hollow,
    /// Mappings that were, since there are many.
    spent: usize,
    tide: Tide,
}

// SAFETY: its runs are mapped memory that belongs to no thread, reached only under the lock.
unsafe impl Send for Table {}

impl Table {
    pub(super) const fn new() -> Self {
        Self {
            runs: [None; RUNS],
            count: 0,
            waiting_bytes: 0,
            bytes_in_use: 0,
            blocks: 0,
            hollow: Hollow::new(),
            spent: 0,
            tide: Tide::new(),
        }
    }

    /// Bytes of the runs of all large blocks.
    pub(crate) fn bytes_in_use(&self) -> usize {
        self.bytes_in_use
    }

    /// Bytes of the runs that wait.
    pub(crate) fn waiting_bytes(&self) -> usize {
        self.waiting_bytes
    }

    /// A block of so many bytes is in use.
    pub(super) fn began(&mut self, bytes: usize) {
        self.blocks += 1;
        if self.blocks == MANY {
            ARE_MANY.store(true, Relaxed);
        }
        self.grew(bytes);
    }

    /// So many bytes more are in use.
    pub(crate) fn grew(&mut self, by: usize) {
        self.bytes_in_use += by;
        self.watch();
    }

    /// So many bytes are in use no more.
    pub(crate) fn shrank(&mut self, by: usize) {
        self.bytes_in_use -= by;
        self.watch();
    }

    /// What is needed, cut from the least run that has it.
    pub(super) fn take(&mut self, need: Need) -> Option<Run> {
        let fit = self.least(|run| run.has_room_for(need))?;
        self.take_from(fit, need, 0)
    }

    /// The same for what will grow, from the longest run that has it: behind it as much stays free as it is long, and beyond
    /// that as much before it, as far as there is. So of blocks that grow in turns each finds what it needs to double.
    ///
    /// ```text
    /// |  free  | block 1 |  free  | block 2 |  free  | block 3 |              free              |
    /// ```
    pub(super) fn take_with_room(&mut self, need: Need) -> Option<Run> {
        let fitting = self.entries().filter(|(_, run)| run.has_room_for(need));
        let (longest, run) = fitting.max_by_key(|(_, run)| run.len)?;
        let spare = run.len - run.lead(need) - need.len;
        // What is left on both sides takes a place more than the run did.
        let room_before = match self.count < RUNS {
            true => need.len.min(spare.saturating_sub(need.len)),
            false => 0,
        };
        self.take_from(longest, need, room_before & !(need.align - 1))
    }

    /// Cuts what is needed from the run at a place, so many bytes behind the first that would do.
    fn take_from(&mut self, place: usize, need: Need, skipped: usize) -> Option<Run> {
        let mut before = self.remove(place)?;
        let mut run = before.cut(before.lead(need) + skipped);
        let behind = run.cut(need.len);
        self.insert(before);
        self.insert(behind);
        self.began(need.len);
        Some(run)
    }

    /// What is needed, of addresses without memory: it is zero.
    pub(super) fn take_hollow(&mut self, need: Need) -> Option<Run> {
        self.hollow.take(need)
    }

    /// The longest run that begins as needed, to be stretched; not more of it than is needed.
    pub(super) fn take_longest(&mut self, need: Need) -> Option<Run> {
        let aligned = self.entries().filter(|(_, run)| run.lead(need) == 0);
        let (longest, _) = aligned.max_by_key(|(_, run)| run.len)?;
        let mut run = self.remove(longest)?;
        self.insert(run.cut(run.len.min(need.len)));
        self.began(run.len);
        Some(run)
    }

    /// Takes `more` bytes off a run that begins where `run` ends; false where there is none so long.
    pub(super) fn extend(&mut self, run: Run, more: usize) -> bool {
        let follows = |other: &Run| other.at.addr().get() == run.end() && other.len >= more;
        match self.least(follows).and_then(|place| self.remove(place)) {
            Some(mut behind) => self.insert(behind.cut(more)),
            None if self.hollow.take_at(run.end(), more) => {}
            None => return false,
        }
        self.grew(more);
        true
    }

    /// Whether what may take another mapping may be done: a run that the system moves leaves a gap, and touches nothing where
    /// it comes to lie; one that is unmapped leaves a gap, too. Where there are many blocks, that is so some times only.
    pub(super) fn may_take_mapping(&mut self) -> bool {
        let many = ARE_MANY.load(Relaxed);
        let may = !many || self.spent < SPENT;
        self.spent += usize::from(many && may);
        may
    }

    /// Takes the run of a block that has gone.
    pub(super) fn put(&mut self, run: Run) {
        invariant!(self.blocks > 0);
        self.blocks = self.blocks.saturating_sub(1);
        if self.blocks < MANY / 2 {
            self.unmap_hollow();
        }
        self.put_end(run);
    }

    /// Takes the end of a block's run, and gives back what there is no room for.
    pub(super) fn put_end(&mut self, run: Run) {
        self.shrank(run.len);
        let mut run = run;
        let touches = |run: Run| {
            move |other: &Run| {
                other.end() == run.at.addr().get() || run.end() == other.at.addr().get()
            }
        };
        while let Some(other) = self
            .least(touches(run))
            .and_then(|place| self.remove(place))
        {
            run = Run {
                at: run.at.min(other.at),
                len: run.len + other.len,
            };
        }
        self.insert(run);
        self.shrink_to(self.tide.room());
    }

    /// Gives back all runs, and forgets what loops there were.
    pub(super) fn release(&mut self) {
        self.shrink_to(0);
        self.tide.forget();
        self.watch();
    }

    /// Lets the reserve be no more than this from now on.
    pub(crate) fn limit_reserve(&mut self, bytes: usize) {
        self.tide.limit(bytes, os::now_ms());
        self.keep_to_reserve();
    }

    /// Lets the tide see what is in use, and gives back what is there is no room for then.
    fn watch(&mut self) {
        self.tide.stands_at(self.bytes_in_use, os::now_ms);
        self.keep_to_reserve();
    }

    /// Finds out whether the reserve has ended.
    pub(super) fn look(&mut self, now_ms: u64) {
        self.tide.look(now_ms);
        self.keep_to_reserve();
    }

    fn keep_to_reserve(&mut self) {
        TOLD.tell(&self.tide);
        self.shrink_to(self.tide.room());
    }

    /// Gives back what waits beyond so many bytes: of the least runs, and not more of them than that.
    fn shrink_to(&mut self, bytes: usize) {
        while self.waiting_bytes > bytes {
            let surplus = os::whole_pages(self.waiting_bytes - bytes);
            let Some(mut least) = self.least(|_| true).and_then(|place| self.remove(place)) else {
                return;
            };
            let goes = least.cut(least.len.saturating_sub(surplus));
            self.insert(least);
            self.give_back(goes);
        }
    }

    /// Gives a run's memory back, and its addresses unless there are many blocks. Nobody uses it, and it is off the table.
    fn give_back(&mut self, run: Run) {
        // SAFETY: as promised by the caller.
        let is_hollow =
            ARE_MANY.load(Relaxed) && unsafe { hollow_out(run) } && self.hollow.put(run);
        if !is_hollow {
            // SAFETY: as above, and the hollow ones do not have it either.
            unsafe { run.unmap() };
        }
    }

    /// There are not many any more: makes no more runs hollow, and unmaps as many of those that are for each block that goes,
    /// that the last goes with the last block.
    fn unmap_hollow(&mut self) {
        if ARE_MANY.load(Relaxed) {
            ARE_MANY.store(false, Relaxed);
            self.spent = 0;
        }
        for _ in 0..self.hollow.count().div_ceil(self.blocks + 1) {
            self.unmap_first_hollow();
        }
    }

    /// Unmaps hollow runs, as far as mappings may be spent for it; returns whether there were any.
    pub(super) fn part_with_addresses(&mut self) -> bool {
        let had = self.hollow.count();
        while self.hollow.count() > 0 && self.may_take_mapping() {
            self.unmap_first_hollow();
        }
        self.hollow.count() < had
    }

    fn unmap_first_hollow(&mut self) {
        if let Some(run) = self.hollow.take_first() {
            // SAFETY: nobody uses it, and it is not there any more.
            unsafe { run.unmap() };
        }
    }

    /// Each with its place.
    fn entries(&self) -> impl Iterator<Item = (usize, &Run)> {
        let runs = self.runs.iter().take(self.count);
        runs.flatten().enumerate()
    }

    /// The place of the least of those that are asked for.
    fn least(&self, is_it: impl Fn(&Run) -> bool) -> Option<usize> {
        let asked_for = self.entries().filter(|(_, run)| is_it(run));
        let (place, _) = asked_for.min_by_key(|(_, run)| run.len)?;
        Some(place)
    }

    fn remove(&mut self, place: usize) -> Option<Run> {
        let removed = self.runs[place].take()?;
        self.count -= 1;
        self.runs.swap(place, self.count);
        self.waiting_bytes -= removed.len;
        Some(removed)
    }

    /// Enters a run, unless it is empty. Where the table is full, the least goes back.
    fn insert(&mut self, run: Run) {
        if run.len == 0 {
            return;
        }
        if self.count == RUNS {
            let shorter = self.least(|other| other.len < run.len);
            let Some(least) = shorter.and_then(|place| self.remove(place)) else {
                return self.give_back(run);
            };
            self.give_back(least);
        }
        self.runs[self.count] = Some(run);
        self.count += 1;
        self.waiting_bytes += run.len;
    }
}

/// Gives a run's memory back; false where the system refuses. What asked for huge pages asks no more, as shorter blocks may
/// come to lie there.
///
/// # Safety
/// Nobody uses the run.
unsafe fn hollow_out(run: Run) -> bool {
    // SAFETY: as promised by the caller.
    let is_given = unsafe { os::discard(run.at, run.len) };
    // SAFETY: as above.
    is_given && (run.len < HUGE_FROM || unsafe { os::renew(run.at, run.len) })
}
