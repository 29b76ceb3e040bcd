//! Wide caches: those of the classes whose pools are several slices wide.
//!
//! Such a pool holds two to six blocks. Where these come and go, it is full, claimed and empty again every few of them: each time
//! the lock is taken, and what is given back in between has to be fetched. So these classes have caches in a small heap, too,
//! which follow rules of their own:
//!
//! ```text
//! open      when a refill has followed on a block that came back REFILLS times: that of the class that is refilled next, as far
//!           as BYTES go; none with a limit of the reserve
//! closed    after ROW blocks that came back in a row; after IDLE pools of other classes were needed, or large blocks freed, with
//!           no such block in between; with the other caches, when something small is dropped; when all is to go back
//! a cache   <= BLOCKS blocks
//! ```
//!
//! All of this is about blocks of wide classes. *In a row* is with none handed out in between, as far as that is seen: by a
//! refill, or by a cache that has less than after the last block. Of a class without a cache, what came back is seen where its
//! pool was full, or is empty now. So growth opens no cache, and a drop of many blocks leaves nothing in one; of a few, what
//! is in them stays until the thread goes on for a while, or ends, and with it the pools that it is of.

use std::ptr;

use super::Heap;
use super::caches::Caches;
use crate::class::{CLASSES, Class, WIDE_CLASSES};
use crate::commons;
use crate::hardened;
use crate::sync::Cell;

/// Fewer open caches for what comes and goes but a few times, more take longer.
const REFILLS: u32 = 8;

/// Fewer close caches where blocks come and go at random, more keep more of what is dropped.
const ROW: u32 = 16;

/// Blocks in a cache. Where they come and go at random, each halves what goes to pools, about; more keep more.
const BLOCKS: usize = 3;

/// More keep longer what a thread has no use for any more.
const IDLE: u32 = 256;

/// What the blocks in all of them may have: what a thread that comes to rest keeps.
const BYTES: usize = 1 << 20;

/// See the top of this file.
pub(super) struct Wide {
    are_open: Cell<bool>,
    /// Refills since the last drop, of those that followed on a block that came back.
    refills: Cell<u32>,
    /// Blocks that came back in a row.
    row: Cell<u32>,
    /// What else the heap has done since one came back.
    idle: Cell<u32>,
    /// How many blocks were in each cache when the last one was put there.
    levels: [Cell<u8>; WIDE_CLASSES],
}

impl Wide {
    pub(super) const fn new() -> Self {
        Self {
            are_open: Cell::new(false),
            refills: Cell::new(0),
            row: Cell::new(0),
            idle: Cell::new(0),
            levels: [const { Cell::new(0) }; WIDE_CLASSES],
        }
    }

    pub(super) fn are_open(&self) -> bool {
        self.are_open.get()
    }

    fn level(&self, class: Class) -> &Cell<u8> {
        &self.levels[class.index() - (CLASSES - WIDE_CLASSES)]
    }
}

impl Caches {
    /// What there may be in wide caches.
    fn wide_bytes(&self) -> usize {
        let wide = self.each().skip(CLASSES - WIDE_CLASSES);
        wide.map(|(class, cache)| cache.capacity() * class.block_size())
            .sum()
    }
}

impl Heap {
    /// A block of a wide class is needed, and there is none at hand.
    pub(super) fn refills_wide(&self, class: Class) {
        let wide = self.caches.wide();
        wide.idle.set(0);
        if wide.row.replace(0) > 0 {
            wide.refills.set(wide.refills.get().saturating_add(1));
        }
        let cache = self.caches.of(class);
        if wide.refills.get() < REFILLS || cache.capacity() > 0 {
            return;
        }
        cache.open(BLOCKS.min((BYTES - self.caches.wide_bytes()) / class.block_size()));
        wide.are_open.set(true);
    }

    /// As `free_to_cache`, for a wide class.
    ///
    /// # Safety
    /// As there.
    pub(super) unsafe fn free_to_wide_cache(&self, block: *mut u8, class: Class) -> bool {
        let (wide, cache) = (self.caches.wide(), self.caches.of(class));
        if cache.capacity() == 0 {
            return false;
        }
        let level = wide.level(class);
        if cache.blocks() < level.get().into() {
            wide.row.set(0);
        }
        self.lengthen_row();
        // SAFETY: as promised by the caller.
        let is_kept = unsafe { self.put_in_cache(block, class) };
        level.set(cache.blocks() as u8);
        is_kept
    }

    /// A block of the class's cache, if it is wide and has one, for who would rather have a fresh one: what waits there would
    /// never go out where all that is asked for has to be zero.
    pub(super) fn take_wide_cached(&self, class: Class) -> *mut u8 {
        if !class.is_wide() || !self.leads_to_cache(class) {
            return ptr::null_mut();
        }
        let block = self.current.first_of(class).take();
        if !block.is_null() {
            self.blocks.handed_out();
        }
        block
    }

    /// A pool of a wide class was full, or is empty now.
    pub(super) fn wide_came_back(&self, class: Class) {
        if self.caches.of(class).capacity() == 0 {
            self.lengthen_row();
        }
    }

    fn lengthen_row(&self) {
        let wide = self.caches.wide();
        wide.idle.set(0);
        wide.row.set(wide.row.get().saturating_add(1));
        if wide.row.get() >= ROW || !may_be_open() {
            self.close_wide_caches();
        }
    }

    /// The heap does something else.
    pub(crate) fn pass_wide_by(&self) {
        let wide = self.caches.wide();
        if !wide.are_open() {
            return;
        }
        wide.idle.set(wide.idle.get() + 1);
        if wide.idle.get() >= IDLE || !may_be_open() {
            self.close_wide_caches();
        }
    }

    /// Sends the blocks in wide caches to their pools.
    pub(crate) fn close_wide_caches(&self) {
        let wide = self.caches.wide();
        wide.refills.set(0);
        wide.row.set(0);
        if wide.are_open.replace(false) {
            self.empty_caches(Class::is_wide);
            for level in &wide.levels {
                level.set(0);
            }
        }
    }
}

/// A limit of what is kept is one of what threads keep, too.
fn may_be_open() -> bool {
    hardened::CACHES && !commons::TOLD.is_limited()
}
