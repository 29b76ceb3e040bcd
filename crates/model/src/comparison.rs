//! A comparison: all cells of one run, where they were measured and what that cost.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Cell, Host};

/// The version of the JSON document. It rises when a field changes its meaning or goes away.
pub const SCHEMA_VERSION: u32 = 1;

/// All cells of one run: the document that `cargo xtask compare` writes and every renderer reads.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Comparison {
    /// The version of this document's form.
    pub schema_version: u32,
    /// The afterdrop version that measured.
    pub afterdrop_version: String,
    /// The command line that produced this, to be run again.
    pub command: String,
    /// The machine; of several, the first.
    pub host: Host,
    /// The machines, where this was merged of results from several; empty where it was not.
    #[serde(default)]
    pub machines: Vec<Machine>,
    /// Which part of the cells this is; null where it is all of them.
    #[serde(default)]
    pub shard: Option<Shard>,
    /// The cells in the order in which they were measured: by scenario, then by allocator.
    pub cells: Vec<Cell>,
    /// Whether the run was interrupted, so that cells are missing.
    pub interrupted: bool,
    /// What measuring cost.
    pub timings: Timings,
}

/// One of several machines that a comparison is of.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Machine {
    /// The name that its cells have.
    pub name: String,
    /// The command line that was run there.
    pub command: String,
    /// The machine.
    pub host: Host,
}

/// A part of the cells: of every `of` in their order, the one at `index`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Shard {
    /// From 1 to `of`.
    pub index: u32,
    /// How many parts there are.
    pub of: u32,
}

impl Shard {
    /// Whether the cell at this place, counted from 0, is in the part.
    pub fn has(self, place: usize) -> bool {
        place % self.of as usize == self.index as usize - 1
    }
}

impl std::fmt::Display for Shard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

/// What measuring cost, in milliseconds, over all cells: CPU time, but for the last of them.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Timings {
    /// CPU time that the subjects spent on the scenario: building, dropping, traffic, releasing.
    pub subject_ms: f64,
    /// CPU time that the subjects spent on the allocators' accounts of themselves.
    pub account_ms: f64,
    /// CPU time spent in reading the kernel's figures.
    pub probe_ms: f64,
    /// CPU time that the driver spent on everything else: spawning, handshakes, reaping.
    pub driver_ms: f64,
    /// Real time from the last drop to the last checkpoint: what letting the clock run took.
    pub after_drop_ms: f64,
}

impl Timings {
    /// What the driver and the probe add, as a fraction of the subjects' own time; `None` where no
    /// subject did anything.
    pub fn overhead(&self) -> Option<f64> {
        (self.subject_ms > 0.0).then(|| (self.probe_ms + self.driver_ms) / self.subject_ms)
    }

    /// Adds another run's cost to this one.
    pub fn add(&mut self, other: &Timings) {
        self.subject_ms += other.subject_ms;
        self.account_ms += other.account_ms;
        self.probe_ms += other.probe_ms;
        self.driver_ms += other.driver_ms;
        self.after_drop_ms += other.after_drop_ms;
    }
}
