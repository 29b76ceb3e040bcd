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
//! pool (somebody's or abandoned) or free; a free one is *clean* (reads as zero, costs nothing), *dirty* (may be
//! resident), or *fresh*: never opened, but on the arena's huge page, which comes as a whole when any of it is touched.
//! As sets of slices:
//!
//! ```text
//! dirty and fresh are parts of free, without a common member; free is a part of all slices
//! ```
//!
//! Fresh slices are what a growing heap will use next. When it does not grow, they *settle*: they become dirty ones.
//!
//! The fields below `words` belong to whoever holds the lock of the commons.

use std::ops::Range;
use std::ptr::{self, NonNull};

use crate::class::{Class, Kind};
use crate::hardened::{self, Live};
use crate::list::{Linked, Links, Ref};
use crate::os::{self, invariant};
use crate::pool::Pool;
use crate::remote::Word;
use crate::sweep;
use crate::sync::{AtomicU64, Cell};

/// Bytes of an arena, and its alignment: the size of a huge page on the common processors.
pub(crate) const ARENA: usize = 2 << 20;

/// Bytes of the arena's own at its start: one page of 4 KiB, 0.2 % of the arena.
const OWN: usize = 4 << 10;

/// Bytes at the start of an arena that hold no block: its own, and what a hardened one knows of each block.
pub(crate) const HEADER: usize = OWN + size_of::<Live>();

const MOST_POOLS: usize = Kind::Small.pools();

/// The header. All-zero bytes are a valid one.
#[repr(C)]
pub(crate) struct Arena {
    pools: [Pool; MOST_POOLS],
    words: [Word; MOST_POOLS],
    /// Of each pool the pages that were swept: its owner's to write, everyone's to read.
    purged: [AtomicU64; MOST_POOLS],
    kind: Cell<Kind>,
    pages: Cell<Pages>,
    free: Cell<u32>,
    dirty: Cell<u32>,
    fresh: Cell<u32>,
    by_free: Links<Self>,
    by_age: Links<Self>,
}

const _: () = {
    assert!(size_of::<Arena>() <= OWN);
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

/// The pages that an arena is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Pages {
    /// Of the system's usual size: what is touched is resident.
    Usual = 0,
    /// One for all of the arena: it is resident as a whole, at the price of one fault.
    Huge,
    /// As `Huge`, until something of it was given back.
    Broken,
}

impl Arena {
    /// A fresh arena, all of its slices free and clean.
    pub(crate) fn map(kind: Kind, pages: Pages) -> Option<Ref<Self>> {
        let at = os::map(ARENA, ARENA)?;
        let is_huge = match pages {
            // SAFETY: the arena has just been mapped.
            Pages::Huge => unsafe { os::advise_huge(at, ARENA) },
            _ => {
                // Where the system gives huge pages without being asked, a small heap wants none all the same.
                // SAFETY: as above.
                unsafe { os::advise_usual(at, ARENA) };
                false
            }
        };
        at.as_ptr().expose_provenance();
        hardened::arena_begins(at);
        // SAFETY: zeroes are a valid header. The commons unmap an arena only when no block of it is in use, no pool
        // of it has an owner, and it is on none of their lists: nobody is left to follow this.
        let arena = unsafe { Ref::new(at.cast::<Self>()) };
        arena.kind.set(kind);
        arena.free.set(all(kind));
        if is_huge {
            arena.pages.set(Pages::Huge);
            arena.fresh.set(all(kind));
        }
        Some(arena)
    }

