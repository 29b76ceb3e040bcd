//! The shelf: all arenas, sorted by how many free slices they have.
//!
//! A pool is opened in the fullest arena that has a place for it, so that the emptiest arenas drain and can be unmapped.
//! For a pool of one slice, finding it takes one instruction and one load; for wider ones a few arenas are looked at, since
//! free slices may be no neighbours.
//!
//! ```text
//! bit n of occupied is set   <=>   list n has an arena;     every arena of list n has n free slices
//! ```

use crate::arena::{Arena, BY_FREE, Dirt, SLICES};
use crate::class::Span;
use crate::list::{List, Ref};

/// More find a place in more cases; fewer ask the system for an arena where there was one.
const TRIED: usize = 8;

/// See the top of this file.
pub(crate) struct Shelf {
    lists: [List<Arena, BY_FREE>; SLICES + 1],
    /// Bit n is set where list n has an arena.
    occupied: u64,
}

impl Shelf {
    pub(crate) const fn new() -> Self {
        Self {
            lists: [const { List::new() }; SLICES + 1],
            occupied: 0,
        }
    }

    /// The arena with the fewest free slices of those that have a place for a pool of this span: among the first `TRIED`
    /// that have enough, or the emptiest.
    pub(crate) fn fullest(&self, span: Span) -> Option<Ref<Arena>> {
        let mut occupied = self.occupied & (u64::MAX << span.slices());
        let lists = std::iter::from_fn(|| {
            let list = self.lists.get(occupied.trailing_zeros() as usize)?;
            occupied &= occupied - 1;
            Some(list)
        });
        let arenas = lists.flat_map(List::iter);
        if span == Span::ONE {
            return { arenas }.next();
        }
        let place = |arena: Ref<Arena>| Some((arena.place(span)?, arena));
        let mut tried = arenas.take(TRIED).chain(self.emptiest()).filter_map(place);
        let (mut most, mut best) = tried.next()?;
        while most < Dirt::All
            && let Some((dirt, arena)) = tried.next()
        {
            if dirt > most {
                (most, best) = (dirt, arena);
            }
        }
        Some(best)
    }

    /// The arena with the most free slices.
    pub(crate) fn emptiest(&self) -> Option<Ref<Arena>> {
        self.lists[self.occupied.checked_ilog2()? as usize].first()
    }

    pub(crate) fn insert(&mut self, arena: Ref<Arena>) {
        let free = arena.free_slices();
        self.lists[free].push_front(arena);
        self.occupied |= 1 << free;
    }

    /// To be called before the number of free slices changes.
    pub(crate) fn remove(&mut self, arena: Ref<Arena>) {
        let free = arena.free_slices();
        self.lists[free].remove(arena);
        if self.lists[free].first().is_none() {
            self.occupied &= !(1 << free);
        }
    }

    pub(crate) fn arenas(&self) -> impl Iterator<Item = Ref<Arena>> {
        self.lists.iter().flat_map(List::iter)
    }
}
