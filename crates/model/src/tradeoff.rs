//! A tradeoff: what comes back at the drop, and what that costs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{CellKey, Price, SmallestKnob};

/// What returning memory costs, over all cells of a comparison.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Tradeoffs {
    /// Each allocator with each knob, on each machine, in the order of the cells. Without those that
    /// were measured nowhere, and none of a machine without an experiment that all others share.
    pub contestants: Vec<Tradeoff>,
    /// The cells whose knobs were turned, and what that cost.
    pub knobs: Vec<KnobPrices>,
}

/// An allocator with a knob: what it gives back at the drop, and what that costs.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct Tradeoff {
    /// The allocator's name.
    pub allocator: String,
    /// The knob's name.
    pub knob: String,
    /// The machine, where the comparison is of several.
    pub machine: Option<String>,
    /// How many experiments this is about: those in which all contestants of the machine were measured.
    pub experiments: usize,
    /// The part of what was dropped that the drops gave back, from 0 to 1: the mean of the experiments.
    pub returned: f64,
    /// CPU time of builds and drops over the least of any contestant: the geometric mean of the
    /// experiments, 1 where it is the cheapest in each.
    pub cost: f64,
    /// Whether no other contestant of the machine returns as much for less, or more for as little.
    pub on_front: bool,
}

/// What the knobs of one allocator cost in one experiment.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Serialize)]
pub struct KnobPrices {
    /// The cell with nothing turned.
    pub default: CellKey,
    /// Each knob that was turned, and its price; null where it gave nothing back at the drop, or the
    /// cell failed.
    pub prices: Vec<(String, Option<Price>)>,
    /// Of those that bring the object back at once, the one that costs least; null where none does, or
    /// none is needed.
    pub smallest_knob: Option<SmallestKnob>,
}
