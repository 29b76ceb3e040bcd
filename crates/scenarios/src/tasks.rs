//! `tasks-awaited` and `tasks-detached`: a million small tasks, as an executor would hold them.
//!
//! Why did a program of a million tasks shrink when it awaited their handles, and not when it did
//! not (tokio-rs/tokio#4406)? A task is one block that its executor and its handle share, and who
//! lets go last frees it. Awaited in the order of spawning, tasks are freed front to back. Detached,
//! they are freed as they finish, in whatever order that is. Nothing else differs.

use std::cell::RefCell;
use std::hint::black_box;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use fastrand::Rng;

use crate::{Object, Scenario, boxed};

pub(crate) const AWAITED: Scenario = Scenario {
    name: "tasks-awaited",
    summary: "tasks that finish in any order, their handles awaited in the order of spawning",
    question: "does memory come back when a million finished tasks are freed front to back?",
    unit: "tasks",
    default_size: 1_000_000,
    footprint_bytes: |size| size.saturating_mul(BYTES_PER_TASK + 2 * REFERENCE_BYTES),
    build: |size, seed| {
        boxed(|| {
            let tasks = spawn(size);
            let handles = tasks.clone();
            Executor {
                sleeping: shuffled(tasks, seed),
                handles,
            }
        })
    },
};

pub(crate) const DETACHED: Scenario = Scenario {
    name: "tasks-detached",
    summary: "the same tasks without handles, freed in the order in which they finish",
    question: "does memory come back when a million tasks are freed as they finish?",
    build: |size, seed| {
        boxed(|| Executor {
            sleeping: shuffled(spawn(size), seed),
            handles: Vec::new(),
        })
    },
    ..AWAITED
};

/// A task: two counts of references, a borrow flag and the future, which ends as its result.
type Task = Rc<RefCell<Errand>>;

const REFERENCE_BYTES: u64 = size_of::<Task>() as u64;
const BYTES_PER_TASK: u64 = (2 * size_of::<usize>() + size_of::<RefCell<Errand>>()) as u64;

/// What a task has to do: sleep once, with its locals alive. As an `async` block would be compiled.
enum Errand {
    New([u64; 16]),
    Asleep([u64; 16]),
    Done,
}

impl Future for Errand {
    type Output = u64;

    fn poll(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<u64> {
        match *self {
            Errand::New(locals) => {
                *self = Errand::Asleep(locals);
                Poll::Pending
            }
            Errand::Asleep(locals) => {
                *self = Errand::Done;
                Poll::Ready(locals[0])
            }
            Errand::Done => unreachable!("polled after it was done"),
        }
    }
}

/// Tasks that have gone to sleep, in the order of spawning.
fn spawn(size: u64) -> Vec<Task> {
    let task = |index| {
        let task = black_box(Rc::new(RefCell::new(Errand::New([index; 16]))));
        assert!(poll(&task).is_pending());
        task
    };
    (0..size).map(task).collect()
}

fn poll(task: &Task) -> Poll<u64> {
    let mut context = Context::from_waker(Waker::noop());
    Pin::new(&mut *task.borrow_mut()).poll(&mut context)
}

/// The order in which they will wake up.
fn shuffled(mut tasks: Vec<Task>, seed: u64) -> Vec<Task> {
    Rng::with_seed(seed).shuffle(&mut tasks);
    tasks
}

struct Executor {
    sleeping: Vec<Task>,
    handles: Vec<Task>,
}

impl Object for Executor {
    fn live_bytes(&self) -> u64 {
        let references = self.sleeping.capacity() + self.handles.capacity();
        self.sleeping.len() as u64 * BYTES_PER_TASK + references as u64 * REFERENCE_BYTES
    }
}

/// Every task runs to its end, then whoever holds a handle lets go of it.
impl Drop for Executor {
    fn drop(&mut self) {
        for task in self.sleeping.drain(..) {
            assert!(black_box(poll(&task)).is_ready());
        }
    }
}
