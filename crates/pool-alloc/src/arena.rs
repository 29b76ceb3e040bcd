//! An arena: 2 MiB at a multiple of 2 MiB, cut into 32 slices of 64 KiB, whose first page holds the headers of all pools.
//!
//! ```text
//!  base            base + 4 KiB          base + 64 KiB                              base + 2 MiB
//!   | pools' headers,      |  slice 0     | slice 1 | slice 2 | slice 3 |  ...  | slice 31 |
//!   | words and owners;    |  one pool    | a pool  |   a pool of two   |
//!   | the arena's own      |              |         |                   |
//! ```
//!
//! A pool is 1, 2, 4 or 8 slices, at a multiple of its size, and its header is that of its first slice. Masking a block's
//! address gives its arena, and the bits above a slice's size, but for those within the pool, give its pool:
//!
//! ```text
//! arena(block) = block - block mod 2 MiB        pool(block) = (block mod 2 MiB) / 64 KiB, rounded down to the span
//! ```
//!
//! With the headers apart, pools are all blocks, and one page tells everything about 2 MiB. What becomes of the slices
//! is told in `slices`.
//!
//! The fields below `begun` belong to whoever holds the lock of the commons.

#[path = "arena/slices.rs"]
mod slices;

use std::mem::offset_of;
use std::ops::Range;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::Relaxed;

use crate::class::{Class, Span};
use crate::hardened::{self, Live};
use crate::list::{Linked, Links, Ref};
use crate::os::{self, invariant};
use crate::pool::Pool;
use crate::remote::Word;
use crate::sync::{AtomicOwner, AtomicU32, AtomicU64};
use slices::Slices;
pub(crate) use slices::{Dirt, Opened, Pages, Place};

/// Bytes of an arena, and its alignment: the size of a huge page on the common processors.
pub(crate) const ARENA: usize = 2 << 20;

/// Bytes of a slice: the least pool.
pub(crate) const SLICE: usize = 64 << 10;

/// Slices of an arena.
pub(crate) const SLICES: usize = ARENA / SLICE;

/// Bytes of the arena's own at its start: one page of 4 KiB, 0.2 % of the arena.
const OWN: usize = 4 << 10;

/// Bytes at the start of an arena that hold no block: its own, and what a hardened one knows of each block.
pub(crate) const HEADER: usize = OWN + size_of::<Live>();

/// Bytes of a cache line, on the common processors.
pub(crate) const LINE: usize = 64;

/// The header. All-zero bytes are a valid one.
#[repr(C)]
pub(crate) struct Arena {
    pools: [Pool; SLICES],
    words: [Word; SLICES],
    /// Of each pool the owner (`pool::owner`): its own to write, everyone's to read.
    owners: [AtomicOwner; SLICES],
    /// Of each pool the pages that were swept: its owner's to write, everyone's to read.
    purged: [AtomicU64; SLICES],
    /// The slices where pools begin: everyone's to read.
    begun: AtomicU32,
    slices: Slices,
    by_free: Links<Self>,
    by_age: Links<Self>,
}

