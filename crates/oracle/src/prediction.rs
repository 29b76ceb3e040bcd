//! A model's cell beside an interpreter's: what was predicted, what was measured, how far it is off;
//! and the model's ledgers as a waterfall.
//!
//! ```text
//! difference = measured - predicted
//! within    <=> |difference| <= max(PREDICTED_PART * |predicted|, PREDICTED_KIB)
//! ```

use model::{Cell, Checkpoint, Entry, Layers, Moment, Prediction, Waterfall};

use crate::thresholds::{PREDICTED_KIB, PREDICTED_PART};

/// The checkpoints that are compared: the first of each kind.
const COMPARED: [Moment; 4] = [
    Moment::Built,
    Moment::Dropped,
    Moment::Collected,
    Moment::Released,
];

/// An interpreter, and its cell.
pub struct Live<'a> {
    /// The executable.
    pub interpreter: &'a str,
    /// What it says it is, such as `3.13.0`; `None` if it never said.
    pub version: Option<&'a str>,
    /// What was measured.
    pub cell: &'a Cell,
}

/// A row for each checkpoint that is compared. Beside what turned out to be no interpreter there is no
/// model.
///
/// # Panics
/// Where neither of the two cells is there.
pub fn predictions(predicted: Option<&Cell>, live: Option<&Live<'_>>) -> Vec<Prediction> {
    let either = predicted.or(live.map(|live| live.cell));
    let either = either.expect("a cell of a model or of an interpreter");
    let row = |moment| {
        let kept = |cell: &Cell| first(cell, moment).map(|checkpoint| checkpoint.kept_kib);
        let predicted_kib = predicted.and_then(kept);
        let measured_kib = live.and_then(|live| kept(live.cell));
        let both = predicted_kib.zip(measured_kib);
        let failures = [predicted, live.map(|live| live.cell)];
        let mut failures = failures.into_iter().flatten().map(|cell| &cell.failure);
        Prediction {
            interpreter: live.map(|live| live.interpreter.to_owned()),
            version: live.and_then(|live| live.version).map(str::to_owned),
            python: predicted.and_then(|cell| cell.python.clone()),
            scenario: either.scenario.clone(),
            size: either.size,
            checkpoint: moment,
            predicted_kib,
            measured_kib,
            difference_kib: both.map(|(predicted, measured)| measured - predicted),
            within: both.map(|(predicted, measured)| is_within(predicted, measured)),
            failure: failures.find_map(Clone::clone),
        }
    };
    COMPARED.map(row).into()
}

/// Whether a measured figure is as near to the predicted one as a good model's should be.
pub fn is_within(predicted_kib: i64, measured_kib: i64) -> bool {
    let allowed = (PREDICTED_PART * predicted_kib.abs() as f64).max(PREDICTED_KIB as f64);
    measured_kib.abs_diff(predicted_kib) as f64 <= allowed
}

/// What each layer has more than at the baseline, at the checkpoints that are compared.
pub fn waterfall(cell: &Cell) -> Waterfall {
    let baseline = cell.checkpoints.first();
    let steps = COMPARED.into_iter().filter_map(|moment| {
        let checkpoint = first(cell, moment)?;
        let entries = checkpoint.ledger.iter();
        let layers = entries.map(|entry| Entry {
            kib: entry.kib - baseline.map_or(0, |baseline| kib(baseline, &entry.name)),
            ..entry.clone()
        });
        Some(Layers {
            checkpoint: moment,
            kept_kib: checkpoint.kept_kib,
            layers: layers.collect(),
        })
    });
    Waterfall {
        python: cell.python.clone().unwrap_or_default(),
        scenario: cell.scenario.clone(),
        size: cell.size,
        steps: steps.collect(),
    }
}

fn first(cell: &Cell, moment: Moment) -> Option<&Checkpoint> {
    cell.checkpoints.iter().find(|c| c.name == moment)
}

fn kib(checkpoint: &Checkpoint, name: &str) -> i64 {
    let mut entries = checkpoint.ledger.iter();
    entries
        .find(|entry| entry.name == name)
        .map_or(0, |entry| entry.kib)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn a_hundredth_is_within_and_so_are_300_kib() {
        for (predicted, measured, within) in [
            (160_000, 161_600, true),
            (160_000, 161_601, false),
            (160_000, 158_400, true),
            (160_000, 158_399, false),
            (0, 300, true),
            (0, -301, false),
        ] {
            assert_eq!(
                is_within(predicted, measured),
                within,
                "{measured} for {predicted}"
            );
        }
    }

    #[test]
    fn a_row_is_of_the_first_round_and_says_what_is_missing() {
        let predicted = fixture::cell(100.0, 75.0, 1.0, 1);
        let mut failed = fixture::cell(101.0, 75.0, 1.0, 1);
        failed.checkpoints.truncate(1);
        failed.failure = Some("it died".to_owned());
        let live = Live {
            interpreter: "python",
            version: Some("3.13.0"),
            cell: &failed,
        };
        let rows = predictions(Some(&predicted), Some(&live));
        let built = &rows[0];
        assert_eq!(built.difference_kib, Some(1024));
        assert_eq!(built.within, Some(true));
        let dropped = &rows[1];
        assert_eq!(dropped.predicted_kib, Some(75 * 1024));
        assert_eq!((dropped.measured_kib, dropped.within), (None, None));
        assert_eq!(dropped.failure.as_deref(), Some("it died"));

        let alone = predictions(Some(&predicted), None);
        assert!(alone.iter().all(|row| row.interpreter.is_none()));
        let released = alone.iter().find(|r| r.checkpoint == Moment::Released);
        assert_eq!(released.and_then(|row| row.predicted_kib), None);
    }

    #[test]
    fn a_waterfall_tells_what_came_since_the_baseline() {
        let entry = |kib| Entry {
            name: "free".to_owned(),
            kib,
            source: String::new(),
        };
        let mut cell = fixture::cell(1.0, 0.5, 1.0, 1);
        let mut baseline = fixture::checkpoint(Moment::Baseline, 0, 0, 0);
        baseline.ledger = vec![entry(10)];
        cell.checkpoints[0].ledger = vec![entry(7)];
        cell.checkpoints.insert(0, baseline);
        let waterfall = waterfall(&cell);
        let moments = waterfall.steps.iter().map(|step| step.checkpoint);
        assert!(moments.eq([Moment::Built, Moment::Dropped]));
        assert_eq!(waterfall.steps[0].layers, [entry(-3)]);
        assert_eq!(waterfall.steps[0].kept_kib, 1024);
    }
}