    /// # Safety
    /// All slices are free, the arena is on no list, and the caller follows no `Ref` into it any more.
    pub(crate) unsafe fn unmap(arena: Ref<Self>) {
        let Some(at) = NonNull::new(arena.as_ptr()) else {
            return;
        };
        hardened::arena_ends(at.cast());
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

    /// The kind of the pool of a block. It is written once, before the arena has a pool.
    ///
    /// # Safety
    /// `block` is in use and came from a pool.
    #[inline(always)]
    pub(crate) unsafe fn kind_of(block: *mut u8) -> Kind {
        let header = block.expose_provenance() & !(ARENA - 1);
        let header: *const Self = ptr::with_exposed_provenance(header);
        // SAFETY: the arena of a block in use is mapped.
        unsafe { (*header).kind.get() }
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
        &Self::around(pool).words[Self::number(pool)]
    }

    /// The set of a pool's pages that were swept.
    pub(crate) fn purged_of(pool: &Pool) -> &AtomicU64 {
        &Self::around(pool).purged[Self::number(pool)]
    }

    fn around(pool: &Pool) -> &Self {
        // SAFETY: the arena lives as long as the header in it.
        unsafe { &*Self::of(pool).as_ptr() }
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
        self.fresh.set(self.fresh.get() & !(1 << number));
        let pool = self.pool(number);
        let start = Self::start_of_blocks(&pool, class);
        pool.open(class, start, start.with_addr(Self::slice_of(&pool).end));
        pool
    }

    /// Where the first block of a class lies in a pool's slice.
    pub(crate) fn start_of_blocks(pool: &Pool, class: Class) -> *mut u8 {
        // Slices lie at multiples of their size, except the one behind the header.
        Self::slice_start(pool).map_addr(|at| at.next_multiple_of(class.natural_align()))
    }

    /// The addresses of a pool's slice; in that of the arena's first one, the header is included.
    pub(crate) fn slice_of(pool: &Pool) -> Range<usize> {
        let size = Self::of(pool).kind().pool_size();
        let start = Self::slice_start(pool).addr() & !(size - 1);
        start..start + size
    }

    /// Makes a pool without blocks in use a free slice again; returns the bytes of it that may be resident.
    pub(crate) fn close(&self, pool: &Pool) -> usize {
        let bit = 1 << Self::number(pool);
        invariant!(self.free.get() & bit == 0);
        invariant!(pool.used() == 0 && pool.owner().is_null());
        hardened::pool_ends(pool);
        let slice = Self::slice_start(pool);
        let mut touched = self.touched_bytes(pool);
        if pool.purged() != 0 {
            // Little of it is resident, and so that a slice need not remember its holes, that goes now.
            let resident = self.resident_bytes(pool);
            pool.set_purged(0);
            touched = Self::discard(slice, touched);
            sweep::count(resident.saturating_sub(touched));
        }
        pool.set_stale(touched);
        self.free.set(self.free.get() | bit);
        if touched > 0 {
            self.dirty.set(self.dirty.get() | bit);
        }
        touched
    }

    /// Bytes of an open pool's slice that may be resident.
    pub(crate) fn resident_bytes(&self, pool: &Pool) -> usize {
        // A sweep takes the page behind the last block, too, which nobody touches.
        self.touched_bytes(pool).saturating_sub(pool.purged_bytes())
    }

    /// Whether nothing of an open pool's slice can be resident.
    pub(crate) fn is_untouched(&self, pool: &Pool) -> bool {
        self.touched_bytes(pool) == 0
    }

    /// Whether what is touched says nothing of what is resident: there is a huge page, or was.
    pub(crate) fn is_resident_as_a_whole(&self) -> bool {
        self.pages.get() != Pages::Usual
    }

    /// Bytes of an open pool's slice, from its start, that may be resident but for purged pages.
    fn touched_bytes(&self, pool: &Pool) -> usize {
        let slice = Self::slice_start(pool).addr();
        match pool.touched() {
            _ if self.is_resident_as_a_whole() => Self::slice_of(pool).end - slice,
            0 => 0,
            bytes => os::whole_pages(slice + bytes) - slice,
        }
    }

    /// Bytes of its fresh slices.
    pub(crate) fn fresh_bytes(&self) -> usize {
        self.fresh.get().count_ones() as usize * self.kind.get().pool_size()
    }

    /// Makes its fresh slices dirty; returns their bytes.
    pub(crate) fn settle(&self) -> usize {
        let fresh = self.fresh.replace(0);
        self.dirty.set(self.dirty.get() | fresh);
        let bytes = |number| {
            let pool = &self.pools[number];
            let stale = Self::slice_of(pool).end - self.start_of(number).addr();
            pool.set_stale(stale);
            stale
        };
        bits(fresh).map(bytes).sum()
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
        self.break_page();
        let mut given = 0;
        while self.is_dirty() {
            let first = self.dirty.get().trailing_zeros() as usize;
            let run = (self.dirty.get() >> first).trailing_ones() as usize;
            let last = first + run - 1;
            let slice = self.start_of(first);
            let end = self.start_of(last).wrapping_add(self.pools[last].stale());
            let len = end.addr() - slice.addr();
            let left = Self::discard(slice, len);
            if left == len {
                break;
            }
            for number in first..=last {
                let pool = &self.pools[number];
                given += pool.stale();
                pool.set_stale(0);
                self.dirty.set(self.dirty.get() & !(1 << number));
            }
            self.pools[first].set_stale(left);
        }
        given
    }

    /// Before some of a huge page goes: the rest is from now on pages of the usual size, else a thread of the kernel
    /// makes a huge one of them again, and what was given back is resident once more.
    fn break_page(&self) {
        if self.pages.get() == Pages::Huge {
            self.pages.set(Pages::Broken);
            let at = NonNull::from_ref(self).cast();
            // SAFETY: this is the arena's mapping.
            unsafe { os::advise_usual(at, ARENA) };
        }
    }

    /// Gives the first `len` bytes of free slices back, up to the end of a page; returns how many at the front stay
    /// resident: none, or where a page is larger than the header, what shares one with it, or all if the kernel
    /// refuses. Under the lock.
    fn discard(slice: *mut u8, len: usize) -> usize {
        let start = slice.map_addr(os::whole_pages);
        let shared = start.addr() - slice.addr();
        match NonNull::new(start) {
            // SAFETY: the slices are free and the lock is held, so nobody needs their contents; from `start` on they
            // are whole pages.
            Some(at) if len > shared && unsafe { os::discard(at, len - shared) } => shared,
            _ => len,
        }
    }

    /// All pools that are not free slices.
    pub(crate) fn open_pools(&self) -> impl Iterator<Item = Ref<Pool>> {
        bits(all(self.kind.get()) & !self.free.get()).map(|number| self.pool(number))
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