const _: () = {
    assert!(size_of::<Arena>() <= OWN);
    // Whoever reads the owners takes no line from those who write to the headers, or to the words.
    assert!(offset_of!(Arena, owners).is_multiple_of(LINE));
    assert!(offset_of!(Arena, purged).is_multiple_of(LINE));
    assert!(HEADER < SLICE);
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
    pub(crate) fn map(pages: Pages) -> Option<Ref<Self>> {
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
        arena
            .slices
            .begin(if is_huge { Pages::Huge } else { Pages::Usual });
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
    /// `block` is in use and came from a pool of this span; the result is followed only while it is in use or while
    /// the caller owns the pool.
    #[inline(always)]
    pub(crate) unsafe fn pool_of(block: *mut u8, span: Span) -> Ref<Pool> {
        let number = Self::slice_around(block) & !(span.slices() - 1);
        // SAFETY: as promised by the caller.
        unsafe { Self::header(block, number) }
    }

    /// The pool of a block of which no more is known. What the arena says of that is not changed while it is in use.
    ///
    /// # Safety
    /// As above.
    #[inline(always)]
    pub(crate) unsafe fn pool_around(block: *mut u8) -> Ref<Pool> {
        let arena: *const Self =
            ptr::with_exposed_provenance(block.expose_provenance() & !(ARENA - 1));
        // SAFETY: the arena of a block in use is mapped.
        let begun = unsafe { &(*arena).begun };
        let up_to = u32::MAX >> (SLICES - 1 - Self::slice_around(block));
        let number = (begun.load(Relaxed) & up_to | 1).ilog2() as usize;
        // SAFETY: as promised by the caller.
        unsafe { Self::header(block, number) }
    }

    /// The number of the slice that an address is in.
    #[inline(always)]
    fn slice_around(address: *mut u8) -> usize {
        (address.addr() & (ARENA - 1)) / SLICE
    }

    /// The header of this number in the arena around an address.
    ///
    /// # Safety
    /// The arena is mapped, and stays so while the result is followed.
    #[inline(always)]
    unsafe fn header(address: *mut u8, number: usize) -> Ref<Pool> {
        let arena = address.expose_provenance() & !(ARENA - 1);
        let header = ptr::with_exposed_provenance_mut(arena + number * size_of::<Pool>());
        // SAFETY: a block's address is not in the first page of the address space.
        let header = unsafe { NonNull::new_unchecked(header) };
        // SAFETY: the headers are at the arena's start, in the order of their slices; the caller vouches for the rest.
        unsafe { Ref::new(header) }
    }

    /// The arena of a pool's header.
    #[inline(always)]
    pub(crate) fn of(pool: &Pool) -> Ref<Self> {
        let address = ptr::from_ref(pool).expose_provenance() & !(ARENA - 1);
        let header = ptr::with_exposed_provenance_mut(address);
        // SAFETY: an arena's address is not null.
        let header = unsafe { NonNull::new_unchecked(header) };
        // SAFETY: a pool's header lies within its arena's, which is mapped as long as the pool's is.
        unsafe { Ref::new(header) }
    }

    #[inline(always)]
    fn number(pool: &Pool) -> usize {
        let header = ptr::from_ref(pool).addr() / size_of::<Pool>();
        invariant!(header % (ARENA / size_of::<Pool>()) < SLICES);
        header % SLICES
    }

    /// The word of a pool.
    pub(crate) fn word_of(pool: &Pool) -> &Word {
        &Self::around(pool).words[Self::number(pool)]
    }

    /// The owner of a pool.
    #[inline(always)]
    pub(crate) fn owner_of(pool: &Pool) -> &AtomicOwner {
        &Self::around(pool).owners[Self::number(pool)]
    }

    /// The set of a pool's pages that were swept.
    pub(crate) fn purged_of(pool: &Pool) -> &AtomicU64 {
        &Self::around(pool).purged[Self::number(pool)]
    }

    #[inline(always)]
    fn around(pool: &Pool) -> &Self {
        // SAFETY: the arena lives as long as the header in it.
        unsafe { &*Self::of(pool).as_ptr() }
    }

    /// Where the bytes of a pool's slices begin.
    pub(crate) fn slice_start(pool: &Pool) -> *mut u8 {
        Self::of(pool).start_of(Self::number(pool))
    }

    fn start_of(&self, number: usize) -> *mut u8 {
        let base = ptr::from_ref(self).expose_provenance();
        ptr::with_exposed_provenance_mut((base + number * SLICE).max(base + HEADER))
    }

    /// Where the first block of a class lies in a pool's slices.
    pub(crate) fn start_of_blocks(pool: &Pool, class: Class) -> *mut u8 {
        // Pools lie at multiples of their size, except the one behind the header.
        Self::slice_start(pool).map_addr(|at| at.next_multiple_of(class.natural_align()))
    }

    /// The addresses of a pool's slices, were it of this span; of the arena's first one, the header is included.
    pub(crate) fn extent_of(pool: &Pool, span: Span) -> Range<usize> {
        let start = Self::slice_start(pool).addr() & !(SLICE - 1);
        start..start + span.bytes()
    }

    /// A pool begins at a slice.
    fn begin_pool(&self, number: usize) {
        self.begun
            .store(self.begun.load(Relaxed) | 1 << number, Relaxed);
    }

    /// It ends.
    fn end_pool(&self, number: usize) {
        self.begun
            .store(self.begun.load(Relaxed) & !(1 << number), Relaxed);
    }

    /// All pools that are open.
    pub(crate) fn open_pools(&self) -> impl Iterator<Item = Ref<Pool>> {
        slices::bits(self.begun.load(Relaxed)).map(|number| self.pool(number))
    }

    fn pool(&self, number: usize) -> Ref<Pool> {
        // SAFETY: a header is there as long as its arena; see `map`.
        unsafe { Ref::new(NonNull::from_ref(&self.pools[number])) }
    }
}
