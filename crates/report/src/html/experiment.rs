//! One allocator in one experiment: a story for each knob, what each of them kept, and what it cost.

use std::collections::HashMap;

use model::{Cell, CellKey, Comparison, Knob, KnobPrices, Price, SmallestKnob};

use super::changes::Changed;
use super::matrix::word;
use super::reproduce;
use super::story::Story;
use crate::charts::chart::Theme;
use crate::charts::curve::Curve;
use crate::figures::signed;

pub(super) struct Experiment<'a> {
    pub(super) stories: Vec<Story<'a>>,
    pub(super) curve: Option<Curve>,
    /// Empty where no knob was turned.
    pub(super) knobs: Vec<KnobRow<'a>>,
    pub(super) smallest_knob: Option<&'a SmallestKnob>,
    /// What that costs; empty where there is none.
    pub(super) smallest_cost: String,
}

/// A knob, and what came of turning it.
pub(super) struct KnobRow<'a> {
    pub(super) cell: &'a Cell,
    pub(super) index: usize,
    pub(super) returns: String,
    /// CPU milliseconds for each GiB; `-` where there is no price.
    pub(super) cpu: String,
    /// Page faults for each GiB.
    pub(super) faults: String,
}

/// What the cells of one experiment have in common: all but the knob.
fn experiment(cell: &Cell) -> CellKey {
    CellKey {
        knob: Knob::DEFAULT.to_owned(),
        ..cell.key()
    }
}

/// In the order of their first cells.
pub(super) fn experiments<'a>(
    comparison: &'a Comparison,
    knobs: &'a [KnobPrices],
    changes: &HashMap<usize, &Changed>,
) -> Vec<Experiment<'a>> {
    let knobs: HashMap<&CellKey, &KnobPrices> = knobs.iter().map(|k| (&k.default, k)).collect();
    let mut places: HashMap<CellKey, usize> = HashMap::new();
    let mut all: Vec<(Option<&KnobPrices>, Vec<usize>)> = Vec::new();
    for (index, cell) in comparison.cells.iter().enumerate() {
        let place = *places.entry(experiment(cell)).or_insert_with_key(|key| {
            all.push((knobs.get(key).copied(), Vec::new()));
            all.len() - 1
        });
        all[place].1.push(index);
    }
    let experiments = all.into_iter().map(|(prices, indices)| {
        let cells: Vec<(usize, &Cell)> = indices
            .into_iter()
            .map(|index| (index, &comparison.cells[index]))
            .collect();
        one(&cells, prices, comparison, changes)
    });
    experiments.collect()
}

fn one<'a>(
    cells: &[(usize, &'a Cell)],
    prices: Option<&'a KnobPrices>,
    comparison: &Comparison,
    changes: &HashMap<usize, &Changed>,
) -> Experiment<'a> {
    let story = |(index, cell): &(usize, &'a Cell)| {
        let command = reproduce::command(comparison, cell);
        Story::of(cell, *index, command, changes.get(index).copied())
    };
    let row = |(index, cell): &(usize, &'a Cell)| {
        let mut all = prices.iter().flat_map(|prices| &prices.prices);
        let price = all.find(|(knob, _)| *knob == cell.knob);
        knob(cell, *index, price.and_then(|(_, price)| price.as_ref()))
    };
    let smallest_knob = prices.and_then(|prices| prices.smallest_knob.as_ref());
    let alone = cells.len() == 1;
    let earlier = |index: &usize| changes.get(index).and_then(|c| c.earlier_line());
    let lines = cells.iter().map(|(index, cell)| (*cell, earlier(index)));
    let lines: Vec<(&Cell, Option<&Cell>)> = lines.collect();
    Experiment {
        stories: cells.iter().map(story).collect(),
        curve: Curve::of(&lines, Theme::Page),
        knobs: cells.iter().filter(|_| !alone).map(row).collect(),
        smallest_knob,
        smallest_cost: smallest_knob.map_or_else(String::new, |knob| cost(&knob.price)),
    }
}

/// `+233 ms of CPU time and +104,815 page faults`
fn cost(price: &Price) -> String {
    let cpu = format!("{} ms of CPU time", signed(price.cpu_ms_per_gib));
    match price.minor_faults_per_gib {
        Some(faults) => format!("{cpu} and {} page faults", signed(faults)),
        None => cpu,
    }
}

fn knob<'a>(cell: &'a Cell, index: usize, price: Option<&Price>) -> KnobRow<'a> {
    let figure = |figure: Option<f64>| figure.map_or("-".to_owned(), signed);
    KnobRow {
        cell,
        index,
        returns: word(cell),
        cpu: figure(price.map(|price| price.cpu_ms_per_gib)),
        faults: figure(price.and_then(|price| price.minor_faults_per_gib)),
    }
}
