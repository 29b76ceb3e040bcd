//! Slices: which of an arena's belong to pools, and what may be resident of those that do not.
//!
//! Each slice is part of an open pool (somebody's or abandoned), of a *vacant* one, or free. Of a vacant one nobody needs what
//! is there, but it is still on a list of the heap that laid it aside (`remote`): when that finds out, its slices are free. A
//! free one is *clean* (reads as zero, costs nothing), *dirty* (may be resident), as a vacant one may be, or *fresh*: never
//! opened, but on the arena's huge page, which comes as a whole when any of it is touched. As sets of slices:
//!
//! ```text
//! all = open + vacant + free          dirty is a part of vacant + free; fresh is a part of free; they have no common member
//! ```
//!
//! Fresh slices are what a growing heap will use next. When it does not grow, they *settle*: they become dirty ones.
//!
//! Pools of all spans lie in one arena, so that what one class gives up serves any other. A pool is opened where slices are
//! dirty, which spares it the faults, else at the first place.

use std::ptr::NonNull;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use super::{ARENA, Arena, SLICE, SLICES};
use crate::class::{Class, Span};
use crate::hardened;
use crate::list::Ref;
use crate::os::{self, invariant};
use crate::pool::Pool;
use crate::sweep;
use crate::sync::Cell;

/// See the top of this file.
pub(super) struct Slices {
    /// Bytes from its start that may be resident, of each that is dirty.
    stale: [Cell<u32>; SLICES],
    free: Cell<u32>,
    dirty: Cell<u32>,
    fresh: Cell<u32>,
    /// Where pools begin that are vacant.
    vacant: Cell<u32>,
    /// Where open pools begin that followed on one that was filled.
    followers: Cell<u32>,
    /// Whether there is a huge page, or was one until something of it was given back. Written once: everyone may read it.
    is_huge: Cell<bool>,
    /// How many bytes of it were given back, once or again, up to `HALF`: anyone may give some.
    broken: AtomicU32,
}

const ALL: u32 = u32::MAX;

/// Bytes of a huge page that are given back before it is taken apart, which takes about as long as two hundred faults. Less takes
/// apart what soon goes as a whole, more leaves more that is given back and not free.
const HALF: u32 = (ARENA / 2) as u32;

const _: () = assert!(SLICES == ALL.count_ones() as usize);

/// The pages that an arena is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pages {
    /// Of the system's usual size: what is touched is resident.
    Usual,
    /// One for all of the arena: it is resident as a whole, at the price of one fault.
    Huge,
}

/// Where a pool of some span would be opened.
#[derive(Clone, Copy)]
pub(crate) struct Place {
    first: usize,
    pub(crate) dirt: Dirt,
}

/// A pool that was opened, and what its slices were until then, in bytes.
pub(crate) struct Opened {
    pub(crate) pool: Ref<Pool>,
    pub(crate) dirty: usize,
    pub(crate) fresh: usize,
}

impl Slices {
    /// All of an arena that has just been mapped.
    pub(super) fn begin(&self, pages: Pages) {
        self.free.set(ALL);
        if pages == Pages::Huge {
            self.is_huge.set(true);
            self.fresh.set(ALL);
        }
    }

    /// See the field; and of a clean one what shares a page with the header, where a purge has left that.
    fn stale(&self, number: usize) -> usize {
        self.stale[number].get() as usize
    }

    /// Of a free slice so many bytes may be resident from now on.
    fn soil(&self, number: usize, bytes: usize) {
        self.stale[number].set(bytes as u32);
        if bytes > 0 {
            self.dirty.set(self.dirty.get() | 1 << number);
        }
    }

    /// None of these is dirty any more.
    fn clean(&self, set: u32) {
        self.dirty.set(self.dirty.get() & !set);
        for number in bits(set) {
            self.stale[number].set(0);
        }
    }

    /// The first slices of those places for a pool of this span that are free as a whole.
    fn places(&self, span: Span) -> u32 {
        whole(self.free.get(), span)
    }

    /// The first of the dirtiest places, if there is one.
    fn choose(&self, span: Span) -> Option<Place> {
        let places = self.places(span);
        let dirty = self.dirty.get();
        let some = places & !whole(!dirty, span);
        let (places, dirt) = match (places & whole(dirty, span), some) {
            (0, 0) => (places, Dirt::None),
            (0, some) => (some, Dirt::Some),
            (all, _) => (all, Dirt::All),
        };
        let first = places.trailing_zeros() as usize;
        (places != 0).then_some(Place { first, dirt })
    }
}

/// How dirty the slices of a place are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Dirt {
    None,
    Some,
    All,
}

/// The first of the slices, for each place of a pool of this span that is part of the set as a whole.
fn whole(mut set: u32, span: Span) -> u32 {
    let mut width = 1;
    while width < span.slices() {
        set &= set >> width;
        width *= 2;
    }
    // Every `width`th bit.
    set & (ALL / (ALL >> (SLICES - width)))
}

