//! The nouns of afterdrop and their JSON.
//!
//! A *cell* is one scenario under one allocator with one knob. The driver walks a
//! *subject* (a process with that allocator) through *checkpoints*; at each of them
//! the kernel is asked for the process's *memory* and the allocator for its *account*.
//! The oracle turns a cell's checkpoints into a *verdict*. All cells of a run, the host
//! they ran on and what it cost make a *comparison*, the document that every renderer
//! reads and that `docs/compare.schema.json` describes.
//!
//! This crate holds data and no decision: it measures nothing, judges nothing and
//! renders nothing. Units stand last in a name: `kept_kib`, `clock_ms`.

mod cell;
mod checkpoint;
mod comparison;
mod control;
mod explanation;
mod host;
mod knob;
pub mod protocol;
mod verdict;

pub use cell::{Cell, Conditions, Status};
pub use checkpoint::{Account, Checkpoint, Memory, MemorySource, Moment};
pub use comparison::{Comparison, SCHEMA_VERSION, Timings};
pub use control::{Controls, TriedControl};
pub use explanation::{Explanation, Price, SmallestKnob, TriedKnob};
pub use host::{Host, LabCondition, Upheld};
pub use knob::{AfterDrop, Catalogue, DocumentedKnob, Knob};
pub use verdict::{Returned, Returns, Verdict};
