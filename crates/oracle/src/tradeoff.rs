//! What returning memory costs: each allocator with each knob against the others, and each knob
//! against its allocator's default settings.
//!
//! ```text
//! returned = (occupied - kept) / (occupied - survivors), from 0 to 1; the mean over drops and experiments
//! cost     = CPU time of builds and drops / the least of any contestant; the geometric mean over experiments
//! on front = no other returns at least as much at no more cost, and differs in one of them
//! ```
//!
//! Contestants are compared in the experiments that all of their machine were measured in: a mean over
//! others would be one of easier experiments. An object of less than [`EXPLAINABLE_KIB`] counts for
//! nothing, since its CPU time is that of starting and stopping.

use std::collections::HashMap;

use model::{
    Cell, CellKey, Comparison, Knob, KnobPrices, Moment, SmallestKnob, Tradeoff, Tradeoffs,
};

use crate::price::{cheapest_sufficient, cpu_ms, price};
use crate::thresholds::EXPLAINABLE_KIB;

/// What returning memory costs in this comparison.
pub fn tradeoffs(comparison: &Comparison) -> Tradeoffs {
    let mut machines: Vec<Vec<Contestant>> = Vec::new();
    let mut seen: HashMap<Name, usize> = HashMap::new();
    let mut machine_at: HashMap<Option<&str>, usize> = HashMap::new();
    for cell in &comparison.cells {
        let machine = cell.machine.as_deref();
        let machine = *machine_at.entry(machine).or_insert_with(|| {
            machines.push(Vec::new());
            machines.len() - 1
        });
        let name = (cell.allocator.as_str(), cell.knob.as_str(), machine);
        let contestants = &mut machines[machine];
        let place = *seen.entry(name).or_insert_with(|| {
            contestants.push(Contestant::default());
            contestants.len() - 1
        });
        contestants[place].add(cell);
    }
    Tradeoffs {
        contestants: machines.iter().flat_map(|m| of_a_machine(m)).collect(),
        knobs: knobs(&comparison.cells),
    }
}

/// Allocator, knob and the place of the machine.
type Name<'a> = (&'a str, &'a str, usize);

/// An allocator with a knob, and what came of it in each experiment.
#[derive(Default)]
struct Contestant<'a> {
    cells: Vec<&'a Cell>,
    outcomes: HashMap<CellKey, Outcome>,
}

#[derive(Clone, Copy)]
struct Outcome {
    returned: f64,
    cpu_ms: f64,
}

impl<'a> Contestant<'a> {
    fn add(&mut self, cell: &'a Cell) {
        if let Some(outcome) = outcome(cell) {
            self.outcomes.insert(experiment(cell), outcome);
        }
        self.cells.push(cell);
    }
}

/// What the cell has in common with those of the other contestants.
fn experiment(cell: &Cell) -> CellKey {
    CellKey {
        allocator: String::new(),
        knob: String::new(),
        ..cell.key()
    }
}

/// What a process can have taken, from a nanosecond to some thirty years: ratios beyond would fit no axis.
const CPU_MS: std::ops::RangeInclusive<f64> = 1e-6..=1e12;

/// `None` where the cell failed, or there was nothing to give back.
fn outcome(cell: &Cell) -> Option<Outcome> {
    let verdict = cell.verdict.as_ref()?;
    let drops = verdict.returned.iter();
    let drops = drops.filter(|returned| returned.name == Moment::Dropped);
    let fractions: Vec<f64> = drops.filter_map(|returned| returned.fraction).collect();
    let cpu_ms = cpu_ms(cell);
    if fractions.is_empty() || verdict.occupied_kib < EXPLAINABLE_KIB || !CPU_MS.contains(&cpu_ms) {
        return None;
    }
    let returned = fractions.iter().map(|fraction| fraction.clamp(0.0, 1.0));
    Some(Outcome {
        returned: mean(returned),
        cpu_ms,
    })
}

