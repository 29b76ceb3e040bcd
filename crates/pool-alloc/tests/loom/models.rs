//! Models of the whole allocator: threads that allocate, free and end.
//!
//! Blocks are of the largest class, of which a pool holds two (the one behind the arena's header: one), so that few
//! steps bring a pool to each of its states.

use crate::arena::Arena;
use crate::class::Class;
use crate::heap;
use crate::shadow;
use crate::sync;
use crate::{commons, sparse, thread};

const SIZE: usize = 256 << 10;

/// Of these the first pool holds fifteen: with a single block in use it is sparse.
const SMALLER: usize = 4 << 10;

/// A block in use, of this class, whose first word the program has written.
struct Block(*mut usize, Class);

// SAFETY: a block is memory like any other.
unsafe impl Send for Block {}

impl Block {
    fn new() -> Self {
        Self::of(SIZE)
    }

    fn of(size: usize) -> Self {
        let class = Class::of(size, 8).expect("it is not large");
        let at: *mut usize = thread::heap().allocate(class).cast();
        assert!(!at.is_null(), "the machine has memory for the models");
        // SAFETY: the block is new, and larger than a word.
        unsafe { sync::write(at, at.addr()) };
        Self(at, class)
    }

    fn free(self) {
        // SAFETY: the block is in use, and begins with a word.
        let word = unsafe { sync::read(self.0) };
        assert_eq!(word, self.0.addr(), "somebody else has this block");
        let block = self.0.cast();
        // SAFETY: it came from a pool of this class.
        let pool = unsafe { Arena::pool_of(block, self.1.span()) };
        // SAFETY: it is of this pool, and not used again.
        unsafe { heap::free(block, pool) };
    }
}

/// A thread, its end included.
fn spawn(work: impl FnOnce() + 'static) -> loom::thread::JoinHandle<()> {
    loom::thread::spawn(|| {
        work();
        end();
    })
}

/// The end of the calling thread.
fn end() {
    shadow::execution().expect("a model runs").end_thread();
}

fn join(thread: loom::thread::JoinHandle<()>) {
    thread.join().expect("the thread does not fail");
}

/// No other thread is at work, and so many blocks are in use. None waits for its owner.
#[track_caller]
fn are_in_use(blocks: usize) {
    let stats = commons::lock().stats();
    assert_eq!(stats.allocated_bytes, blocks * SIZE, "{stats:?}");
}

/// After the last thread's end, with every block freed: whatever there was has been found and given back.
fn nothing_is_left() {
    end();
    let mut commons = commons::lock();
    let stats = commons.stats();
    assert_eq!(stats.allocated_bytes, 0, "{stats:?}");
    commons.release();
    let stats = commons.stats();
    assert_eq!((stats.arenas, stats.cached_bytes), (0, 0), "{stats:?}");
}

/// Takes the one block of the pool behind the header, and two of a whole pool, which is current then.
fn a_pool_of_two() -> (Block, [Block; 2]) {
    (Block::new(), [Block::new(), Block::new()])
}

pub(crate) fn two_free_while_the_owner_allocates() {
    let (first, [one, two]) = a_pool_of_two();
    let frees = [one, two].map(|block| spawn(|| block.free()));
    // It comes from what the others freed, or from a new pool, and the old one is full then.
    let more = Block::new();
    frees.into_iter().for_each(join);
    more.free();
    first.free();
    nothing_is_left();
}

/// The pool is about to be nobody's when a block comes back, and stays current, as one that is not looked at before it is
/// empty. Of this size a pool with a few blocks in use is sparse.
pub(crate) fn a_pool_stays_current_as_another_frees() {
    let mut blocks: Vec<Block> = (0..15).map(|_| Block::of(SMALLER)).collect();
    let one = blocks.pop().expect("there are some");
    let free = spawn(|| one.free());
    blocks.push(Block::of(SMALLER));
    join(free);
    blocks.into_iter().for_each(Block::free);
    nothing_is_left();
}

pub(crate) fn two_free_in_a_full_pool() {
    let (first, [one, two]) = a_pool_of_two();
    let more = Block::new(); // the pool of the two is full now, and nobody's
    let frees = [one, two].map(|block| spawn(|| block.free()));
    frees.into_iter().for_each(join);
    more.free();
    first.free();
    nothing_is_left();
}

