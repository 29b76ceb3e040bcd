//! A cause: why memory stays, in one sentence, and the figures that it rests on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Why a dropped object's memory stays, or that the evidence does not tell.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Cause {
    /// One sentence.
    pub sentence: String,
    /// The figures that it uses, in the order of the sentence.
    pub evidence: Vec<Evidence>,
}

/// One figure that a cause rests on.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Evidence {
    /// What it is, with its unit last, such as `fastbins_kib`.
    pub name: String,
    /// The figure.
    pub value: i64,
    /// The checkpoint, such as `dropped 2`, or the span, such as `dropped 2 to idle 60000`.
    pub when: String,
    /// The counters behind it.
    pub source: String,
}