fn of_a_machine(contestants: &[Contestant]) -> Vec<Tradeoff> {
    let measured = |contestant: &&Contestant| !contestant.outcomes.is_empty();
    let contestants: Vec<&Contestant> = contestants.iter().filter(measured).collect();
    let Some(first) = contestants.first() else {
        return Vec::new();
    };
    let in_all = |experiment: &&CellKey| {
        let mut all = contestants.iter();
        all.all(|contestant| contestant.outcomes.contains_key(experiment))
    };
    // In the order of the cells: sums of the same figures in another order are not the same.
    let experiments: Vec<CellKey> = first.cells.iter().map(|cell| experiment(cell)).collect();
    let shared: Vec<&CellKey> = experiments.iter().filter(in_all).collect();
    if shared.is_empty() {
        return Vec::new();
    }
    let least = |experiment: &CellKey| {
        let times = contestants.iter().map(|c| c.outcomes[experiment].cpu_ms);
        times.fold(f64::INFINITY, f64::min)
    };
    let least: Vec<f64> = shared.iter().map(|experiment| least(experiment)).collect();
    let tradeoff = |contestant: &&Contestant| {
        let outcomes = || shared.iter().map(|e| contestant.outcomes[*e]);
        let ratios = outcomes()
            .zip(&least)
            .map(|(outcome, least)| (outcome.cpu_ms / least).ln());
        let cell = contestant.cells[0];
        Tradeoff {
            allocator: cell.allocator.clone(),
            knob: cell.knob.clone(),
            machine: cell.machine.clone(),
            experiments: shared.len(),
            returned: rounded(mean(outcomes().map(|outcome| outcome.returned))),
            cost: rounded(mean(ratios).exp()),
            on_front: false,
        }
    };
    let mut tradeoffs: Vec<Tradeoff> = contestants.iter().map(tradeoff).collect();
    let places: Vec<(f64, f64)> = tradeoffs.iter().map(|t| (t.returned, t.cost)).collect();
    for (tradeoff, place) in tradeoffs.iter_mut().zip(&places) {
        tradeoff.on_front = !places.iter().any(|other| beats(*other, *place));
    }
    tradeoffs
}

/// Whether the one returns as much for less, or more for as little.
fn beats((returned, cost): (f64, f64), (other_returned, other_cost): (f64, f64)) -> bool {
    returned >= other_returned
        && cost <= other_cost
        && (returned > other_returned || cost < other_cost)
}

/// The cells with nothing turned that have others beside them in which something is.
fn knobs(cells: &[Cell]) -> Vec<KnobPrices> {
    let mut turned: HashMap<CellKey, Vec<&Cell>> = HashMap::new();
    for cell in cells.iter().filter(|cell| cell.knob != Knob::DEFAULT) {
        let default = CellKey {
            knob: Knob::DEFAULT.to_owned(),
            ..cell.key()
        };
        turned.entry(default).or_default().push(cell);
    }
    let defaults = cells.iter().filter(|cell| cell.knob == Knob::DEFAULT);
    defaults
        .filter_map(|default| {
            let key = default.key();
            let turned = turned.remove(&key)?;
            Some(priced(key, default, &turned))
        })
        .collect()
}

fn priced(key: CellKey, default: &Cell, turned: &[&Cell]) -> KnobPrices {
    let cheapest = cheapest_sufficient(default, turned);
    let smallest = cheapest.split_first().and_then(|(first, others)| {
        let smallest = turned[*first];
        let how = smallest.turned.as_ref().map(|turned| turned.how.clone());
        Some(SmallestKnob {
            name: smallest.knob.clone(),
            // Results of before this was told have the name alone.
            how: how.unwrap_or_else(|| format!("--knob {}", smallest.knob)),
            price: price(default, smallest)?,
            as_cheap: others.iter().map(|i| turned[*i].knob.clone()).collect(),
        })
    });
    let price = |cell: &&Cell| (cell.knob.clone(), price(default, cell));
    KnobPrices {
        default: key,
        prices: turned.iter().map(price).collect(),
        smallest_knob: smallest,
    }
}

