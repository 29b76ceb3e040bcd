//! What the commons want of the system: arenas, and memory for heaps.
//!
//! Where it is refused, what is kept for later is worth less than what is wanted now. So everything that is free goes
//! back, the runs that wait for large blocks included, and the system is asked once more:
//!
//! ```text
//! null is handed out   =>   the system has refused, and no arena was empty or had a place and no run waited when it did,
//!                           but for what other threads have at hand
//! ```
//!
//! All of this happens under the lock of the commons, that of the runs inside it. `pool_alloc::insistently` does the
//! same for large blocks, whose callers hold neither.

use super::{Commons, EARNED};
use crate::arena::{ARENA, Arena, Pages};
use crate::class::Span;
use crate::counters::{self, Event};
use crate::heap::Heap;
use crate::list::Ref;
use crate::os::ExitHook;
use crate::runs;

impl Commons {
    /// An arena more, for a pool of this span. Of blocks so large that the pool has several slices few programs write to all;
    /// and where many threads have a pool each of many classes, most are about empty, and a huge page would fill them all.
    pub(super) fn new_arena(&mut self, span: Span) -> Option<Ref<Arena>> {
        let is_earned = self.filled_bytes >= EARNED * (self.fresh_bytes + ARENA);
        let is_dense = self.filled_bytes >= self.narrow_bytes / 4 * 3;
        let pages = match span == Span::ONE && is_earned && is_dense {
            true => Pages::Huge,
            false => Pages::Usual,
        };
        let arena = self.insistently(|_| Arena::map(pages))?;
        self.fresh_bytes += arena.fresh_bytes();
        self.shelf.insert(arena);
        self.arenas += 1;
        counters::count(Event::ArenaMapped);
        Some(arena)
    }

    /// A heap for a thread, and the hook to arm with it.
    pub(crate) fn heap(&mut self) -> Option<(Ref<Heap>, Option<ExitHook>)> {
        self.insistently(|commons| commons.heaps.obtain())
    }

    /// What an attempt to get memory comes to, if need be the second.
    fn insistently<T>(&mut self, attempt: impl Fn(&mut Self) -> Option<T>) -> Option<T> {
        attempt(self).or_else(|| {
            let released = self.give_all_back() > 0;
            let parted = runs::part_with_addresses();
            (released || parted).then(|| attempt(self)).flatten()
        })
    }

    /// Gives back all that is free here, and the runs that wait; returns the bytes.
    fn give_all_back(&mut self) -> usize {
        let before = self.released_bytes();
        self.release();
        self.released_bytes() - before + runs::release()
    }
}
