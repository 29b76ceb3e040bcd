//! The nouns of afterdrop and their JSON.
//!
//! A *cell* is one scenario under one allocator with one knob. The driver walks a
//! *subject* (a process with that allocator) through *checkpoints*; at each of them
//! the kernel is asked for the process's *memory* and the allocator for its *account*.
//! The oracle turns a cell's checkpoints into a *ledger* each, a *verdict* and a *cause*. All cells of a run, the host
//! they ran on and what it cost make a *comparison*, the document that every renderer
//! reads and that `docs/compare.schema.json` describes. A *curve* is a cell that did nothing but let
//! the clock run after its last drop. What is not the same in two comparisons is their *differences*. A *benchmark* has no cells: it times *workloads*.
//!
//! This crate holds data and no decision: it measures nothing, judges nothing and
//! renders nothing but single [`figures`], which look the same in every sentence and table. Units stand last in a name: `kept_kib`, `clock_ms`.

mod account;
mod benchmark;
mod cause;
mod cell;
mod checkpoint;
mod comparison;
mod control;
mod curve;
mod difference;
mod document;
mod explanation;
pub mod figures;
mod host;
mod knob;
mod ledger;
mod prediction;
pub mod protocol;
mod schema;
mod tradeoff;
mod verdict;

pub use account::{Account, Figure, Figures, Holds, MOST_FIGURES, Part, Parts};
pub use benchmark::{
    Benchmark, Geomean, Spread, Standing, TimedContestant, TimedRun, TimedWorkload,
};
pub use cause::{Cause, Evidence};
pub use cell::{Cell, Choice, Conditions, Status};
pub use checkpoint::{Checkpoint, Memory, MemorySource, Moment};
pub use comparison::{Comparison, Machine, SCHEMA_VERSION, Shard, Timings};
pub use control::{Controls, TriedControl};
pub use curve::{Curve, Curves, Mode, Point};
pub use difference::{At, CellDifferences, CellKey, Change, Circumstance, Differences, Origin};
pub use explanation::{Explanation, Price, SmallestKnob, TriedKnob};
pub use host::{Host, LabCondition, Upheld};
pub use knob::{AfterDrop, Catalogue, DocumentedKnob, Knob, Turned};
pub use ledger::Entry;
pub use prediction::{Layers, Prediction, Predictions, Waterfall};
pub use schema::Document;
pub use tradeoff::{KnobPrices, Tradeoff, Tradeoffs};
pub use verdict::{Returned, Returns, Verdict};