fn mean(figures: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = figures.fold((0.0, 0), |(sum, count), figure| (sum + figure, count + 1));
    sum / f64::from(count)
}

/// To four digits: more would be noise in the reader's eye.
fn rounded(figure: f64) -> f64 {
    (figure * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use model::Turned;

    use super::*;
    use crate::fixture::{cell, comparison};

    /// A cell that occupied 100 MiB and kept so much, at this CPU time.
    fn contestant(allocator: &str, knob: &str, kept_mib: f64, cpu_ms: f64) -> Cell {
        Cell {
            allocator: allocator.to_owned(),
            knob: knob.to_owned(),
            ..cell(100.0, kept_mib, cpu_ms, 1_000)
        }
    }

    #[test]
    fn the_front_is_whom_nobody_beats() {
        let judged = tradeoffs(&comparison(vec![
            contestant("keeps", "default", 100.0, 10.0),
            contestant("returns", "default", 0.0, 40.0),
            contestant("dear", "default", 50.0, 80.0),
        ]));
        let places = judged.contestants.iter();
        let places: Vec<_> = places
            .map(|t| (t.allocator.as_str(), t.returned, t.cost, t.on_front))
            .collect();
        let expected = [
            ("keeps", 0.0, 1.0, true),
            ("returns", 1.0, 4.0, true),
            ("dear", 0.5, 8.0, false),
        ];
        assert_eq!(places, expected);
    }

    #[test]
    fn only_experiments_of_all_contestants_are_compared() {
        let elsewhere = |cell: Cell| Cell {
            scenario: "elsewhere".to_owned(),
            ..cell
        };
        let judged = tradeoffs(&comparison(vec![
            contestant("a", "default", 0.0, 10.0),
            elsewhere(contestant("a", "default", 100.0, 90.0)),
            contestant("b", "default", 0.0, 20.0),
        ]));
        let places = judged.contestants.iter();
        let places: Vec<_> = places
            .map(|t| (t.experiments, t.returned, t.cost))
            .collect();
        assert_eq!(places, [(1, 1.0, 1.0), (1, 1.0, 2.0)]);
    }

    #[test]
    fn machines_are_not_compared_with_each_other() {
        let on = |machine: &str, cell: Cell| Cell {
            machine: Some(machine.to_owned()),
            ..cell
        };
        let judged = tradeoffs(&comparison(vec![
            on("fast", contestant("a", "default", 0.0, 1.0)),
            on("slow", contestant("a", "default", 0.0, 100.0)),
        ]));
        let costs: Vec<f64> = judged.contestants.iter().map(|t| t.cost).collect();
        assert_eq!(costs, [1.0, 1.0]);
    }

    #[test]
    fn a_knob_has_its_price_beside_the_default_settings() {
        let judged = tradeoffs(&comparison(vec![
            contestant("a", "default", 100.0, 10.0),
            contestant("a", "useless", 100.0, 10.0),
            Cell {
                turned: Some(Turned {
                    how: "ENOUGH=1".to_owned(),
                    does: None,
                }),
                ..contestant("a", "enough", 0.0, 20.0)
            },
            contestant("b", "default", 100.0, 10.0),
        ]));
        let [knobs] = &judged.knobs[..] else {
            panic!("one cell has knobs turned: {:?}", judged.knobs)
        };
        assert_eq!(knobs.default.allocator, "a");
        let names: Vec<&str> = knobs.prices.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["useless", "enough"]);
        assert_eq!(knobs.prices[0].1, None);
        let smallest = knobs.smallest_knob.as_ref().expect("enough is");
        assert_eq!(
            (smallest.name.as_str(), smallest.how.as_str()),
            ("enough", "ENOUGH=1")
        );
        assert_eq!(Some(smallest.price), knobs.prices[1].1);
    }
}
