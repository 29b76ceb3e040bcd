//! Models of a pool's word alone: the fewest steps there are, every one of them `remote`'s.
//!
//! Around the word stands the smallest pool: blocks that are memory, and a header of two counts, of what its owner has found
//! and of what is in use or waits in the word. Only an owner may touch the first, so two at once are a race.

use std::ptr;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};

use loom::sync::{Arc, Mutex};

use crate::mutants::{Mutant, is};
use crate::pool::Block;
use crate::remote::{Freed, Turn, Unowned, Word};
use crate::shadow;
use crate::sync::{self, AtomicUsed, AtomicUsize, Cell};

/// The smallest pool. As a word is of its blocks' arena, it does not lie across the boundary of one.
#[repr(align(128))]
struct Tiny {
    word: Word,
    found: Cell<u32>,
    used: AtomicUsed,
    blocks: [Cell<[usize; 2]>; BLOCKS],
    /// What the allocator's lock is; and whether the pool's memory was given back.
    is_vacated: Mutex<bool>,
}

const BLOCKS: usize = 3;
const FEW: u32 = 2;

const _: () = assert!(size_of::<Tiny>() == align_of::<Tiny>());

// SAFETY: that threads share it as they may is what the models find out.
unsafe impl Sync for Tiny {}
// SAFETY: as above.
unsafe impl Send for Tiny {}

impl Tiny {
    /// Owned by whoever asks, with its first two blocks in use.
    fn owned() -> Arc<Self> {
        // SAFETY: a word is an atomic integer, and zero is one of its states.
        let word = unsafe { std::mem::transmute::<AtomicUsize, Word>(AtomicUsize::new(0)) };
        let tiny = Arc::new(Self {
            word,
            found: Cell::new(0),
            used: AtomicUsed::new(0),
            blocks: [const { Cell::new([0; 2]) }; BLOCKS],
            is_vacated: Mutex::new(false),
        });
        tiny.collect();
        tiny.found.set(0);
        tiny.used.store(FEW, Relaxed);
        tiny
    }

    /// And it has laid the pool aside.
    fn laid_aside() -> Arc<Self> {
        let tiny = Self::owned();
        assert!(tiny.word.lay_aside(Turn::FIRST), "nobody else knows of it");
        tiny
    }

    fn disowned(to: Unowned) -> Arc<Self> {
        let tiny = Self::owned();
        assert!(tiny.word.disown(to), "nobody else knows of it");
        tiny
    }

    /// Frees a block as a thread that does not own the pool does; returns whether it found the pool without an owner,
    /// and has become it.
    fn free(&self, number: usize) -> Option<Unowned> {
        let block = self.block(number);
        let is_all = |blocks| self.used.load(Acquire) == blocks;
        loop {
            // SAFETY: each model frees each block once, and it is in use.
            match unsafe { self.word.free(block, is_all) } {
                Freed::Pushed => return None,
                Freed::Claimed(was) => {
                    assert!(self.word.take_up().is_some(), "a block is in use");
                    self.find(1);
                    return Some(was);
                }
                Freed::PerhapsLast => {
                    let mut is_vacated = self.is_vacated.lock().expect("nothing panics");
                    let is_last = |blocks| is(Mutant::LooksOnce) || is_all(blocks);
                    if self.word.vacate(is_last) {
                        *is_vacated = true;
                        // Nobody needs what is in the blocks.
                        (0..BLOCKS).for_each(|number| self.touch(number));
                        return None;
                    }
                }
            }
        }
    }

    fn block(&self, number: usize) -> *mut Block {
        ptr::from_ref(&self.blocks[number]).cast_mut().cast()
    }

    /// Writes to a block, as who has it in use does, or who has all of the pool.
    fn touch(&self, number: usize) {
        // SAFETY: the block is larger than a word, and aligned.
        unsafe { sync::write(self.block(number).cast::<usize>(), 0) };
    }

    /// Frees a block as the owner does, who has laid the pool aside.
    fn put(&self, number: usize) {
        self.touch(number);
        self.used.store(self.used.load(Relaxed) - 1, Release);
    }

