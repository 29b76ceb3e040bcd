//! The shelf: all arenas, sorted by how many free slices they have.
//!
//! A pool of one slice is opened in the fullest arena that has one free, so that the emptiest arenas drain and can be
//! unmapped. Finding it takes one instruction and one load. For wider pools some more are looked at, the fullest first, since
//! free slices may be no neighbours, and since it pays to find dirty ones: the wider a pool, the more faults that spares.
//!
//! ```text
//! bit n of occupied is set   <=>   list n has an arena;     every arena of list n has n free slices
//! ```

use crate::arena::{Arena, BY_FREE, Dirt, Place, SLICES};
use crate::class::Span;
use crate::list::{List, Ref};

/// More find a place in more cases, and a dirtier one; fewer ask the system for an arena where there was a place.
const TRIED: usize = 32;

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

    /// An arena with a place for a pool of this span, and the place: for one slice the fullest arena, else of the first
    /// `TRIED` that have enough free slices the dirtiest.
    pub(crate) fn place(&self, span: Span) -> Option<(Ref<Arena>, Place)> {
        let mut tried = self.places(span).take(TRIED);
        let mut best = tried.find_map(|tried| tried)?;
        while span > Span::ONE
            && best.1.dirt < Dirt::All
            && let Some(other) = tried.find_map(|tried| tried)
        {
            if other.1.dirt > best.1.dirt {
                best = other;
            }
        }
        Some(best)
    }

    /// Any arena with a place for a pool of this span.
    pub(crate) fn any_place(&self, span: Span) -> Option<(Ref<Arena>, Place)> {
        self.places(span).find_map(|tried| tried)
    }

    /// For each arena with enough free slices, the fullest first, the place for a pool of this span, if it has one.
    fn places(&self, span: Span) -> impl Iterator<Item = Option<(Ref<Arena>, Place)>> {
        let mut occupied = self.occupied & (u64::MAX << span.slices());
        let lists = std::iter::from_fn(move || {
            let list = self.lists.get(occupied.trailing_zeros() as usize)?;
            occupied &= occupied - 1;
            Some(list)
        });
        let place = move |arena: Ref<Arena>| Some((arena, arena.place(span)?));
        lists.flat_map(List::iter).map(place)
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

    /// All of them, those with the most free slices first.
    pub(crate) fn arenas(&self) -> impl Iterator<Item = Ref<Arena>> {
        self.lists.iter().rev().flat_map(List::iter)
    }
}
