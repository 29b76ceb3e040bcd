//! What an owner and another thread do with a pool that is laid aside, one step at a time.

use std::sync::mpsc;
use std::thread::{scope, sleep};
use std::time::Duration;

use super::*;
use crate::arena::Arena;
use crate::heap;

/// A pool that the calling thread has laid aside, with the blocks that are in use of it.
struct Aside {
    owner: Ref<Heap>,
    pool: Ref<Pool>,
    blocks: Vec<*mut u8>,
}

impl Aside {
    fn new() -> Self {
        let class = Class::of(4 << 10, 8).expect("it is not large");
        let owner = thread::heap_or_new().expect("the machine has memory for a heap");
        let all: Vec<*mut u8> = (0..64).map(|_| owner.allocate(class)).collect();
        // SAFETY: the block is in use.
        let pool_of = |block: &*mut u8| unsafe { Arena::pool_of(*block, class.span()) };
        // One in the middle: the pool is full, and nobody's.
        let pool = pool_of(&all[32]);
        // What is in use of the others stays so: none of them takes the lock, in which one would wait for what is to be seen.
        let mut blocks: Vec<_> = all
            .into_iter()
            .filter(|block| pool_of(block) == pool)
            .collect();
        let aside = blocks.pop().expect("there are some");
        // SAFETY: it is in use, and not used again.
        unsafe { heap::free(aside, pool) };
        assert!(pool.is_of(owner));
        Self {
            owner,
            pool,
            blocks,
        }
    }

    /// Which time it is that it was laid aside.
    fn turn(&self) -> Turn {
        let turn = self.pool.word().take_up().expect("it is not vacant");
        assert!(self.pool.word().lay_aside(turn));
        turn
    }

    /// Frees another of its blocks.
    fn free_one(&mut self) {
        let block = self.blocks.pop().expect("there are some");
        // SAFETY: it is in use, and not used again.
        unsafe { heap::free(block, self.pool) };
    }
}

struct Sent(Ref<Pool>);

// SAFETY: the other thread touches what everyone may touch.
unsafe impl Send for Sent {}

#[test]
fn an_owner_that_sees_a_vacating_undone_keeps_the_pool() {
    let Aside {
        owner,
        pool,
        blocks,
    } = Aside::new();
    let used = pool.used();
    let sent = Sent(pool);
    let (say, said) = mpsc::channel();
    scope(|scope| {
        let other = scope.spawn(move || {
            let Sent(pool) = { sent };
            let _commons = commons::lock();
            pool.word().vacate(|_| {
                say.send(()).expect("the owner waits for that");
                sleep(Duration::from_millis(50)); // in which the owner comes to wait for the lock
                false
            })
        });
        said.recv().expect("it does not fail");
        assert!(pool.word().is_vacant());
        owner.give_back();
        assert!(!other.join().expect("it does not fail"));
    });
    assert!(pool.is_of(owner) && pool.used() == used);
    assert_eq!(blocks.len(), used as usize);
}

/// Whoever has looked at the alarm, and is about to push, fails then, and looks again.
#[test]
fn a_pool_that_becomes_sparse_is_laid_aside_anew() {
    let mut aside = Aside::new();
    let before = aside.turn();
    let few = aside.pool.mark();
    while aside.pool.used() >= few.into() {
        aside.free_one();
    }
    assert_ne!(aside.turn(), before);
}

#[test]
fn a_pool_that_was_visited_is_laid_aside_anew() {
    let aside = Aside::new();
    let before = aside.turn();
    aside.owner.visit(aside.pool, |_| ());
    assert_ne!(aside.turn(), before);
}