    /// Takes the pool up and collects; `None` where it is vacant.
    fn take_up(&self) -> Option<Turn> {
        loop {
            if let Some(turn) = self.word.take_up() {
                self.collect();
                return Some(turn);
            }
            let is_vacated = self.is_vacated.lock().expect("nothing panics");
            if self.word.is_vacant() {
                assert!(*is_vacated);
                return None;
            }
        }
    }

    /// Collects as the owner.
    fn collect(&self) {
        let Some((mut block, told)) = self.word.collect() else {
            return self.find(0);
        };
        let mut count = 0;
        while !block.is_null() {
            // SAFETY: a collected block begins with its link.
            block = unsafe { sync::read(block.cast::<*mut Block>()) };
            count += 1;
        }
        assert_eq!(count, told, "the word has miscounted");
        self.find(count);
    }

    fn find(&self, count: u32) {
        self.found.set(self.found.get() + count);
        let used = self.used.load(Relaxed);
        assert!(count <= used, "a block was found twice");
        self.used.store(used - count, Relaxed);
    }

    /// Collects until the pool has been left; what a heap does with an exhausted one.
    fn leave(&self, to: Unowned) {
        while !self.word.disown(to) {
            self.collect();
        }
    }
}

/// The turn after this one.
fn next(turn: Turn) -> Turn {
    match is(Mutant::TurnsAreAllOne) {
        true => turn,
        false => turn.next(),
    }
}

fn spawn<T: 'static>(work: impl FnOnce() -> T + 'static) -> loom::thread::JoinHandle<T> {
    loom::thread::spawn(work)
}

fn join<T>(thread: loom::thread::JoinHandle<T>) -> T {
    thread.join().expect("the thread does not fail")
}

pub(crate) fn two_free_and_the_owner_collects() {
    let tiny = Tiny::owned();
    let frees = [0, 1].map(|number| {
        let tiny = Arc::clone(&tiny);
        spawn(move || tiny.free(number))
    });
    tiny.collect();
    for free in frees {
        assert_eq!(join(free), None, "the pool has an owner");
    }
    tiny.collect();
    assert_eq!(tiny.found.get(), 2);
}

pub(crate) fn two_free_in_a_full_pool() {
    let tiny = Tiny::disowned(Unowned::Full);
    let frees = [0, 1].map(|number| {
        let tiny = Arc::clone(&tiny);
        spawn(move || {
            let claimed = tiny.free(number);
            if claimed.is_some() {
                tiny.collect();
            }
            claimed
        })
    });
    let claims = frees.map(join).iter().flatten().count();
    assert_eq!(claims, 1, "one of the two owns the pool");
    tiny.collect();
    assert_eq!(tiny.found.get(), 2);
}

pub(crate) fn a_free_meets_a_disowning() {
    let tiny = Tiny::owned();
    let free = {
        let tiny = Arc::clone(&tiny);
        spawn(move || tiny.free(0))
    };
    tiny.find(0);
    tiny.leave(Unowned::Full);
    match join(free) {
        Some(was) => assert_eq!((was, tiny.found.get()), (Unowned::Full, 1)),
        // It was pushed before, hence collected: nobody owns the pool, and nothing waits in it.
        None => {
            assert_eq!(tiny.free(1), Some(Unowned::Full));
            assert_eq!(tiny.found.get(), 2);
        }
    }
}

pub(crate) fn a_free_meets_a_claim() {
    let tiny = Tiny::owned();
    let leaver = {
        let tiny = Arc::clone(&tiny);
        spawn(move || {
            tiny.find(0);
            tiny.leave(Unowned::Listed);
        })
    };
    let free = {
        let tiny = Arc::clone(&tiny);
        spawn(move || tiny.free(0))
    };
    let claimed = tiny.word.claim_listed();
    if claimed {
        tiny.collect();
    }
    join(leaver);
    let freed = join(free);
    assert!(!(claimed && freed.is_some()) || tiny.found.get() == 1);
    let owners = usize::from(claimed) + usize::from(freed.is_some());
    assert!(owners <= 1, "one thread owns the pool");
    if owners == 0 {
        assert!(tiny.word.claim_listed(), "nobody owns it");
    }
    tiny.collect();
    assert_eq!(tiny.found.get(), 1);
}

