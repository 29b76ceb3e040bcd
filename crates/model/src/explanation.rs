//! An explanation: one cell, and every knob of its allocator tried on it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Cell, Host};

/// One cell as it is by default, every knob of its allocator tried on it, and the smallest that
/// suffices: the document that `cargo xtask explain` prints.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Explanation {
    /// [`SCHEMA_VERSION`](crate::SCHEMA_VERSION) of the writer.
    pub schema_version: u32,
    /// The afterdrop version that measured.
    pub afterdrop_version: String,
    /// The command line that produced this, to be run again.
    pub command: String,
    /// The machine.
    pub host: Host,
    /// The cell with nothing turned.
    pub cell: Cell,
    /// Every knob, in the order of the catalogue.
    pub knobs: Vec<TriedKnob>,
    /// Of those that bring the object back at once, the one that costs least; null where none
    /// does, or none is needed.
    pub smallest_knob: Option<SmallestKnob>,
}

/// A knob and what came of turning it.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct TriedKnob {
    /// What it does.
    pub does: String,
    /// How it stands by default, as documented.
    pub default: String,
    /// What it costs, as documented.
    pub cost: String,
    /// How to turn it: environment variables, or the call after each drop.
    pub how: String,
    /// The cell with this knob turned; its `knob` is the name.
    pub cell: Cell,
    /// What it cost here; null where it gave nothing back at the drop, or the cell failed.
    pub price: Option<Price>,
}

/// What a knob costs over the default settings, for each GiB that it gives back at the drops.
/// Negative where it saves.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Price {
    /// CPU milliseconds of building and dropping.
    pub cpu_ms_per_gib: f64,
    /// Minor page faults of building and dropping; null where they are not counted.
    pub minor_faults_per_gib: Option<f64>,
}

/// The knob to turn.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct SmallestKnob {
    /// Its name.
    pub name: String,
    /// How to turn it.
    pub how: String,
    /// What it cost here.
    pub price: Price,
    /// Other knobs that suffice at the same cost, as far as CPU times and page faults tell.
    #[serde(default)]
    pub as_cheap: Vec<String>,
}
