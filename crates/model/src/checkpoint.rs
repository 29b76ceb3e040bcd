//! A checkpoint: one moment of a subject's life and every figure taken at it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Account, Entry};

/// What had just happened when a checkpoint was taken.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// Warmed up: every command has been answered once.
    Baseline,
    /// The large object is alive.
    Built,
    /// The large object is gone.
    Dropped,
    /// The clock moved on; nobody called the allocator.
    Idle,
    /// The clock moved on and ordinary traffic followed.
    Active,
    /// The garbage collector did a full collection; only where the scenario has one.
    Collected,
    /// The allocator was asked to give memory back.
    Released,
    /// Some time after the release: has anything come back?
    Settled,
}

impl Moment {
    /// The name in the JSON.
    pub fn name(self) -> &'static str {
        match self {
            Moment::Baseline => "baseline",
            Moment::Built => "built",
            Moment::Dropped => "dropped",
            Moment::Idle => "idle",
            Moment::Active => "active",
            Moment::Collected => "collected",
            Moment::Released => "released",
            Moment::Settled => "settled",
        }
    }
}

/// One moment of a subject's life and every figure taken at it.
///
/// `minor_faults` and `cpu_ms` are what the step that led here cost the subject;
/// everything else is the state that the step left behind.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Checkpoint {
    /// What had just happened.
    pub name: Moment,
    /// The round of building and dropping that this belongs to: 0 at the baseline, else from 1.
    pub round: u32,
    /// The subject's clock, in milliseconds since the baseline.
    pub clock_ms: u64,
    /// `anonymous_kib + swap_kib - lazy_kib`, less the same sum at the baseline.
    pub kept_kib: i64,
    /// What the kernel says of the process.
    #[serde(flatten)]
    pub memory: Memory,
    /// Minor page faults of the step; null where the machine does not count them per process.
    pub minor_faults: Option<u64>,
    /// CPU time of the step, user and system, in milliseconds.
    pub cpu_ms: f64,
    /// Bytes that the scenario asked for and still holds.
    pub live_bytes: u64,
    /// What the allocator says of itself.
    pub account: Account,
    /// Where `anonymous_kib + swap_kib` are, as the oracle makes it out: the entries sum to that.
    /// Empty until it has.
    #[serde(default)]
    pub ledger: Vec<Entry>,
}

/// What the kernel says of a process's memory.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Memory {
    /// Pages that no file backs, KiB. Includes `lazy_kib`.
    pub anonymous_kib: u64,
    /// Pages that the process gave up with `MADV_FREE` and the kernel has not taken yet, KiB.
    pub lazy_kib: u64,
    /// Pages in swap, KiB.
    pub swap_kib: u64,
    /// Resident set, file-backed pages included, KiB.
    pub rss_kib: u64,
    /// Address space, KiB.
    pub virtual_kib: u64,
    /// Where the figures come from, and so how far to trust them.
    pub memory_source: MemorySource,
}

impl Memory {
    /// What the process holds of the machine: `anonymous + swap - lazy`, KiB.
    ///
    /// File-backed pages are left out because they come and go with the program's text;
    /// swapped pages are counted because they were not given back; lazily freed ones are
    /// not, because the kernel may take them whenever it likes.
    pub fn held_kib(&self) -> i64 {
        (self.anonymous_kib + self.swap_kib) as i64 - self.lazy_kib as i64
    }
}

/// Where memory figures come from.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MemorySource {
    /// `/proc/PID/smaps_rollup`, a walk over the page tables: exact to the page.
    #[default]
    SmapsRollup,
    /// The operating system's running counter of resident memory: coarse, file-backed pages included.
    ResidentCounter,
}
