//! What the oracle concludes of a cell.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Moment;

/// When, and on whose account, a dropped object's memory comes back.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Verdict {
    /// The first occasion at which the memory had come back.
    pub returns: Returns,
    /// The kind of checkpoint that showed it first; null where the memory never came back.
    #[serde(default)]
    pub occasion: Option<Moment>,
    /// Clock milliseconds from the last drop to that occasion; null where it never came, and where it
    /// was a later round of building and dropping.
    pub after_ms: Option<u64>,
    /// The moments of ordinary traffic that it took; null where the memory came back without any, or
    /// not with the traffic that there was.
    pub traffic_moments: Option<u32>,
    /// The round whose drop the verdict is about: the last, unless its memory came back at once and
    /// an earlier one's did not; then the one that kept most.
    pub round: u32,
    /// The largest part of `occupied_kib` that a ledger leaves unexplained; null of an object that
    /// occupied next to nothing.
    pub unexplained: Option<f64>,
    /// What the object occupied, KiB: `kept_kib` at the first round's `built`.
    pub occupied_kib: i64,
    /// What the scenario still held after the last drop, KiB: the blocks that outlive the object.
    pub survivors_kib: i64,
    /// What is kept after the last drop for each KiB of survivors; null where there are none.
    pub pin_amplification: Option<f64>,
    /// The largest part of `occupied_kib` that had been freed lazily (`MADV_FREE`) at any checkpoint
    /// from the last drop on: the resident size shows it, the kernel may take it.
    pub lazily: f64,
    /// What came back into the process between `released` and `settled`, KiB; null where the run
    /// has no such checkpoints.
    pub rebound_kib: Option<i64>,
    /// What the rounds before changed: the part returned at the first drop less that at the last.
    /// Null with one round, or where nothing was dropped.
    pub history: Option<f64>,
    /// The part of the second build's page faults that kept memory spared it:
    /// `1 - faults(built 2) / faults(built 1)`. Null with one round, or where the first build
    /// took too few faults to compare.
    pub reuse: Option<f64>,
    /// The part of what was dropped that had come back, at each checkpoint from the first drop on.
    pub returned: Vec<Returned>,
}

/// The first occasion at which a dropped object's memory had come back.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, JsonSchema, Ord, PartialEq, PartialOrd, Serialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Returns {
    /// In the drop itself.
    AtOnce,
    /// By the clock alone.
    WhenIdle,
    /// With the program's next ordinary traffic, or in the next round of building and dropping.
    OnActivity,
    /// When the allocator was asked.
    OnRequest,
    /// Some of it at one of these occasions, and not enough at any.
    Partly,
    /// Next to nothing, at none of them.
    Never,
}

impl Returns {
    /// Each of them, the earliest occasion first.
    pub const ALL: [Returns; 6] = [
        Returns::AtOnce,
        Returns::WhenIdle,
        Returns::OnActivity,
        Returns::OnRequest,
        Returns::Partly,
        Returns::Never,
    ];

    /// The name in the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Returns::AtOnce => "at-once",
            Returns::WhenIdle => "when-idle",
            Returns::OnActivity => "on-activity",
            Returns::OnRequest => "on-request",
            Returns::Partly => "partly",
            Returns::Never => "never",
        }
    }
}

/// How much of the object had come back at one checkpoint.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Returned {
    /// What had just happened.
    pub name: Moment,
    /// The round it belongs to.
    pub round: u32,
    /// The subject's clock, in milliseconds since the baseline.
    pub clock_ms: u64,
    /// `(occupied - kept) / (occupied - survivors)`. Below 0 where more is kept than the object
    /// occupied when it was first built, above 1 where less is held than at the baseline, null where nothing was dropped.
    pub fraction: Option<f64>,
}
