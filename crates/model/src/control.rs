//! The controls that were tried: whether what is asserted fails where it must.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Every assertion with its control, and how many held where they should have failed: the document
/// that `cargo xtask controls` prints.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Controls {
    /// The afterdrop version that measured.
    pub afterdrop_version: String,
    /// The command line that produced this, to be run again.
    pub command: String,
    /// An entry for each assertion.
    pub controls: Vec<TriedControl>,
    /// How many of them survived.
    pub survived: usize,
}

/// An assertion, its control and what came of it.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct TriedControl {
    /// The allocator's name.
    pub allocator: String,
    /// The scenario's name.
    pub scenario: String,
    /// The Python that it runs in, such as `2.4-32`; null of a scenario that is none of Python's.
    pub python: Option<String>,
    /// The knob of the cell that the assertion is about, `default` where none is turned.
    pub knob: String,
    /// What is asserted: `verdict`, `record` or `ledger`.
    pub assertion: String,
    /// The knob or the planted fault that must make it fail.
    pub control: String,
    /// Whether it held all the same, so that it asserts nothing that the control touches.
    pub survived: bool,
    /// What came out otherwise and says most, as it was and as it became; null where it survived.
    pub change: Option<String>,
}
