//! An arena: 2 MiB at a multiple of 2 MiB, whose first page holds the headers of all its pools.
//!
//! ```text
//!  base            base + 4 KiB                  base + 64 KiB           base + 2 MiB
//!   | pool headers, words, |  pool 0                | pool 1 |  ...  | pool 31 |     of small pools
//!   | the arena's own      |  pool 0 (shorter)      | pool 1 | pool 2 | pool 3 |     of medium pools, 512 KiB each
//! ```
//!
//! Masking a block's address gives its arena, and the bits above the pool's size give its pool:
//!
//! ```text
//! arena(block) = block - block mod 2 MiB        pool(block) = (block mod 2 MiB) / pool_size
//! ```
//!
//! With the headers apart, pools are all blocks, and one page tells everything about 2 MiB. Each slice is either a
//! pool (somebody's or abandoned) or free; a free one is *clean* (reads as zero, costs nothing) or *dirty* (may be
//! resident). As sets of slices:
//!
//! ```text
//! dirty is a part of free is a part of all slices
//! ```
//!
//! The fields below `words` belong to whoever holds the lock of the commons.

use std::ptr::{self, NonNull};

use crate::class::{Class, Kind};
use crate::list::{Linked, Links, Ref};
use crate::os::{self, invariant};
use crate::pool::Pool;
use crate::remote::Word;
use crate::sync::Cell;

/// Bytes of an arena, and its alignment: the size of a huge page on the common processors.
pub(crate) const ARENA: usize = 2 << 20;

/// Bytes at the start of an arena that hold no block: one page of 4 KiB, 0.2 % of the arena.
pub(crate) const HEADER: usize = 4 << 10;

const MOST_POOLS: usize = Kind::Small.pools();

/// The header. All-zero bytes are a valid one.
#[repr(C)]
pub(crate) struct Arena {
    pools: [Pool; MOST_POOLS],
    words: [Word; MOST_POOLS],
    kind: Cell<Kind>,
    free: Cell<u32>,
    dirty: Cell<u32>,
    by_free: Links<Self>,
    by_age: Links<Self>,
}

const _: () = {
    assert!(size_of::<Arena>() <= HEADER);
    assert!(MOST_POOLS <= u32::BITS as usize);
    assert!(HEADER < Kind::Small.pool_size() && Kind::Medium.pool_size() < ARENA);
};

/// The list of arenas with the same number of free slices.
pub(crate) const BY_FREE: usize = 0;
/// The list of arenas with dirty slices, the longest dirty first.
pub(crate) const BY_AGE: usize = 1;

impl Linked<BY_FREE> for Arena {
    fn links(&self) -> &Links<Self> {
        &self.by_free
    }
}

impl Linked<BY_AGE> for Arena {
    fn links(&self) -> &Links<Self> {
        &self.by_age
    }
}

impl Arena {
    /// A fresh arena, all of its slices free and clean.
    pub(crate) fn map(kind: Kind) -> Option<Ref<Self>> {
        let at = os::map(ARENA, ARENA)?;
        at.as_ptr().expose_provenance();
        // SAFETY: zeroes are a valid header. The commons unmap an arena only when no block of it is in use, no pool
        // of it has an owner, and it is on none of their lists: nobody is left to follow this.
        let arena = unsafe { Ref::new(at.cast::<Self>()) };
        arena.kind.set(kind);
        arena.free.set(all(kind));
        Some(arena)
    }

    /// # Safety
    /// All slices are free, the arena is on no list, and the caller follows no `Ref` into it any more.
    pub(crate) unsafe fn unmap(arena: Ref<Self>) {
        let Some(at) = NonNull::new(arena.as_ptr()) else {
            return;
        };
        // SAFETY: the caller promises that nobody uses the arena.
        unsafe { os::unmap(at.cast(), ARENA) };
    }

    /// The pool of a block.
    ///
    /// # Safety
    /// `block` is in use and came from a pool of this kind; the result is followed only while it is in use or while
    /// the caller owns the pool.
    #[inline(always)]
    pub(crate) unsafe fn pool_of(block: *mut u8, kind: Kind) -> Ref<Pool> {
        let address = block.expose_provenance();
        let number = (address & (ARENA - 1)) >> kind.pool_shift();
        let header = (address & !(ARENA - 1)) + number * size_of::<Pool>();
        let header = ptr::with_exposed_provenance_mut(header);
        // SAFETY: a block's address is not in the first page of the address space.
        let header = unsafe { NonNull::new_unchecked(header) };
        // SAFETY: the headers are at the arena's start, in the order of their pools; the caller vouches for the rest.
        unsafe { Ref::new(header) }
    }

    /// The arena of a pool's header.
    pub(crate) fn of(pool: &Pool) -> Ref<Self> {
        let address = ptr::from_ref(pool).expose_provenance() & !(ARENA - 1);
        let header = ptr::with_exposed_provenance_mut(address);
        // SAFETY: an arena's address is not null.
        let header = unsafe { NonNull::new_unchecked(header) };
        // SAFETY: a pool's header lies within its arena's, which is mapped as long as the pool's is.
        unsafe { Ref::new(header) }
    }