pub(crate) fn a_pool_becomes_full_as_another_frees() {
    let (first, [one, two]) = a_pool_of_two();
    let free = spawn(|| one.free());
    let more = Block::new();
    two.free();
    join(free);
    more.free();
    first.free();
    nothing_is_left();
}

pub(crate) fn a_thread_ends_as_another_frees() {
    let first = Block::new();
    let (send, receive) = loom::sync::mpsc::channel();
    let owner = spawn(move || {
        let (one, two) = (Block::new(), Block::new());
        send.send((one, two)).expect("the other side lives");
    });
    let (one, two) = receive.recv().expect("the owner sends");
    one.free();
    two.free();
    join(owner);
    first.free();
    nothing_is_left();
}

/// Of a pool that was left with a free block, another block is freed while a third thread wants a pool.
pub(crate) fn a_free_meets_an_adoption() {
    let first = Block::new();
    let (send, receive) = loom::sync::mpsc::channel();
    join(spawn(move || {
        let one = Block::new();
        send.send(one).expect("the other side lives");
    }));
    let one = receive.recv().expect("the owner sent it");
    let adopter = spawn(|| Block::new().free());
    one.free();
    join(adopter);
    first.free();
    nothing_is_left();
}

/// The owner ends while one thread frees and another, which needs a pool, looks among those that were left.
pub(crate) fn a_thread_ends_as_others_free_and_adopt() {
    let first = Block::new();
    let (send, receive) = loom::sync::mpsc::channel();
    let owner = spawn(move || {
        let one = Block::new();
        send.send(one).expect("the other side lives");
    });
    let one = receive.recv().expect("the owner sends");
    let adopter = spawn(|| Block::new().free());
    one.free();
    join(owner);
    join(adopter);
    first.free();
    nothing_is_left();
}

pub(crate) fn two_threads_end() {
    let first = Block::new();
    let ends = [0, 1].map(|_| spawn(|| Block::new().free()));
    ends.into_iter().for_each(join);
    first.free();
    nothing_is_left();
}

/// The last blocks of an arena come back by two hands, and it goes, while a third gives back all that is free.
pub(crate) fn an_arena_goes_as_another_releases() {
    let (first, [one, two]) = a_pool_of_two();
    let more = Block::new();
    first.free();
    let frees = [one, two].map(|block| spawn(|| block.free()));
    more.free();
    thread::heap().give_back();
    commons::lock().release();
    frees.into_iter().for_each(join);
    nothing_is_left();
}

/// What a thread left in a loop is swept, since the reserve ends, while a block of it is freed and another thread
/// looks for a pool.
pub(crate) fn a_reserve_ends_as_others_free_and_adopt() {
    let (send, receive) = loom::sync::mpsc::channel();
    join(spawn(move || {
        let one = Block::of(SMALLER);
        commons::TOLD.put(usize::MAX, u64::MAX);
        send.send(one).expect("the other side lives");
    }));
    let one = receive.recv().expect("the owner sent it");
    assert!(sparse::spared_bytes() > 0, "it was left sparse");
    let adopter = spawn(|| Block::of(SMALLER).free());
    let free = spawn(|| one.free());
    commons::lock().release();
    join(adopter);
    join(free);
    assert_eq!(sparse::spared_bytes(), 0);
    nothing_is_left();
}

/// The owner has freed one of two blocks, and so laid their pool aside, when the other comes back, as the owner needs a pool.
pub(crate) fn the_last_comes_back_as_the_owner_allocates() {
    let (first, [one, two]) = a_pool_of_two();
    let more = [Block::new(), Block::new()];
    one.free();
    let free = spawn(|| two.free());
    let other = Block::new();
    join(free);
    more.into_iter().for_each(Block::free);
    other.free();
    first.free();
    nothing_is_left();
}

