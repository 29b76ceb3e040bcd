//! Models of a pool's word alone: the fewest steps there are, every one of them `remote`'s.
//!
//! Around the word stands the smallest pool: blocks that are memory, and a header of one cell that counts what its
//! owner has found. Only an owner may touch the header, so two at once are a race.

use std::ptr;

use loom::sync::Arc;

use crate::pool::Block;
use crate::remote::{Freed, Unowned, Word};
use crate::shadow;
use crate::sync::{self, AtomicUsize, Cell};

/// The smallest pool. As a word is of its blocks' arena, it does not lie across the boundary of one.
#[repr(align(128))]
struct Tiny {
    word: Word,
    found: Cell<u32>,
    blocks: [Cell<[usize; 2]>; 2],
}

const _: () = assert!(size_of::<Tiny>() == align_of::<Tiny>());

// SAFETY: that threads share it as they may is what the models find out.
unsafe impl Sync for Tiny {}
// SAFETY: as above.
unsafe impl Send for Tiny {}

impl Tiny {
    /// Owned by whoever asks, with both blocks in use.
    fn owned() -> Arc<Self> {
        // SAFETY: a word is an atomic integer, and zero is one of its states.
        let word = unsafe { std::mem::transmute::<AtomicUsize, Word>(AtomicUsize::new(0)) };
        let tiny = Arc::new(Self {
            word,
            found: Cell::new(0),
            blocks: [const { Cell::new([0; 2]) }; 2],
        });
        tiny.collect();
        tiny.found.set(0);
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
        let block: *mut Block = ptr::from_ref(&self.blocks[number]).cast_mut().cast();
        // SAFETY: each model frees each block once.
        match unsafe { self.word.free(block) } {
            Freed::Pushed => None,
            Freed::Claimed(was) => {
                self.find(1);
                Some(was)
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
        assert!(self.found.get() <= 2, "a block was found twice");
    }

    /// Collects until the pool has been left; what a heap does with an exhausted one.
    fn leave(&self, to: Unowned) {
        while !self.word.disown(to) {
            self.collect();
        }
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