    fn number(pool: &Pool) -> usize {
        (ptr::from_ref(pool).addr() & (ARENA - 1)) / size_of::<Pool>()
    }

    /// The word of a pool.
    pub(crate) fn word_of(pool: &Pool) -> &Word {
        let arena = Self::of(pool);
        let word: *const Word = &arena.words[Self::number(pool)];
        // SAFETY: the word lives as long as the header beside it.
        unsafe { &*word }
    }

    /// Where the bytes of a pool's slice begin.
    pub(crate) fn slice_start(pool: &Pool) -> *mut u8 {
        Self::of(pool).start_of(Self::number(pool))
    }

    fn start_of(&self, number: usize) -> *mut u8 {
        let base = ptr::from_ref(self).expose_provenance();
        let slice = base + (number << self.kind.get().pool_shift());
        ptr::with_exposed_provenance_mut(slice.max(base + HEADER))
    }

    /// What the commons know of it, under their lock.
    pub(crate) fn kind(&self) -> Kind {
        self.kind.get()
    }

    pub(crate) fn free_slices(&self) -> usize {
        self.free.get().count_ones() as usize
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.free.get() == all(self.kind.get())
    }

    pub(crate) fn is_dirty(&self) -> bool {
        self.dirty.get() != 0
    }

    /// Opens a free slice as a pool of `class`, a dirty one if there is one: it costs no fault.
    pub(crate) fn open(&self, class: Class) -> Ref<Pool> {
        invariant!(self.free.get() != 0 && class.kind() == self.kind.get());
        let choice = if self.is_dirty() {
            self.dirty.get()
        } else {
            self.free.get()
        };
        let number = choice.trailing_zeros() as usize;
        self.free.set(self.free.get() & !(1 << number));
        self.dirty.set(self.dirty.get() & !(1 << number));
        let pool = self.pool(number);
        let slice = self.start_of(number);
        // Slices lie at multiples of their size, except the one behind the header.
        let natural = class.natural_align();
        let start = slice.map_addr(|at| (at + natural - 1) & !(natural - 1));
        let end = slice.map_addr(|at| (at | (self.kind.get().pool_size() - 1)) + 1);
        pool.open(class, start, end);
        pool
    }

    /// Makes a pool without blocks in use a free slice again; returns the bytes of it that may be resident.
    pub(crate) fn close(&self, pool: &Pool) -> usize {
        let bit = 1 << Self::number(pool);
        invariant!(self.free.get() & bit == 0);
        invariant!(pool.used() == 0 && pool.owner().is_null());
        let slice = Self::slice_start(pool).addr();
        let touched = match pool.touched() {
            0 => 0,
            bytes => os::whole_pages(slice + bytes) - slice,
        };
        pool.set_stale(touched);
        self.free.set(self.free.get() | bit);
        if touched > 0 {
            self.dirty.set(self.dirty.get() | bit);
        }
        touched
    }

    /// Bytes of its dirty slices.
    pub(crate) fn dirty_bytes(&self) -> usize {
        bits(self.dirty.get())
            .map(|number| self.pools[number].stale())
            .sum()
    }

    /// Gives the dirty slices back, one call for each run of neighbours; returns the bytes given back. Where the
    /// kernel refuses, the slices stay dirty.
    pub(crate) fn purge(&self) -> usize {
        let mut given = 0;
        while self.is_dirty() {
            let first = self.dirty.get().trailing_zeros() as usize;
            let run = (self.dirty.get() >> first).trailing_ones() as usize;
            let last = first + run - 1;
            let slice = self.start_of(first);
            // Where a page is larger than the header, they share one; what is skipped stays as it is.
            let start = slice.map_addr(os::whole_pages);
            let end = self.start_of(last).wrapping_add(self.pools[last].stale());
            let len = end.addr().saturating_sub(start.addr());
            let Some(at) = NonNull::new(start) else { break };
            // SAFETY: the slices are free and the lock is held, so nobody needs their contents; from `start` to
            // `end` they are whole pages.
            if len > 0 && !unsafe { os::discard(at, len) } {
                break;
            }
            for number in first..=last {
                let pool = &self.pools[number];
                given += pool.stale();
                pool.set_stale(0);
                self.dirty.set(self.dirty.get() & !(1 << number));
            }
            self.pools[first].set_stale(start.addr() - slice.addr());
        }
        given
    }

    /// All pools that are not free slices.
    pub(crate) fn open_pools(&self) -> impl Iterator<Item = &Pool> {
        bits(all(self.kind.get()) & !self.free.get()).map(|number| &self.pools[number])
    }

    fn pool(&self, number: usize) -> Ref<Pool> {
        // SAFETY: a header is there as long as its arena; see `map`.
        unsafe { Ref::new(NonNull::from_ref(&self.pools[number])) }
    }
}

const fn all(kind: Kind) -> u32 {
    u32::MAX >> (u32::BITS as usize - kind.pools())
}

fn bits(mut set: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let number = (set != 0).then(|| set.trailing_zeros() as usize)?;
        set &= set - 1;
        Some(number)
    })
}
