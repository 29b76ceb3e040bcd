//! Differences: what is not the same in two comparisons, cell by cell.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Conditions, Host, Moment, Returns, Status};

/// What is not the same in two comparisons: the document that `cargo xtask diff` prints as JSON.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Differences {
    /// The version of this document's form, which is that of the comparisons it is about.
    pub schema_version: u32,
    /// Where the older comparison comes from.
    pub old: Origin,
    /// Where the newer one comes from.
    pub new: Origin,
    /// What differs in the circumstances: the tool, the machine.
    pub circumstances: Vec<Circumstance>,
    /// How many cells both have in which nothing differs.
    pub same: usize,
    /// The cells in which anything does: in the order of the newer comparison, then those that only
    /// the older one has.
    pub cells: Vec<CellDifferences>,
}

/// Where a comparison comes from.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Origin {
    /// The command line that produced it.
    pub command: String,
    /// The afterdrop version that measured.
    pub afterdrop_version: String,
    /// The machine.
    pub host: Host,
}

/// A fact that is another one in the newer comparison. Null where the machine did not give it.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Circumstance {
    /// What it is, such as `glibc`.
    pub name: String,
    /// What it was.
    pub old: Option<String>,
    /// What it is now.
    pub new: Option<String>,
}

/// All that differs in one cell.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct CellDifferences {
    /// Which cell.
    pub cell: CellKey,
    /// How many of this key stand before it: two builds of a subject may have one name.
    #[serde(default)]
    pub nth: usize,
    /// Whether both were measured under lab conditions that held: then each page is a change.
    /// Otherwise some of it is what any two runs differ by.
    pub exact: bool,
    /// What differs.
    pub changes: Vec<Change>,
}

/// What makes two cells the same one, measured twice.
#[derive(Clone, Debug, Deserialize, Eq, Hash, JsonSchema, PartialEq, Serialize)]
pub struct CellKey {
    /// The scenario's name.
    pub scenario: String,
    /// The Python that it is one of, as in a cell.
    pub python: Option<String>,
    /// The scenario's size, in its own unit.
    pub size: u64,
    /// The seed of everything random in it.
    pub seed: u64,
    /// The allocator's name.
    pub allocator: String,
    /// The knob's name.
    pub knob: String,
    /// The conditions that were asked for.
    pub conditions: Conditions,
    /// The machine, where the comparison is of several.
    pub machine: Option<String>,
}

/// One thing that differs in a cell.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Change {
    /// Only the newer comparison has the cell.
    Added,
    /// Only the older comparison has the cell.
    Gone,
    /// It was measured, or failed, and now it is the other way round.
    Status {
        /// What it was.
        old: Status,
        /// What it is now.
        new: Status,
        /// Why the one that failed did.
        failure: Option<String>,
    },
    /// The allocator's version.
    Version {
        /// What it was.
        old: Option<String>,
        /// What it is now.
        new: Option<String>,
    },
    /// The checkpoints are others: another number of rounds, or one of the two failed before.
    Checkpoints {
        /// How many there were.
        old: usize,
        /// How many there are now.
        new: usize,
    },
    /// When the memory comes back.
    Verdict {
        /// What it was.
        old: Returns,
        /// What it is now.
        new: Returns,
    },
    /// Why memory stays: another reason, not only other figures.
    Cause {
        /// What it was; null where there was none.
        old: Option<String>,
        /// What it is now; null where there is none.
        new: Option<String>,
    },
    /// What is kept at one checkpoint, KiB.
    Kept {
        /// The checkpoint.
        at: At,
        /// What it was.
        old_kib: i64,
        /// What it is now.
        new_kib: i64,
        /// Whether runs differ by so much of themselves.
        noise: bool,
    },
    /// The page faults of the whole run: what it cost in memory fetched from the system.
    Faults {
        /// How many there were.
        old: u64,
        /// How many there are now.
        new: u64,
        /// Whether runs differ by so much of themselves.
        noise: bool,
    },
    /// The CPU time of all builds and drops, milliseconds. Never more than noise: it is not asserted.
    Cpu {
        /// What it was.
        old_ms: f64,
        /// What it is now.
        new_ms: f64,
    },
}

impl Change {
    /// Whether two runs of the same would differ by as much.
    pub fn is_noise(&self) -> bool {
        match self {
            Change::Kept { noise, .. } | Change::Faults { noise, .. } => *noise,
            Change::Cpu { .. } => true,
            _ => false,
        }
    }
}

/// A checkpoint of both cells.
#[derive(Clone, Copy, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct At {
    /// What had just happened.
    pub name: Moment,
    /// The round it belongs to.
    pub round: u32,
    /// The newer subject's clock, in milliseconds since the baseline.
    pub clock_ms: u64,
}

impl CellDifferences {
    /// Whether anything differs that is more than noise.
    pub fn is_changed(&self) -> bool {
        !self.changes.iter().all(Change::is_noise)
    }
}

impl Differences {
    /// The cells that are more than noise apart.
    pub fn changed(&self) -> impl Iterator<Item = &CellDifferences> {
        self.cells.iter().filter(|cell| cell.is_changed())
    }
}
