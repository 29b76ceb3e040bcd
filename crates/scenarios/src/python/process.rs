//! The program that this process runs: one, as a Python process has one interpreter, which is there
//! before the first object is built and after the last one was dropped.
//!
//! It stands in a static and not in a thread-local, which would move those of the allocators: jemalloc
//! seeds its decay from the address of one.

use std::sync::{Mutex, MutexGuard, PoisonError};

use cpython_layers::{Aside, Build, Heap, Interpreter, OutOfMemory};

use super::SURVIVES;
use super::statements::Program;
use crate::{Object, Scenario};

static PROGRAM: Mutex<Option<Program<Heap>>> = Mutex::new(None);

fn program() -> MutexGuard<'static, Option<Program<Heap>>> {
    PROGRAM.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Bytes of tables for each element of a list: its place there, in its pool and on free lists.
const TABLES_PER_ELEMENT: u64 = 24;

/// Starts the interpreter anew, for this scenario in this size. What one that ran before
/// still has stays there.
pub fn start(build: Build, scenario: &Scenario, size: u64) {
    let tables = size.saturating_mul(TABLES_PER_ELEMENT);
    Aside::prepare(tables.min((scenario.footprint_bytes)(size)) as usize);
    *program() = Some(must(Program::start(build, Heap)));
}

/// Ends the interpreter, if one runs. What it still has stays there, and is nobody's.
pub fn stop() {
    *program() = None;
}

/// A full collection, `gc.collect()`.
pub fn collect() {
    with(Program::collect);
}

/// What a program in Python does that goes on running.
pub fn traffic() {
    with(|program| must(program.traffic()));
}

/// What this makes of the interpreter; `None` where none was started.
pub fn look<T>(look: impl FnOnce(&Interpreter<Heap>) -> T) -> Option<T> {
    program()
        .as_ref()
        .map(|program| look(program.interpreter()))
}

/// Runs these statements, which make the global `L`: `drop_large` is `L = None`.
pub(super) fn large(size: u64, statements: Statements) -> Box<dyn Object> {
    run(|program| statements(program, size));
    Box::new(Large)
}

/// The same, and `drop_large` is `S = L[::SURVIVES]` before.
pub(super) fn thinned(size: u64, statements: Statements) -> Box<dyn Object> {
    run(|program| statements(program, size));
    Box::new(Thinned(Large))
}

pub(super) type Statements = fn(&mut Program<Heap>, u64) -> Result<(), OutOfMemory>;

fn run(statements: impl FnOnce(&mut Program<Heap>) -> Result<(), OutOfMemory>) {
    with(|program| must(statements(program)));
}

/// Of the newest version, where nobody has said which.
fn with<T>(act: impl FnOnce(&mut Program<Heap>) -> T) -> T {
    let newest = || must(Program::start(Build::newest(), Heap));
    act(program().get_or_insert_with(newest))
}

/// The same of the program that runs, where one does: what a name stood for has ended with its program.
fn with_running<T>(act: impl FnOnce(&mut Program<Heap>) -> T) -> Option<T> {
    program().as_mut().map(act)
}

fn live_bytes() -> u64 {
    with_running(|program| program.live_bytes() as u64).unwrap_or_default()
}

/// Where there is no memory the process ends, as it does for a `Box`.
fn must<T>(made: Result<T, OutOfMemory>) -> T {
    made.unwrap_or_else(|error| panic!("{error}"))
}

// Names of the program. They take no memory, so that nothing but Python's own requests reaches the
// allocator, and a name that is dropped is let go of.

struct Large;

struct Thinned(Large);

struct Survivors;

impl Object for Large {
    fn live_bytes(&self) -> u64 {
        live_bytes()
    }
}

impl Object for Thinned {
    fn live_bytes(&self) -> u64 {
        self.0.live_bytes()
    }

    fn drop_large(self: Box<Self>) -> Option<Box<dyn Object>> {
        run(|program| program.slice(SURVIVES));
        drop(self);
        Some(Box::new(Survivors))
    }
}

impl Object for Survivors {
    fn live_bytes(&self) -> u64 {
        live_bytes()
    }
}

impl Drop for Large {
    fn drop(&mut self) {
        with_running(Program::drop_large);
    }
}

impl Drop for Survivors {
    fn drop(&mut self) {
        with_running(Program::drop_survivors);
    }
}

const _: () = assert!(size_of::<(Large, Thinned, Survivors)>() == 0);
