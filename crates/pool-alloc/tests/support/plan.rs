//! Plans: which thread does what in which order, and a world that finds out whether that went well.
//!
//! A plan is a list of steps, each with the number of the thread that takes it. All blocks are in one *world*, so a
//! thread frees and resizes what any other allocated. Threads end in the middle of a plan, and another takes the
//! number over. Plans are made by proptest (`model.rs`) or from bytes (`bytes.rs`), and run in one of two orders:
//!
//! - *in turns*: exactly in the plan's order, so that a failure repeats;
//! - *at once*: each thread takes its own steps in order, and nothing else is ordered.
//!
//! What is checked: a block is aligned, zero where that was asked for, overlaps no other, and holds what was written
//! to it until it is freed; the statistics add up at all times; and at the end, nothing is in use and a release leaves
//! nothing.

use std::collections::BTreeMap;
use std::sync::{Barrier, Mutex, mpsc};
use std::thread;

use super::{Held, POOL, stats};

#[derive(Clone, Debug)]
pub enum Op {
    /// So many blocks, as a pool is only full after some.
    Allocate {
        size: usize,
        align: usize,
        zeroed: bool,
        count: usize,
    },
    /// Numbers that choose a block are taken modulo the number of blocks in the world.
    Resize {
        which: usize,
        size: usize,
    },
    Free {
        which: usize,
    },
    FreeHalf {
        odd: bool,
    },
    /// So many eighths of the blocks, those that lie lowest, from the lowest up.
    FreeInOrder {
        eighths: usize,
    },
    Release,
    /// The thread ends here. Its number is another thread's from now on.
    End,
}

#[derive(Clone, Debug)]
pub struct Step {
    pub thread: usize,
    pub op: Op,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    InTurns,
    AtOnce,
}

#[derive(Clone, Debug)]
pub struct Plan {
    /// At least one. The threads of the steps are taken modulo this.
    pub threads: usize,
    pub order: Order,
    pub steps: Vec<Step>,
}

/// Bytes in the world beyond which nothing more is allocated: every one of them is written, and read again.
const MOST_BYTES: usize = 8 << 20;

/// The same for one step, except that a few blocks are always allowed.
const MOST_BYTES_A_STEP: usize = 256 << 10;

/// Carries a plan out. Nobody else may use the allocator meanwhile.
pub fn run(plan: &Plan) {
    let world = match plan.order {
        Order::InTurns => in_turns(plan),
        Order::AtOnce => at_once(plan),
    };
    world.check();
    drop(world);
    nothing_is_left();
}

/// After everything is freed, a release leaves nothing but the heaps and what is behind their pages.
pub fn nothing_is_left() {
    assert_eq!(stats().large_bytes, 0, "{:?}", stats());
    POOL.release();
    let stats = stats();
    assert_eq!(stats.allocated_bytes, 0, "{stats:?}");
    assert_eq!(stats.cached_bytes, 0, "{stats:?}");
    assert_eq!(stats.arenas, 0, "{stats:?}");
    assert!(stats.metadata_bytes <= 64 << 10, "{stats:?}");
}

/// A thread that is handed the world and some steps, and hands the world back.
struct Worker {
    work: mpsc::Sender<(World, Vec<Op>)>,
    done: mpsc::Receiver<World>,
    thread: thread::JoinHandle<()>,
}

impl Worker {
    fn new() -> Self {
        let (work, to_do) = mpsc::channel::<(World, Vec<Op>)>();
        let (did, done) = mpsc::channel();
        let thread = thread::spawn(move || {
            for (mut world, ops) in to_do {
                ops.iter().for_each(|op| world.take(op));
                did.send(world).expect("the plan goes on");
            }
        });
        Self { work, done, thread }
    }

    fn run(&self, world: World, ops: Vec<Op>) -> World {
        self.work.send((world, ops)).expect("the thread lives");
        self.done.recv().expect("the thread does not fail")
    }

    /// Waits for the thread's end, hooks included.
    fn end(self) {
        drop(self.work);
        self.thread.join().expect("the thread does not fail");
    }
}

fn in_turns(plan: &Plan) -> World {
    let mut workers: Vec<Option<Worker>> = (0..plan.threads).map(|_| None).collect();
    let mut world = World::default();
    let same_thread = |one: &Step, next: &Step| one.thread == next.thread;
    for turn in plan.steps.chunk_by(same_thread) {
        let place = &mut workers[turn[0].thread % plan.threads];
        for life in turn.split_inclusive(|step| matches!(step.op, Op::End)) {
            let ops = life.iter().map(|step| step.op.clone()).collect();
            world = place.get_or_insert_with(Worker::new).run(world, ops);
            if matches!(life[life.len() - 1].op, Op::End) {
                place.take().into_iter().for_each(Worker::end);
            }
            stats();
        }
    }
    workers.into_iter().flatten().for_each(Worker::end);
    world
}

