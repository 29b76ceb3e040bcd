//! Sweep: the pages of a pool on which no block is in use go back, though the pool has blocks in use on others.
//!
//! ```text
//!   page     0         1         2         3         4      ...     15
//!        +---------+---------+---------+---------+---------+- - -+---------+
//!        | purged  | in use: | purged  | purged  | in use: |     | purged  |
//!        |         | survivor|         |         | survivor|     |         |
//!        +---------+---------+---------+---------+---------+- - -+---------+
//! ```
//!
//! A free block's link stands in its first word, so where that word's page goes, the link goes too. Hence:
//!
//! ```text
//! a block is purged   <=>   its first byte is on a purged page;     a purged block is on no list and not in the row
//! used + free + purged + row = capacity
//! ```
//!
//! A block may begin on a page and end on another. If only its end is on a purged page, the block is free as any
//! other, and handing it out touches that page again, which the statistics do not see; the next sweep takes it back.
//!
//! `restore` is the way back: it links the blocks that begin on one purged page, when the pool has nothing else to
//! hand out. So a pool that was swept and is used again pays one page fault for each page that it needs.
//!
//! A row needs no links. One at the pool's end stays as it is, and its pages go. Where blocks follow that were handed out,
//! the row is dissolved: its blocks are purged or listed as all others are.
//!
//! A sweep follows every free block's link. When it is worth that, the heap says (`sparse`).

use std::ops::Range;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::atomic::{AtomicUsize, compiler_fence};

use crate::arena::Arena;
use crate::counters::{self, Event};
use crate::os::{self, invariant};
use crate::pool::Pool;

/// A set of pages of a pool, by number.
pub(crate) type Pages = u64;

/// Bytes of swept pools that were given back, ever.
static SWEPT: AtomicUsize = AtomicUsize::new(0);

/// Bytes of swept pools given back since the process began.
pub(crate) fn swept_bytes() -> usize {
    SWEPT.load(Relaxed)
}

/// Counts bytes that were resident in a swept pool and go back otherwise.
pub(crate) fn count(bytes: usize) {
    SWEPT.fetch_add(bytes, Relaxed);
}

impl Pool {
    /// Gives back the pages without a block in use. Only for the owner, who has just collected.
    #[cold]
    pub(crate) fn sweep(&self) {
        counters::count(Event::Sweep);
        let grid = Grid::of(self);
        let before = self.purged();
        // Those that were purged before may be resident again, from the end of a block that begins on another.
        let vacant = self.vacant(grid);
        let stays = |block: usize| vacant & (1 << grid.number(block)) == 0;
        self.retain_free(|block| stays(block.addr()));
        if self.has_blocks_behind_its_row() {
            let row = self.row();
            self.dissolve_row();
            let blocks = row.step_by(self.block_size());
            // SAFETY: they were in the row, which was dissolved.
            unsafe { self.list(blocks.filter(|block| stays(*block))) };
        }
        // In this order, should another thread fork here (see `fork`): what is on no list and not purged is merely lost.
        compiler_fence(Release);
        self.set_purged(vacant | before);
        if vacant != 0 {
            Arena::of(self).break_page(grid.bytes(vacant));
        }
        for (first, end) in runs(vacant) {
            let Some(at) = NonNull::new(ptr::with_exposed_provenance_mut(grid.page(first))) else {
                continue;
            };
            // Where the kernel refuses (pages locked in memory), they are as good as before: nobody needs what they
            // hold.
            // SAFETY: they are whole pages of the owner's pool, without a block in use, and no list leads there.
            if unsafe { os::discard(at, grid.page(end) - grid.page(first)) } {
                count(grid.bytes(range(first, end) & !before));
            }
        }
        self.give_back_row();
        invariant!(self.is_whole());
    }

    /// Whether there are purged blocks: a page in the middle of a large one has none of its own.
    pub(crate) fn has_purged_blocks(&self) -> bool {
        self.first_purged_blocks().is_some()
    }

    /// Puts the blocks of one purged page back on the free list, which is empty; false where there are none.
    #[cold]
    pub(crate) fn restore(&self) -> bool {
        let Some((page, blocks)) = self.first_purged_blocks() else {
            return false;
        };
        self.set_purged(self.purged() & !(1 << page));
        compiler_fence(Release); // as in `sweep`
        // SAFETY: they were purged, and are no more.
        unsafe { self.list(blocks.step_by(self.block_size())) };
        true
    }