/// As above, as the owner gives back all that it can.
pub(crate) fn the_last_comes_back_as_the_owner_releases() {
    let (first, [one, two]) = a_pool_of_two();
    let more = Block::new();
    one.free();
    let free = spawn(|| two.free());
    thread::heap().give_back();
    commons::lock().release();
    join(free);
    are_in_use(2);
    more.free();
    first.free();
    nothing_is_left();
}

/// As above, as the owner ends.
pub(crate) fn the_last_comes_back_as_the_owner_ends() {
    let first = Block::new();
    let (send, receive) = loom::sync::mpsc::channel();
    let owner = spawn(move || {
        let [one, two, more] = [(); 3].map(|()| Block::new());
        one.free();
        send.send((two, more)).expect("the other side lives");
    });
    let (two, more) = receive.recv().expect("the owner sends");
    two.free();
    join(owner);
    more.free();
    first.free();
    nothing_is_left();
}

/// The current pool has but a block whose pages went back, and is laid aside for one that has others, when the last comes
/// back.
pub(crate) fn the_last_comes_back_as_a_pool_makes_way() {
    let (first, [one, two]) = a_pool_of_two();
    let [last, swept] = [Block::new(), Block::new()];
    swept.free();
    thread::heap().give_back();
    one.free();
    let free = spawn(|| last.free());
    let other = Block::new();
    join(free);
    are_in_use(3);
    other.free();
    two.free();
    first.free();
    nothing_is_left();
}

/// Another thread sets a pool's alarm, when the owner has taken the pool up and made it current, for blocks that wait no
/// more.
pub(crate) fn an_alarm_comes_late() {
    let mut blocks: Vec<Block> = (0..15).map(|_| Block::of(SMALLER)).collect();
    let more: Vec<Block> = (0..16).map(|_| Block::of(SMALLER)).collect();
    let few = blocks.split_off(9);
    blocks.into_iter().for_each(Block::free);
    let [last, one, others @ ..] = <[Block; 6]>::try_from(few).unwrap_or_else(|_| unreachable!());
    join(spawn(|| others.into_iter().for_each(Block::free)));
    let free = spawn(|| one.free());
    let new = Block::of(SMALLER);
    new.free();
    last.free();
    join(free);
    more.into_iter().for_each(Block::free);
    nothing_is_left();
}

#[track_caller]
fn check(name: &str, model: fn(), bound: usize) {
    let executions = shadow::explore(model, Some(bound));
    println!("{name}: {executions} executions with at most {bound} preemptions");
    assert!(executions > 1, "threads met in one way only");
}

macro_rules! explored {
    ($($test:ident: $model:ident, $bound:literal;)*) => {
        $(
            #[test]
            fn $test() {
                check(stringify!($model), $model, $bound);
            }
        )*
    };
}

// Bounds that make each a matter of seconds.
explored! {
    all_two_free_while_the_owner_allocates: two_free_while_the_owner_allocates, 1;
    all_a_pool_stays_current_as_another_frees: a_pool_stays_current_as_another_frees, 2;
    all_two_free_in_a_full_pool: two_free_in_a_full_pool, 3;
    all_a_pool_becomes_full_as_another_frees: a_pool_becomes_full_as_another_frees, 2;
    all_a_thread_ends_as_another_frees: a_thread_ends_as_another_frees, 3;
    all_a_free_meets_an_adoption: a_free_meets_an_adoption, 3;
    all_a_thread_ends_as_others_free_and_adopt: a_thread_ends_as_others_free_and_adopt, 2;
    all_two_threads_end: two_threads_end, 4;
    all_an_arena_goes_as_another_releases: an_arena_goes_as_another_releases, 2;
    all_a_reserve_ends_as_others_free_and_adopt: a_reserve_ends_as_others_free_and_adopt, 2;
    all_the_last_comes_back_as_the_owner_allocates: the_last_comes_back_as_the_owner_allocates, 3;
    all_the_last_comes_back_as_the_owner_releases: the_last_comes_back_as_the_owner_releases, 3;
    all_the_last_comes_back_as_the_owner_ends: the_last_comes_back_as_the_owner_ends, 3;
    all_the_last_comes_back_as_a_pool_makes_way: the_last_comes_back_as_a_pool_makes_way, 3;
    all_an_alarm_comes_late: an_alarm_comes_late, 3;
}
