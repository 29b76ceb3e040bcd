//! Predictions: what the model of CPython says, beside what live interpreters do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Entry, Host, Moment};

/// What the model predicts and what was measured: the document that `cargo xtask python` writes.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Predictions {
    /// The version of this document's form.
    pub schema_version: u32,
    /// The afterdrop version that measured.
    pub afterdrop_version: String,
    /// The command line that produced this, to be run again.
    pub command: String,
    /// The machine.
    pub host: Host,
    /// By scenario, then by interpreter, then by checkpoint.
    pub rows: Vec<Prediction>,
    /// Where the model has every byte, for each scenario and each Python that was predicted.
    pub waterfalls: Vec<Waterfall>,
    /// What was not checked against an interpreter and why, a sentence each.
    pub unchecked: Vec<String>,
    /// Whether the run was interrupted, so that rows are missing.
    pub interrupted: bool,
}

/// What is kept at one checkpoint, by the model and by the interpreter.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Prediction {
    /// The interpreter's executable; null of a Python of which there is none.
    pub interpreter: Option<String>,
    /// The interpreter's own version, such as `3.13.0`; null of a Python of which there is none.
    pub version: Option<String>,
    /// The model that predicts it, such as `3.13 64-bit`; null beside what is no interpreter.
    pub python: Option<String>,
    /// The scenario's name.
    pub scenario: String,
    /// The scenario's size, in its own unit.
    pub size: u64,
    /// The first checkpoint of this kind.
    pub checkpoint: Moment,
    /// What the model keeps, KiB; null where its cell failed.
    pub predicted_kib: Option<i64>,
    /// What the interpreter keeps, KiB; null where there is none, or its cell failed.
    pub measured_kib: Option<i64>,
    /// `measured_kib - predicted_kib`; null where one of them is.
    pub difference_kib: Option<i64>,
    /// Whether the difference is within what is allowed; null where there is none.
    pub within: Option<bool>,
    /// Why one of the cells failed; null where none did.
    pub failure: Option<String>,
}

/// Where every resident byte is, at some checkpoints of a cell.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Waterfall {
    /// The Python, such as `2.4 32-bit`.
    pub python: String,
    /// The scenario's name.
    pub scenario: String,
    /// The scenario's size, in its own unit.
    pub size: u64,
    /// In the order in which they were taken.
    pub steps: Vec<Layers>,
}

/// Where every resident byte is at one checkpoint.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Layers {
    /// The first checkpoint of this kind.
    pub checkpoint: Moment,
    /// What is kept: the sum of the entries less the baseline's, KiB.
    pub kept_kib: i64,
    /// What each layer has more than at the baseline, KiB, from the object down to the kernel.
    pub layers: Vec<Entry>,
}
