//! A benchmark: every workload under every contestant, in rounds.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Host, Status};

/// What `cargo xtask bench` writes and prints.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Benchmark {
    /// [`SCHEMA_VERSION`](crate::SCHEMA_VERSION) of the writer.
    pub schema_version: u32,
    /// The afterdrop version that measured.
    pub afterdrop_version: String,
    /// The command line that produced this, to be run again.
    pub command: String,
    /// The machine.
    pub host: Host,
    /// In how many rounds each workload was to be run.
    pub rounds: u32,
    /// The workloads in the order in which they were run.
    pub workloads: Vec<TimedWorkload>,
    /// Of each contestant, over all workloads.
    pub geomean_to_best_peer: Vec<Geomean>,
    /// Whether the run was interrupted, so that rounds and workloads are missing.
    pub interrupted: bool,
}

/// One workload under every contestant.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct TimedWorkload {
    /// Its name.
    pub name: String,
    /// What it does, in one line.
    pub summary: String,
    /// What one operation is.
    pub operation: String,
    /// The most that the workload holds at once, by its own requests, KiB; null where counting failed.
    pub peak_live_kib: Option<u64>,
    /// What the program has resident before the workload begins, in the process that counted, KiB; null where
    /// counting failed.
    pub program_kib: Option<i64>,
    /// The contestants in the order in which they ran in each round.
    pub contestants: Vec<TimedContestant>,
}

/// One contestant's runs of one workload, and what they come to.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct TimedContestant {
    /// Allocator and setting in one name: `jemalloc`, `jemalloc decay-0`. The control is `best peer again`.
    pub contestant: String,
    /// The allocator, the limit, or the control.
    pub allocator: String,
    /// The knob that was turned; `default` for none.
    pub knob: String,
    /// The version that the allocator itself reports; null of a limit and the control, and where nothing was measured.
    pub allocator_version: Option<String>,
    /// Whom it is compared with.
    pub standing: Standing,
    /// Whether it was measured.
    pub status: Status,
    /// Why it was not.
    pub failure: Option<String>,
    /// Over all rounds; null where it failed.
    pub ns_per_op: Option<Spread>,
    /// To the fastest peer of the same round; null where it failed or there was no peer.
    pub ratio_to_best_peer: Option<Spread>,
    /// The most that was resident beyond the program, KiB: the median of the rounds. Where counting failed, beyond what the
    /// process itself began with.
    pub peak_kib: Option<i64>,
    /// What was resident beyond that once everything had been freed, KiB: the median of the rounds.
    pub kept_kib: Option<i64>,
    /// Each run, in the order of the rounds; where it failed, those before.
    pub runs: Vec<TimedRun>,
}

/// One process.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct TimedRun {
    /// Nanoseconds of the timed passes over their operations.
    pub ns_per_op: f64,
    /// How long that took, in milliseconds.
    pub timed_ms: f64,
    /// As of the contestant; null where the machine does not tell.
    pub peak_kib: Option<i64>,
    /// As of the contestant.
    pub kept_kib: i64,
}

/// What a contestant's time is held against, and who is held against it.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Standing {
    /// Somebody else's allocator, whatever its settings: the fastest of them in a round is what
    /// everybody is compared with.
    Peer,
    /// The project's own: compared, and compared with by nobody.
    Ours,
    /// The machine without an allocator: likewise.
    Limit,
    /// The fastest peer of each round, run once more in it, likewise: what the ratio of something as fast
    /// as the fastest is. By chance, which made it the fastest, that is above 1.
    Control,
}

/// The least, the middle and the most.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Spread {
    /// The least.
    pub min: f64,
    /// The median.
    pub median: f64,
    /// The most.
    pub max: f64,
}

/// One contestant over all workloads.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Geomean {
    /// As in the workloads.
    pub contestant: String,
    /// The geometric mean of the workloads' median ratios; null where one is missing.
    pub ratio: Option<f64>,
}
