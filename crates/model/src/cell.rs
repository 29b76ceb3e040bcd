//! A cell: one scenario under one allocator with one knob, measured and judged.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Cause, CellKey, Checkpoint, Part, Turned, Upheld, Verdict};

/// One scenario under one allocator with one knob, measured and judged.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Cell {
    /// The allocator's name, such as `jemalloc`; of an executable of the user's own, its file name.
    pub allocator: String,
    /// What the allocator is called in a sentence, such as `system malloc`; null if it never said hello.
    pub allocator_title: Option<String>,
    /// The version that the allocator itself reports; null if it never said hello.
    pub allocator_version: Option<String>,
    /// The scenario's name.
    pub scenario: String,
    /// The Python that the scenario ran in, such as `2.4 32-bit`; null of a scenario that is none of
    /// Python's.
    #[serde(default)]
    pub python: Option<String>,
    /// The machine, in a comparison that was merged of several; null in any other.
    #[serde(default)]
    pub machine: Option<String>,
    /// The scenario's size, in its own unit (see `cargo xtask list`).
    pub size: u64,
    /// The seed of everything random in the scenario.
    pub seed: u64,
    /// The knob's name: `default` where nothing was turned.
    pub knob: String,
    /// How the knob was turned, and what that does; null where nothing was turned.
    #[serde(default)]
    pub turned: Option<Turned>,
    /// What chose the subject on the command line; null in results of before that was told.
    #[serde(default)]
    pub chosen: Option<Choice>,
    /// Whether the lab's or the machine's own conditions were asked for.
    pub conditions: Conditions,
    /// The lab conditions that the subject found itself under; null if it never said hello.
    pub upheld: Option<Upheld>,
    /// The call by which the allocator was asked to give memory back, such as `malloc_trim(0)`; null where it has none, and was not asked.
    pub release_call: Option<String>,
    /// What the parts of the allocator's account are, and of any process's; empty if it never said hello.
    #[serde(default)]
    pub parts: Vec<Part>,
    /// Whether the cell was measured to its end.
    pub status: Status,
    /// Why it was not; null where it was.
    pub failure: Option<String>,
    /// The checkpoints in the order in which they were taken; those before a failure are kept.
    pub checkpoints: Vec<Checkpoint>,
    /// What the oracle concludes; null where the cell failed.
    pub verdict: Option<Verdict>,
    /// Why memory stays; null where the cell failed.
    #[serde(default)]
    pub cause: Option<Cause>,
}

impl Cell {
    /// What makes it the same cell, measured again.
    pub fn key(&self) -> CellKey {
        CellKey {
            scenario: self.scenario.clone(),
            python: self.python.clone(),
            size: self.size,
            seed: self.seed,
            allocator: self.allocator.clone(),
            knob: self.knob.clone(),
            conditions: self.conditions,
            machine: self.machine.clone(),
        }
    }

    /// The scenario and, where there is one, its Python: `python-int-list in Python 2.4 32-bit`.
    pub fn experiment(&self) -> String {
        match &self.python {
            Some(python) => format!("{} in Python {python}", self.scenario),
            None => self.scenario.clone(),
        }
    }
}

/// The option of the command line by which a subject was chosen, and its value.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// `--allocator`, by name.
    Allocator(String),
    /// `--subject`, by path: of an executable, or of the folder of its package.
    Subject(String),
    /// `--interpreter`, by path or name.
    Interpreter(String),
}

/// Whether a cell was measured to its end.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// All checkpoints were taken.
    Measured,
    /// The subject died, hung or broke the protocol.
    Failed,
}

/// The conditions that a cell was measured under.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conditions {
    /// Lab clock, no address randomisation, no huge pages, one CPU, an empty environment: repeatable to the page.
    Lab,
    /// The machine as it is, in real time.
    Host,
}

impl Conditions {
    /// The name in the JSON and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Conditions::Lab => "lab",
            Conditions::Host => "host",
        }
    }
}