/// All slices of the pools of this span that begin at those in the set.
fn slices_of(begun: u32, span: Span) -> u32 {
    begun * (ALL >> (SLICES - span.slices()))
}

impl Arena {
    pub(crate) fn free_slices(&self) -> usize {
        self.slices.free.get().count_ones() as usize
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.slices.free.get() == ALL
    }

    pub(crate) fn is_dirty(&self) -> bool {
        self.slices.dirty.get() != 0
    }

    /// Where a pool of this span is to be opened, if there is a place.
    pub(crate) fn place(&self, span: Span) -> Option<Place> {
        self.slices.choose(span)
    }

    /// Opens a pool of `class` at a place for its span.
    pub(crate) fn open(&self, class: Class, at: Place) -> Opened {
        let (first, span) = (at.first, class.span());
        let taken = slices_of(1 << first, span);
        invariant!(self.slices.free.get() & taken == taken);
        let (dirty, stale) = self.take_dirt(first, taken);
        let fresh = (self.slices.fresh.get() & taken).count_ones() as usize * SLICE;
        self.slices.free.set(self.slices.free.get() & !taken);
        self.slices.fresh.set(self.slices.fresh.get() & !taken);
        self.begin_pool(first);
        let pool = self.pool(first);
        pool.set_stale(stale);
        pool.open(class, Self::start_of_blocks(&pool, class));
        Opened { pool, dirty, fresh }
    }

    /// Cleans slices that become a pool, and returns how many of their bytes may be resident, and up to where. Below there may
    /// be holes; where they are more than half, what lies behind the first slice goes, so that the pool does not pass for
    /// resident.
    fn take_dirt(&self, first: usize, taken: u32) -> (usize, usize) {
        let slices = &self.slices;
        let start = self.start_of(first).addr();
        let end = |number| self.start_of(number).addr() + slices.stale(number) - start;
        let dirty = || bits(slices.dirty.get() & taken);
        let bytes: usize = dirty().map(|number| slices.stale(number)).sum();
        // Without a dirty one there may be what was left of the first.
        let mut stale = dirty().map(end).max().unwrap_or(slices.stale(first));
        if bytes * 2 < stale && !self.is_resident_as_a_whole() {
            let goes = |number| {
                let left = Self::discard(self.start_of(number), slices.stale(number));
                sweep::count(slices.stale(number) - left.unwrap_or(slices.stale(number)));
                left.is_some()
            };
            if dirty().filter(|number| *number != first).all(goes) {
                stale = slices.stale(first);
            }
        }
        slices.clean(taken);
        (bytes, stale)
    }

    /// Makes a pool without blocks in use vacant; returns the bytes of it that may be resident.
    pub(crate) fn vacate(&self, pool: &Pool) -> usize {
        let (first, span) = (Self::number(pool), pool.class().span());
        hardened::pool_ends(pool);
        let start = Self::slice_start(pool);
        let mut touched = self.touched_bytes(pool);
        if pool.purged() != 0 {
            // Little of it is resident, and so that a slice need not remember its holes, that goes now.
            let resident = self.resident_bytes(pool);
            pool.set_purged(0);
            touched = Self::discard(start, touched).unwrap_or(touched);
            sweep::count(resident.saturating_sub(touched));
        }
        self.end_pool(first);
        self.slices
            .vacant
            .set(self.slices.vacant.get() | 1 << first);
        let end = start.addr() + touched;
        for number in bits(slices_of(1 << first, span)) {
            self.slices.soil(number, self.bytes_below(number, end));
        }
        touched
    }

    /// An open pool follows on one of its class that its heap has filled.
    pub(crate) fn note_follower(&self, pool: &Pool) {
        let followers = &self.slices.followers;
        followers.set(followers.get() | 1 << Self::number(pool));
    }

    /// Whether it does; from now on it does not.
    pub(crate) fn forget_follower(&self, pool: &Pool) -> bool {
        let (followers, number) = (&self.slices.followers, Self::number(pool));
        let before = followers.replace(followers.get() & !(1 << number));
        before & 1 << number != 0
    }

    /// Makes the slices of a vacant pool free again.
    pub(crate) fn reclaim(&self, pool: &Pool) {
        let (first, span) = (Self::number(pool), pool.class().span());
        let (freed, vacant) = (slices_of(1 << first, span), self.slices.vacant.get());
        invariant!(self.slices.free.get() & freed == 0 && vacant & 1 << first != 0);
        invariant!(pool.owner() == crate::pool::Owner::NOBODY);
        self.slices.vacant.set(vacant & !(1 << first));
        self.slices.free.set(self.slices.free.get() | freed);
    }

    /// All pools that are vacant.
    pub(crate) fn vacant_pools(&self) -> impl Iterator<Item = Ref<Pool>> {
        bits(self.slices.vacant.get()).map(|number| self.pool(number))
    }

