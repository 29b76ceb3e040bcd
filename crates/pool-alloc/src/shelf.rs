//! A shelf: the arenas of one kind, sorted by how many free slices they have.
//!
//! A pool is opened in the fullest arena that has a free slice, so that the emptiest arenas drain and can be unmapped.
//! Finding it takes one instruction and one load:
//!
//! ```text
//! bit n of occupied is set   <=>   list n has an arena;     every arena of list n has n free slices
//! ```

use crate::arena::{Arena, BY_FREE};
use crate::class::Kind;
use crate::list::{List, Ref};

/// See the top of this file.
pub(crate) struct Shelf {
    lists: [List<Arena, BY_FREE>; Kind::Small.pools() + 1],
    /// Bit n is set where list n has an arena.
    occupied: u64,
}

impl Shelf {
    pub(crate) const fn new() -> Self {
        Self {
            lists: [const { List::new() }; Kind::Small.pools() + 1],
            occupied: 0,
        }
    }

    /// The arena with the fewest free slices of those that have one.
    pub(crate) fn fullest(&self) -> Option<Ref<Arena>> {
        let with_free = self.occupied & !1;
        self.lists.get(with_free.trailing_zeros() as usize)?.first()
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
