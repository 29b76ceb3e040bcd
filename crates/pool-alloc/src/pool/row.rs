//! The row: blocks of a pool that are free, side by side, and have no links.
//!
//! ```text
//! row = [bump, limit)                     none is offered where bump >= limit
//! ```
//!
//! Of a row on pages that were never touched only the first page is *offered*, and the row *goes on* behind the limit, up to
//! the pool's end: before the next page is touched, what others freed is collected, and the heap's partial pools are turned
//! to. Blocks lie at multiples of 8, so a limit that is one less ends what is offered at the same block, and says so.
//!
//! At first it is the whole pool, and its blocks are *untouched*. In a pool that was full, it begins anew where the first
//! block is the first to come back, and each that follows in order lengthens it, where rows are wanted
//! (`heap::back`). What is dropped in the order in which it was built is freed without being touched then.
//!
//! A pool whose blocks come back so has an owner that the usual way of a block back does not know (`owner`), so that this
//! way needs no question of its own.

use std::ops::Range;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::{Relaxed, Release};
use std::sync::atomic::compiler_fence;

use super::{Block, Pool};
use crate::arena::Arena;
use crate::os::{self, invariant};
use crate::sweep;

/// What the limit of a row that goes on is less by.
const GOES_ON: usize = 1;

impl Pool {
    /// The row is empty.
    pub(crate) fn row_is_empty(&self) -> bool {
        self.bump() >= self.row_end()
    }

    /// Nothing of the row is offered.
    pub(crate) fn offers_nothing(&self) -> bool {
        self.bump.load(Relaxed) >= self.limit.get()
    }

    /// The row goes on behind what is offered of it.
    pub(crate) fn row_goes_on(&self) -> bool {
        self.limit.get().addr() & GOES_ON != 0
    }

    fn row_end(&self) -> usize {
        match self.row_goes_on() {
            true => self.end_of_blocks(),
            false => self.limit.get().addr(),
        }
    }

    /// Makes all of a pool without a block in use the row.
    pub(super) fn begin_first_row(&self) {
        self.limit
            .set(self.bump.load(Relaxed).wrapping_sub(GOES_ON));
        self.offer_more();
    }

    /// Offers the blocks on the next page of a row that goes on, or on all pages that may be resident.
    pub(super) fn offer_more(&self) {
        invariant!(self.offers_nothing() && self.row_goes_on());
        let (bump, size, end) = (
            self.bump.load(Relaxed),
            self.block_size(),
            self.end_of_blocks(),
        );
        let page = os::whole_pages(bump.addr() + size);
        let offered = page.max(Arena::of(self).resident_end(self)).min(end);
        let limit = bump.wrapping_add((offered - bump.addr()) / size * size);
        let goes_on = if limit.addr() < end { GOES_ON } else { 0 };
        self.limit.set(limit.wrapping_sub(goes_on));
    }

    /// Behind the row are blocks that were handed out, as in a pool that was full. Else all others are before it.
    pub(crate) fn has_blocks_behind_its_row(&self) -> bool {
        self.row_end() < self.end_of_blocks()
    }

    /// The addresses of the row.
    pub(crate) fn row(&self) -> Range<usize> {
        self.bump()..self.row_end()
    }

    /// Empties the row. Its blocks are in nobody's hand then, and on no list.
    pub(crate) fn dissolve_row(&self) {
        invariant!(!self.row_goes_on());
        self.bump.store(self.limit.get(), Relaxed);
        // Before they are listed, should another thread fork here (see `fork`).
        compiler_fence(Release);
    }

    /// Whether this block, which is in use, is the one that follows the row.
    #[inline(always)]
    pub(crate) fn is_next_in_order(&self, block: *mut Block) -> bool {
        block.cast() == self.limit.get()
    }

    /// Takes back the block that follows the row, without touching it; true as for `put`.
    ///
    /// # Safety
    /// As for `put`, and it is that block.
    #[inline(always)]
    pub(crate) unsafe fn put_in_order(&self) -> bool {
        invariant!(self.used() > 0);
        let longer = self.limit.get().wrapping_add(self.block_size());
        invariant!(longer.addr() <= self.end_of_blocks());
        // As in `push`: it is back before it is counted.
        self.limit.set(longer);
        compiler_fence(Release);
        self.count_back()
    }

    /// Whether the block at this address is the pool's first: it lies at the slice's start or, where the header is, less
    /// than its own size behind.
    pub(crate) fn begins_with(&self, block: *mut Block) -> bool {
        block.addr() - Arena::slice_start(self).addr() < self.block_size()
    }

    /// Begins an empty row at `block`, which its holder is about to free.
    ///
    /// # Safety
    /// The pool is the caller's and full, and `block` is its first one.
    pub(crate) unsafe fn begin_row(&self, block: *mut Block) {
        invariant!(self.next_is_missing() && self.begins_with(block));
        let end = self.limit.get().addr() - Arena::slice_start(self).addr();
        self.set_stale(self.stale().max(end));
        // In this order, should another thread fork here (see `fork`): the row is empty all the time.
        self.limit.set(block.cast());
        compiler_fence(Release);
        self.bump.store(block.cast(), Relaxed);
    }

    /// Gives back the pages that may be resident beyond so many bytes of a pool without a block in use, if what is there is
    /// left of an earlier use; false where it is not, or the kernel refuses.
    pub(crate) fn trims_to(&self, bytes: usize) -> bool {
        let first = os::whole_pages(Arena::slice_start(self).addr() + bytes);
        self.bump() <= first && self.gives_back_row_from(first)
    }

    /// Gives back the pages of a row at the pool's end, where they are pages of their own: they may be resident from an
    /// earlier use, or since they were populated.
    pub(crate) fn give_back_row(&self) {
        if !self.row_is_empty() {
            self.gives_back_row_from(os::whole_pages(self.bump()));
        }
    }

    /// Gives back the pages of a row at the pool's end, from this one on; false where there is none, or they cannot go.
    fn gives_back_row_from(&self, first: usize) -> bool {
        if self.has_blocks_behind_its_row() || Arena::of(self).is_resident_as_a_whole() {
            return false;
        }
        let start = Arena::slice_start(self).addr();
        let end = os::whole_pages(start + self.stale());
        if end <= first {
            return true; // nothing is there
        }
        let Some(at) = NonNull::new(ptr::with_exposed_provenance_mut(first)) else {
            return false;
        };
        // SAFETY: they are whole pages of the owner's pool, and nothing of them is in use.
        let is_given = unsafe { os::discard(at, end - first) };
        if is_given {
            self.set_stale(first - start);
            sweep::count(end - first);
            self.offer_less();
        }
        is_given
    }

    /// Nothing of the row, which ends the pool, is offered before it is asked for: its pages are no longer there.
    fn offer_less(&self) {
        invariant!(!self.has_blocks_behind_its_row() && !self.row_is_empty());
        self.limit
            .set(self.bump.load(Relaxed).wrapping_sub(GOES_ON));
    }
}