    /// Bytes of an open pool that may be resident.
    pub(crate) fn resident_bytes(&self, pool: &Pool) -> usize {
        // A sweep takes the page behind the last block, too, which nobody touches.
        self.touched_bytes(pool).saturating_sub(pool.purged_bytes())
    }

    /// Whether nothing of an open pool can be resident.
    pub(crate) fn is_untouched(&self, pool: &Pool) -> bool {
        self.touched_bytes(pool) == 0
    }

    /// Whether what is touched says nothing of what is resident: there is a huge page, or was.
    pub(crate) fn is_resident_as_a_whole(&self) -> bool {
        self.slices.is_huge.get()
    }

    /// Bytes of an open pool, from its start, that may be resident but for purged pages.
    fn touched_bytes(&self, pool: &Pool) -> usize {
        let start = Self::slice_start(pool).addr();
        match pool.touched() {
            _ if self.is_resident_as_a_whole() => pool.extent().end - start,
            0 => 0,
            bytes => os::whole_pages(start + bytes) - start,
        }
    }

    /// Up to where an open pool's pages may be resident, whatever was handed out.
    pub(crate) fn resident_end(&self, pool: &Pool) -> usize {
        match self.is_resident_as_a_whole() {
            true => pool.extent().end,
            false => Self::slice_start(pool).addr() + pool.stale(),
        }
    }

    /// Bytes of its fresh slices.
    pub(crate) fn fresh_bytes(&self) -> usize {
        self.slices.fresh.get().count_ones() as usize * SLICE
    }

    /// Makes its fresh slices dirty; returns their bytes.
    pub(crate) fn settle(&self) -> usize {
        let bytes = |number| {
            let bytes = self.bytes_below(number, usize::MAX);
            self.slices.soil(number, bytes);
            bytes
        };
        bits(self.slices.fresh.replace(0)).map(bytes).sum()
    }

    /// Bytes of its dirty slices.
    pub(crate) fn dirty_bytes(&self) -> usize {
        let dirty = bits(self.slices.dirty.get());
        dirty.map(|number| self.slices.stale(number)).sum()
    }

    /// Gives the dirty slices back, one call for each run of neighbours; returns the bytes given back. Where the
    /// kernel refuses, the slices stay dirty.
    pub(crate) fn purge(&self) -> usize {
        self.break_page(self.dirty_bytes());
        let mut given = 0;
        while self.is_dirty() {
            let dirty = self.slices.dirty.get();
            let first = dirty.trailing_zeros() as usize;
            let last = first + (dirty >> first).trailing_ones() as usize - 1;
            let start = self.start_of(first);
            let end = self.start_of(last).addr() + self.slices.stale(last);
            let len = end - start.addr();
            let Some(left) = Self::discard(start, len) else {
                break;
            };
            for number in first..=last {
                given += self.slices.stale(number);
            }
            self.slices.clean(ALL >> (SLICES - 1 - last) & ALL << first);
            self.slices.stale[first].set(left as u32);
        }
        given
    }

    /// Before some of a huge page goes: the rest is from now on pages of the usual size, else a thread of the kernel
    /// makes a huge one of them again, and what was given back is resident once more. When half of it has gone, it is taken
    /// apart: before, what goes is free only when the system is short of memory (`os::split`).
    pub(crate) fn break_page(&self, bytes: usize) {
        let broken = &self.slices.broken;
        if !self.slices.is_huge.get() || broken.load(Relaxed) >= HALF {
            return;
        }
        let before = broken.fetch_add(bytes as u32, Relaxed);
        let at = NonNull::from_ref(self).cast();
        if before == 0 {
            // SAFETY: this is the arena's mapping.
            unsafe { os::advise_usual(at, ARENA) };
        }
        if before < HALF && before + bytes as u32 >= HALF {
            // SAFETY: the arena begins with its header.
            unsafe { os::split(at) };
        }
    }

    /// Gives the first `len` bytes of free slices back, up to the end of a page; returns how many at the front stay
    /// resident: none, or where a page is larger than the header, what shares one with it. None where the kernel refuses.
    /// Under the lock.
    fn discard(slice: *mut u8, len: usize) -> Option<usize> {
        let start = slice.map_addr(os::whole_pages);
        let shared = start.addr() - slice.addr();
        if len <= shared {
            return Some(len);
        }
        // SAFETY: the slices are free and the lock is held, so nobody needs their contents; from `start` on they
        // are whole pages.
        unsafe { os::discard(NonNull::new(start)?, len - shared) }.then_some(shared)
    }

    /// Bytes of a slice that are below an address.
    fn bytes_below(&self, number: usize, address: usize) -> usize {
        let start = self.start_of(number).addr();
        let end = std::ptr::from_ref(self).addr() + (number + 1) * SLICE;
        end.min(address).saturating_sub(start)
    }
}

pub(super) fn bits(mut set: u32) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let number = (set != 0).then(|| set.trailing_zeros() as usize)?;
        set &= set - 1;
        Some(number)
    })
}

#[cfg(test)]
#[path = "slices/tests.rs"]
mod tests;