/// Whoever frees the last block finds it out, or the owner, who looks meanwhile.
pub(crate) fn two_free_in_what_the_owner_takes_up() {
    let tiny = Tiny::laid_aside();
    let frees = [0, 1].map(|number| {
        let tiny = Arc::clone(&tiny);
        spawn(move || tiny.free(number))
    });
    if let Some(turn) = tiny.take_up() {
        while tiny.used.load(Relaxed) > 0 && !tiny.word.lay_aside(next(turn)) {
            tiny.collect();
        }
    }
    let is_empty = tiny.found.get() == FEW;
    for free in frees {
        assert_eq!(join(free), None, "the pool has an owner");
    }
    let is_vacant = || tiny.take_up().is_none();
    assert!(
        is_empty || is_vacant(),
        "all blocks came back, and nobody saw it"
    );
}

/// What the owner has written to a block that it freed is over when another has all of the pool.
pub(crate) fn the_owner_frees_and_another_frees_the_last() {
    let tiny = Tiny::laid_aside();
    let free = {
        let tiny = Arc::clone(&tiny);
        spawn(move || tiny.free(0))
    };
    tiny.put(1);
    assert_eq!(join(free), None, "the pool has an owner");
    // It may have been the owner's that was the last.
    if tiny.take_up().is_some() {
        assert_eq!((tiny.found.get(), tiny.used.load(Relaxed)), (1, 0));
    }
}

/// While one thread looks, the owner takes the pool up, hands out two blocks, and lays it aside; and one of these comes back,
/// so that the word is what it was.
pub(crate) fn a_pool_is_filled_while_another_looks() {
    let tiny = Tiny::laid_aside();
    tiny.free(1); // by whomever
    let free = {
        let tiny = Arc::clone(&tiny);
        spawn(move || tiny.free(0))
    };
    if tiny.take_up().is_some() {
        tiny.used.store(tiny.used.load(Relaxed) + 2, Relaxed);
        tiny.touch(1);
        tiny.touch(2);
        while !tiny.word.lay_aside(Turn::FIRST) {
            tiny.collect();
        }
        tiny.free(1);
        tiny.touch(2);
        assert_eq!(join(free), None, "the pool has an owner");
        tiny.touch(2);
        tiny.free(2);
        assert!(
            tiny.take_up().is_none(),
            "all blocks came back, and nobody saw it"
        );
    } else {
        assert_eq!(join(free), None, "the pool has an owner");
    }
}

#[track_caller]
fn check(name: &str, model: fn(), bound: Option<usize>) {
    let executions = shadow::explore(model, bound);
    println!("word::{name}: {executions} executions, preemptions bounded by {bound:?}");
    assert!(executions > 1, "threads met in one way only");
}

#[test]
fn word_two_free_and_the_owner_collects() {
    check(
        "two_free_and_the_owner_collects",
        two_free_and_the_owner_collects,
        Some(4),
    );
}

#[test]
fn word_two_free_in_a_full_pool() {
    check("two_free_in_a_full_pool", two_free_in_a_full_pool, Some(4));
}

#[test]
fn word_a_free_meets_a_disowning() {
    check("a_free_meets_a_disowning", a_free_meets_a_disowning, None);
}

#[test]
fn word_a_free_meets_a_claim() {
    check("a_free_meets_a_claim", a_free_meets_a_claim, Some(4));
}

#[test]
fn word_two_free_in_what_the_owner_takes_up() {
    check(
        "two_free_in_what_the_owner_takes_up",
        two_free_in_what_the_owner_takes_up,
        Some(2),
    );
}

#[test]
fn word_the_owner_frees_and_another_frees_the_last() {
    check(
        "the_owner_frees_and_another_frees_the_last",
        the_owner_frees_and_another_frees_the_last,
        None,
    );
}

#[test]
fn word_a_pool_is_filled_while_another_looks() {
    check(
        "a_pool_is_filled_while_another_looks",
        a_pool_is_filled_while_another_looks,
        Some(3),
    );
}
