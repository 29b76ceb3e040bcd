//! A thread cache of one class: a pool that has no slice, made of blocks of others (`caches`).
//!
//! ```text
//! its free list      the blocks in it                 stale    how many it takes in all
//! its blocks in use  those that it would still take   mark     requests that have found nothing since one was put there
//! ```

use std::ptr::NonNull;
use std::sync::atomic::Ordering::Release;
use std::sync::atomic::compiler_fence;

use crate::pool::{Block, Pool};

/// See the top of this file. In one line of the processor's cache, so that a block costs no more.
#[repr(align(64))]
pub(super) struct Cache(Pool);

impl Cache {
    /// Shut, and empty.
    pub(super) const fn new() -> Self {
        Self(Pool::none())
    }

    /// What takes a block from a pool takes one from here.
    pub(super) fn as_pool(&self) -> &Pool {
        &self.0
    }

    #[inline(always)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.lists_nothing()
    }

    /// Counts a request that has found nothing; returns how many have since a block was put here.
    pub(super) fn missed(&self) -> u16 {
        let misses = self.0.mark() + 1;
        self.0.mark_as_cell().set(misses);
        misses
    }

    /// No request has.
    pub(super) fn forget_misses(&self) {
        self.0.mark_as_cell().set(0);
    }

    /// How many more blocks it takes.
    #[inline(always)]
    pub(super) fn room(&self) -> u32 {
        self.0.used()
    }

    /// Lets it take so many blocks, if it is empty: it is shut then, or has room as it is.
    pub(super) fn open(&self, blocks: usize) {
        if self.is_empty() {
            self.0.set_used(blocks as u32);
            self.0.set_stale(blocks);
        }
    }

    /// Lets it take none, once it is empty.
    pub(super) fn shut(&self) {
        self.0.set_used(0);
        self.0.set_stale(0);
    }

    /// How many blocks it takes in all; none while it is shut.
    pub(super) fn capacity(&self) -> usize {
        self.0.stale()
    }

    /// How many blocks are in it. Others may ask, too.
    pub(super) fn blocks(&self) -> usize {
        self.capacity().saturating_sub(self.room() as usize)
    }

    /// # Safety
    /// There is room. `block` is in use, of this cache's class, and the caller is done with it.
    #[inline(always)]
    pub(super) unsafe fn put(&self, block: *mut u8) {
        // SAFETY: as promised by the caller; a block has room for a link.
        let _full = unsafe { self.0.put(block.cast()) };
    }

    /// The block that was put there last.
    pub(super) fn take(&self) -> Option<NonNull<Block>> {
        let block = NonNull::new(self.0.take().cast());
        // Before it gets another link, should another thread fork here (see `fork`).
        compiler_fence(Release);
        block
    }
}
