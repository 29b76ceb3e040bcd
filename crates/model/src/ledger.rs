//! A ledger: where every resident byte of one checkpoint is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One line of a ledger: so much is there, by this evidence.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Entry {
    /// What the bytes are: [`ALIVE`](Entry::ALIVE) and the like, or one of the allocator's own parts.
    pub name: String,
    /// How much of it is resident, KiB. Only `unexplained` can be below 0: then more was accounted
    /// for than is there.
    pub kib: i64,
    /// The counters that say so.
    pub source: String,
}

impl Entry {
    /// Blocks of the scenario, as large as it asked for them.
    pub const ALIVE: &str = "alive in the scenario";
    /// What those blocks are larger than what was asked for, and written to.
    pub const ROUNDING: &str = "rounding";
    /// Freed with `MADV_FREE` and not taken by the kernel yet.
    pub const LAZILY_FREED: &str = "lazily freed";
    /// What the process held at the baseline beyond its allocators' free memory and records.
    pub const REST: &str = "rest of the process";
    /// What is left.
    pub const UNEXPLAINED: &str = "unexplained";
}
