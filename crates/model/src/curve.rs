//! A retention curve: what is kept of a dropped object as the clock runs on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Cell, Host, Timings};

/// Retention curves of one scenario: the document that `cargo xtask curve` prints as JSON.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Curves {
    /// [`SCHEMA_VERSION`](crate::SCHEMA_VERSION) of the writer.
    pub schema_version: u32,
    /// The afterdrop version that measured.
    pub afterdrop_version: String,
    /// The command line that produced this, to be run again.
    pub command: String,
    /// The machine.
    pub host: Host,
    /// The clock, in milliseconds after the last drop, up to which each wait went; the first is the
    /// drop itself, 0. In real time the readings in `points` are somewhat later.
    pub times_ms: Vec<u64>,
    /// The curves in the order in which they were measured: by mode, then by allocator.
    pub curves: Vec<Curve>,
    /// Whether the run was interrupted, so that curves are missing.
    pub interrupted: bool,
    /// What measuring cost.
    pub timings: Timings,
}

/// One cell from its last drop on. Its `verdict` knows no other occasions than the curve's own.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Curve {
    /// What the program did while the clock ran.
    pub mode: Mode,
    /// Clock milliseconds from the last drop to the first point at which half of what was dropped had
    /// come back; null where it never had.
    pub t50_ms: Option<u64>,
    /// The same for nine tenths.
    pub t90_ms: Option<u64>,
    /// What was kept, from the last drop on; of a cell that failed, until then.
    pub points: Vec<Point>,
    /// The cell: every checkpoint, with every figure.
    #[serde(flatten)]
    pub cell: Cell,
}

/// What the program does while the clock runs.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Nothing: nobody calls the allocator.
    Idle,
    /// A moment of ordinary traffic before each point.
    Active,
}

impl Mode {
    /// Each of them.
    pub const ALL: [Mode; 2] = [Mode::Idle, Mode::Active];

    /// The name in the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Idle => "idle",
            Mode::Active => "active",
        }
    }
}

/// One point of a curve.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Point {
    /// The subject's clock, in milliseconds since the last drop.
    pub clock_ms: u64,
    /// `kept_kib` of the checkpoint.
    pub kept_kib: i64,
    /// The same as a part of what the object occupied; null where it occupied nothing.
    pub kept_fraction: Option<f64>,
}