    /// Puts the blocks at these addresses on the free list, the first of them first.
    ///
    /// # Safety
    /// They are this pool's, in nobody's hand, on no list, not in the row and not purged.
    unsafe fn list(&self, blocks: impl DoubleEndedIterator<Item = usize>) {
        for block in blocks.rev() {
            // SAFETY: as promised by the caller.
            unsafe { self.push(ptr::with_exposed_provenance_mut(block)) };
        }
    }

    /// The first purged page with blocks that begin on it, and the addresses from the first of these to the next
    /// page's.
    fn first_purged_blocks(&self) -> Option<(usize, Range<usize>)> {
        if self.purged() == 0 {
            return None;
        }
        let grid = Grid::of(self);
        let pages = runs(self.purged()).flat_map(|(first, end)| first..end);
        let blocks = |page| self.block_from(grid.page(page))..self.block_from(grid.page(page + 1));
        pages
            .map(|page| (page, blocks(page)))
            .find(|(_, blocks)| !blocks.is_empty())
    }

    /// The addresses of its purged blocks, a range for each run of purged pages.
    pub(crate) fn purged_blocks(&self) -> impl Iterator<Item = Range<usize>> {
        let grid = Grid::of(self);
        let blocks =
            move |(first, end)| self.block_from(grid.page(first))..self.block_from(grid.page(end));
        runs(self.purged()).map(blocks)
    }

    /// Bytes of its pages that were purged and not restored.
    pub(crate) fn purged_bytes(&self) -> usize {
        match self.purged() {
            0 => 0,
            pages => Grid::of(self).bytes(pages),
        }
    }

    /// The pages without a byte of a block in use, but for the one where a row at the pool's end begins and those behind.
    fn vacant(&self, grid: Grid) -> Pages {
        let mut bytes = [0u32; Pages::BITS as usize];
        let mut add = |from: usize, to: usize| {
            let mut at = from;
            while at < to {
                let number = grid.number(at);
                let end = to.min(grid.page(number + 1));
                bytes[number] += (end - at) as u32;
                at = end;
            }
        };
        for block in self.free_blocks() {
            add(block.addr(), block.addr() + self.block_size());
        }
        for blocks in self.purged_blocks() {
            add(blocks.start, blocks.end);
        }
        let mut pages = grid.number(self.bump());
        if self.row_is_empty() || self.has_blocks_behind_its_row() {
            add(self.row().start, self.row().end);
            // What is left behind the last block is no block's ever.
            add(self.end_of_blocks(), grid.page(grid.pages));
            pages = grid.pages;
        }
        let is_full = |number: &usize| bytes[*number] == 1 << grid.shift;
        (0..pages)
            .filter(is_full)
            .fold(0, |set, number| set | 1 << number)
    }

    /// The first block that begins at `address` or above, or where the blocks end that were ever handed out.
    fn block_from(&self, address: usize) -> usize {
        let start = self.start();
        let number = address.saturating_sub(start).div_ceil(self.block_size());
        let end = match self.has_blocks_behind_its_row() {
            true => self.end_of_blocks(),
            false => self.bump(),
        };
        (start + number * self.block_size()).min(end)
    }
}

/// How a pool is divided into pages: the system's, or as many of them together as make it 64.
#[derive(Clone, Copy)]
struct Grid {
    start: usize,
    shift: u32,
    pages: usize,
}

impl Grid {
    fn of(pool: &Pool) -> Self {
        let extent = pool.extent();
        let page = os::page_size().max(extent.len() / Pages::BITS as usize);
        Self {
            start: extent.start,
            shift: page.trailing_zeros(),
            pages: extent.len() >> page.trailing_zeros(),
        }
    }

    /// Where a page begins; page `pages` is the end.
    fn page(self, number: usize) -> usize {
        self.start + (number << self.shift)
    }

    fn number(self, address: usize) -> usize {
        (address - self.start) >> self.shift
    }

    fn bytes(self, pages: Pages) -> usize {
        (pages.count_ones() as usize) << self.shift
    }
}

/// The numbers from `first` up to `end`, which is greater.
fn range(first: usize, end: usize) -> Pages {
    (Pages::MAX >> (Pages::BITS as usize - (end - first))) << first
}

/// The runs of neighbours in a set, each as its first member and the first behind it.
fn runs(mut set: Pages) -> impl Iterator<Item = (usize, usize)> {
    std::iter::from_fn(move || {
        let first = (set != 0).then(|| set.trailing_zeros())?;
        let end = first + (set >> first).trailing_ones();
        set &= Pages::MAX.checked_shl(end).unwrap_or(0);
        Some((first as usize, end as usize))
    })
}
