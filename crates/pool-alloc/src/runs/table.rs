//! The table of the runs that wait, and the account of those in use.
//!
//! A table of a few entries, gone through for each request: a request is for 64 pages at least, so that whatever is
//! done with the block costs more than the look. Everything here happens under one lock.

use super::{Need, Run};
use crate::os;
use crate::tide::Tide;

/// Runs that wait at most. More lose less of what programs leave that hold many blocks of many sizes; each that waits
/// costs some comparisons per request.
const RUNS: usize = 32;

/// See the top of this file.
pub(crate) struct Table {
    /// The first `count` are there.
    runs: [Option<Run>; RUNS],
    count: usize,
    waiting_bytes: usize,
    bytes_in_use: usize,
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
        let mut before = self.remove(fit)?;
        let mut run = before.cut(fit.lead(need));
        let behind = run.cut(need.len);
        self.insert(before);
        self.insert(behind);
        self.grew(need.len);
        Some(run)
    }

    /// The longest run that begins as needed, to be stretched; not more of it than is needed.
    pub(super) fn take_longest(&mut self, need: Need) -> Option<Run> {
        let aligned = self.entries().filter(|run| run.lead(need) == 0);
        let longest = aligned.max_by_key(|run| run.len)?;
        let mut run = self.remove(longest)?;
        self.insert(run.cut(run.len.min(need.len)));
        self.grew(run.len);
        Some(run)
    }

    /// Takes `more` bytes off a run that begins where `run` ends; false where there is none so long.
    pub(super) fn extend(&mut self, run: Run, more: usize) -> bool {
        let follows = |other: &Run| other.at.addr().get() == run.end() && other.len >= more;
        let Some(behind) = self.least(follows) else {
            return false;
        };
        if let Some(mut behind) = self.remove(behind) {
            self.insert(behind.cut(more));
        }
        self.grew(more);
        true
    }

    /// Takes the run of a block, and gives back what there is no room for.
    pub(crate) fn put(&mut self, run: Run) {
        self.shrank(run.len);
        let mut run = run;
        let touches = |run: Run| {
            move |other: &Run| {
                other.end() == run.at.addr().get() || run.end() == other.at.addr().get()
            }
        };
        while let Some(other) = self.least(touches(run)) {
            self.remove(other);
            run = Run {
                at: run.at.min(other.at),
                len: run.len + other.len,
            };
        }
        self.insert(run);
        self.shrink_to(self.tide.room());
    }

    /// Gives back all runs, and forgets what loops there were; returns their bytes.
    pub(super) fn release(&mut self) -> usize {
        let bytes = self.waiting_bytes;
        self.shrink_to(0);
        self.tide = Tide::new();
        bytes
    }

    /// Lets the tide see what is in use, and gives back what is there is no room for then.
    fn watch(&mut self) {
        self.tide.stands_at(self.bytes_in_use, os::now_ms);
        self.shrink_to(self.tide.room());
    }

    /// Gives back what waits beyond so many bytes: of the least runs, and not more of them than that.
    fn shrink_to(&mut self, bytes: usize) {
        while self.waiting_bytes > bytes
            && let Some(least) = self.least(|_| true)
        {
            let surplus = os::whole_pages(self.waiting_bytes - bytes);
            self.give_back(least, least.len.min(surplus));
        }
    }

    /// Gives the last bytes of a run back.
    fn give_back(&mut self, run: Run, bytes: usize) {
        let Some(mut run) = self.remove(run) else {
            return;
        };
        let surplus = run.cut(run.len - bytes);
        self.insert(run);
        // SAFETY: nobody uses the run, and it is off the table.
        unsafe { surplus.unmap() };
    }

    fn entries(&self) -> impl Iterator<Item = Run> {
        self.runs.iter().take(self.count).flatten().copied()
    }

    /// The least of those that are asked for.
    fn least(&self, is_it: impl Fn(&Run) -> bool) -> Option<Run> {
        self.entries().filter(is_it).min_by_key(|run| run.len)
    }

    fn remove(&mut self, run: Run) -> Option<Run> {
        let place = self.entries().position(|other| other.at == run.at)?;
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
            match self.least(|other| other.len < run.len) {
                Some(least) => self.give_back(least, least.len),
                // SAFETY: nobody uses the run, and it is in no table.
                None => return unsafe { run.unmap() },
            }
        }
        self.runs[self.count] = Some(run);
        self.count += 1;
        self.waiting_bytes += run.len;
    }
}
