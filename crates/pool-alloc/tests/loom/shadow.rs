//! What the model checker knows of each address: its *shadow*, kept beside the memory rather than in it.
//!
//! The allocator lives in memory that it maps itself and takes for valid where it is zero. Loom's types know nothing
//! of that: each is made by a call and is far larger than a word. So the types of `sync` are laid out as the real ones
//! are, and look their loom counterpart up by address, which is made when the address is first used:
//!
//! ```text
//! a cell's value      is in memory      its shadow says who touched it and when (a race fails the model)
//! an atomic's value   is in its shadow  (a load may see old values), and begins as what is in memory
//! ```
//!
//! All shadows belong to one execution of a model; the next one begins without any. Memory that was unmapped stays
//! mapped to the execution's end, so that whoever touches it fails the model and not the process.

use std::any::Any;
use std::cell::{Cell as Plain, RefCell};
use std::collections::HashMap;
use std::ops::Range;
use std::ptr::NonNull;
use std::rc::Rc;

use loom::sync::atomic::{AtomicUsize as LoomAtomic, Ordering};
use loom::thread::ThreadId;

use crate::heap::Heap;
use crate::list::Ref;
use crate::{os, thread};

/// Where an atomic's turns are counted: atomics lie at even addresses.
const TURN: usize = 1;

/// Where a static is, and whose it is if it is one thread's.
type Static = (usize, Option<ThreadId>);

/// One execution of a model.
#[derive(Default)]
pub(crate) struct Execution {
    cells: RefCell<HashMap<usize, Rc<loom::cell::UnsafeCell<()>>>>,
    atomics: RefCell<HashMap<usize, Rc<LoomAtomic>>>,
    statics: RefCell<HashMap<Static, Rc<dyn Any>>>,
    exits: RefCell<HashMap<ThreadId, NonNull<Heap>>>,
    mapped: RefCell<Vec<Range<usize>>>,
    unmapped: RefCell<Vec<Range<usize>>>,
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<Execution>>> = const { RefCell::new(None) };
    static EXECUTIONS: Plain<usize> = const { Plain::new(0) };
}

/// The execution that the calling thread runs, if it runs one. (Loom runs all threads of a model on one.)
pub(crate) fn execution() -> Option<Rc<Execution>> {
    // A thread that ends, in a unit test, comes here when its thread-locals are gone.
    CURRENT.try_with(|current| current.borrow().clone()).ok()?
}

/// Explores every execution of `model` that loom can tell apart, or those with so many preemptions at most; returns
/// how many there were. `LOOM_MAX_PREEMPTIONS` sets another bound.
pub(crate) fn explore(model: fn(), bound: Option<usize>) -> usize {
    EXECUTIONS.set(0);
    let mut builder = loom::model::Builder::new();
    builder.max_branches = 100_000;
    builder.preemption_bound = builder.preemption_bound.or(bound);
    builder.check(move || {
        EXECUTIONS.set(EXECUTIONS.get() + 1);
        CURRENT.set(Some(Rc::default()));
        model();
        let done = CURRENT.take().expect("the model ran in it");
        done.unmap_all();
    });
    EXECUTIONS.get()
}

impl Execution {
    /// Notes that the calling thread reads the cell at `at`.
    pub(crate) fn reads(&self, at: usize) {
        self.cell(at).with(|_| ());
    }

    /// Notes that the calling thread writes the cell at `at`.
    pub(crate) fn writes(&self, at: usize) {
        self.cell(at).with_mut(|_| ());
    }

    fn cell(&self, at: usize) -> Rc<loom::cell::UnsafeCell<()>> {
        self.assert_is_mapped(at);
        let make = || Rc::new(loom::cell::UnsafeCell::new(()));
        Rc::clone(self.cells.borrow_mut().entry(at).or_insert_with(make))
    }

    /// The shadow of the atomic at `at`, whose value was `initial` when it got one.
    pub(crate) fn atomic(&self, at: usize, initial: usize) -> Rc<LoomAtomic> {
        self.assert_is_mapped(at);
        let make = || Rc::new(LoomAtomic::new(initial));
        Rc::clone(self.atomics.borrow_mut().entry(at).or_insert_with(make))
    }

    /// What a static is in this execution, for all threads or for one of them.
    pub(crate) fn of_static<T: Any>(
        &self,
        at: usize,
        thread: Option<ThreadId>,
        make: impl FnOnce() -> T,
    ) -> Rc<T> {
        let key = (at, thread);
        let known = self.statics.borrow().get(&key).cloned();
        let value = known.unwrap_or_else(|| {
            let made: Rc<dyn Any> = Rc::new(make());
            self.statics.borrow_mut().insert(key, Rc::clone(&made));
            made
        });
        value.downcast().expect("a static has one type")
    }

    pub(crate) fn arm(&self, heap: NonNull<Heap>) {
        let thread = loom::thread::current().id();
        self.exits.borrow_mut().insert(thread, heap);
    }

    /// What the hook does when the calling thread ends; not through the hook, which may not unwind.
    pub(crate) fn end_thread(&self) {
        let thread = loom::thread::current().id();
        let armed = self.exits.borrow_mut().remove(&thread);
        if let Some(heap) = armed {
            // SAFETY: the hook was armed with a heap.
            thread::retire(unsafe { Ref::new(heap) });
        }
    }

    pub(crate) fn mapped(&self, range: Range<usize>) {
        self.mapped.borrow_mut().push(range);
    }

    /// The calling thread needs nothing in `range` any more, and says that nobody else does: everything that any
    /// thread did there must have happened before.
    pub(crate) fn discards(&self, range: &Range<usize>) {
        for at in touched(&self.cells, range) {
            self.writes(at);
        }
    }

    /// As above, and whoever comes back fails.
    pub(crate) fn unmaps(&self, range: Range<usize>) {
        self.discards(&range);
        for at in touched(&self.atomics, &range) {
            let shadow = self.atomics.borrow_mut().remove(&at).expect("it was found");
            let mut shadow = Rc::try_unwrap(shadow).expect("nobody holds on to a shadow");
            shadow.with_mut(|_| ());
        }
        self.unmapped.borrow_mut().push(range);
    }

    /// Notes that the calling thread is about to use the atomic at `at`, and lets every other go first.
    ///
    /// Loom (0.7) keeps one last access of each atomic and forgets, of two threads that load and then exchange, that
    /// the first one's load might have come later: such executions it leaves out. Here each use begins with an
    /// exchange that orders nothing, at a place of its own, of which loom tries every order.
    pub(crate) fn takes_turn(&self, at: usize) {
        self.atomic(at | TURN, 0).fetch_or(0, Ordering::Relaxed);
    }

    fn assert_is_mapped(&self, at: usize) {
        let gone = self
            .unmapped
            .borrow()
            .iter()
            .any(|range| range.contains(&at));
        assert!(!gone, "{at:#x} is used after it was unmapped");
    }

    fn unmap_all(&self) {
        self.mapped.take().into_iter().for_each(os::unmap_really);
    }
}

/// The addresses in `range` that have a shadow, in order: what a model does must not depend on a hash.
fn touched<T>(shadows: &RefCell<HashMap<usize, T>>, range: &Range<usize>) -> Vec<usize> {
    let shadows = shadows.borrow();
    let mut found: Vec<usize> = shadows
        .keys()
        .copied()
        .filter(|at| range.contains(at))
        .collect();
    found.sort_unstable();
    found
}