fn at_once(plan: &Plan) -> World {
    let world = &Mutex::new(World::default());
    let start = &Barrier::new(plan.threads);
    thread::scope(|scope| {
        let all: Vec<_> = (0..plan.threads)
            .map(|number| {
                let own = |step: &&Step| step.thread % plan.threads == number;
                let ops: Vec<&Op> = plan.steps.iter().filter(own).map(|step| &step.op).collect();
                scope.spawn(move || {
                    start.wait();
                    for life in ops.split_inclusive(|op| matches!(op, Op::End)) {
                        thread::scope(|scope| {
                            let life = scope.spawn(|| life.iter().for_each(|op| take(world, op)));
                            life.join().expect("the thread does not fail");
                        });
                    }
                })
            })
            .collect();
        for thread in all {
            thread.join().expect("the thread does not fail");
        }
    });
    let mut world = world.lock().expect("no thread failed");
    std::mem::take(&mut world)
}

/// A step, at once with those of others: they see the world before and after, and the allocator in between.
fn take(world: &Mutex<World>, op: &Op) {
    let lock = || world.lock().expect("no thread failed");
    match *op {
        Op::Allocate { .. } => {
            let Some((count, seed)) = lock().room_for(op) else {
                return;
            };
            for number in 0..count {
                let block = allocate(op, seed.wrapping_add(number as u8));
                lock().insert(block);
            }
        }
        Op::Resize { which, size } => {
            let block = lock().remove(which);
            if let Some(mut block) = block {
                block.resize(size);
                lock().insert(block);
            }
        }
        Op::Free { which } => {
            let block = lock().remove(which);
            drop(block);
        }
        Op::FreeHalf { odd } => {
            let half = lock().remove_half(odd);
            drop(half);
        }
        Op::FreeInOrder { eighths } => {
            let lowest = lock().remove_lowest(eighths);
            drop(lowest);
        }
        Op::Release => {
            POOL.release();
            stats();
        }
        Op::End => {}
    }
}

fn allocate(op: &Op, seed: u8) -> Held {
    match *op {
        Op::Allocate {
            size,
            align,
            zeroed: true,
            ..
        } => Held::new_zeroed(size, align, seed),
        Op::Allocate { size, align, .. } => Held::new(size, align, seed),
        _ => unreachable!("only for steps that allocate"),
    }
}

/// All blocks in use, and the places that they take.
#[derive(Default)]
struct World {
    blocks: Vec<Held>,
    places: BTreeMap<usize, usize>,
    bytes: usize,
    seed: u8,
}

impl World {
    /// A step in turn.
    fn take(&mut self, op: &Op) {
        let mine = Mutex::new(std::mem::take(self));
        take(&mine, op);
        *self = mine.into_inner().expect("nothing failed");
    }

    /// How many blocks a step is to allocate, and what to begin telling them apart by.
    fn room_for(&mut self, op: &Op) -> Option<(usize, u8)> {
        let Op::Allocate { size, count, .. } = *op else {
            return None;
        };
        let room = MOST_BYTES.saturating_sub(self.bytes) / size;
        let count = count.min((MOST_BYTES_A_STEP / size).max(3));
        self.seed = self.seed.wrapping_add(89);
        Some((count.min(room), self.seed))
    }

    fn insert(&mut self, block: Held) {
        let place = block.range();
        let before = self.places.range(..place.end).next_back();
        assert!(
            before.is_none_or(|(_, end)| *end <= place.start),
            "{place:x?} overlaps {before:x?}"
        );
        self.bytes += place.len();
        self.places.insert(place.start, place.end);
        self.blocks.push(block);
    }

    fn remove(&mut self, which: usize) -> Option<Held> {
        let block = (!self.blocks.is_empty()).then(|| which % self.blocks.len())?;
        let block = self.blocks.swap_remove(block);
        self.bytes -= block.range().len();
        self.places.remove(&block.range().start);
        Some(block)
    }

    fn remove_half(&mut self, odd: bool) -> Vec<Held> {
        let first = usize::from(odd);
        // From the back, so that what takes a removed one's place has been passed.
        let chosen = (first..self.blocks.len()).step_by(2).rev();
        chosen.filter_map(|which| self.remove(which)).collect()
    }

    fn remove_lowest(&mut self, eighths: usize) -> Vec<Held> {
        self.blocks.sort_by_key(|block| block.range().start);
        let rest = self
            .blocks
            .split_off(self.blocks.len() * eighths.min(8) / 8);
        let lowest = std::mem::replace(&mut self.blocks, rest);
        for block in &lowest {
            self.bytes -= block.range().len();
            self.places.remove(&block.range().start);
        }
        lowest
    }

    fn check(&self) {
        self.blocks.iter().for_each(Held::check);
    }
}
