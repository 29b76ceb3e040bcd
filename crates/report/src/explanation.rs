//! An explanation for a terminal: what is kept, what each knob changes and costs, which to turn.

use model::{Cell, Explanation, Moment, Returns, TriedKnob};

use crate::field::Field;
use crate::figures::{listed, mebibytes, percent, signed, thousands};
use crate::grid::Grid;
use crate::ledger::ledger;
use crate::screen::{Screen, Width};
use crate::sentences::sentence;
use crate::style;

/// How to read the table of knobs.
const LEGEND: &str = "\
dropped: the most that is kept after a drop. CPU and page faults: of building and dropping, \
over the default settings, for each GiB given back at the drops.";

/// For a terminal.
pub fn explanation(explanation: &Explanation, width: Width) -> String {
    let mut screen = Screen::new(width);
    let cell = &explanation.cell;
    screen.heading(&title(cell));
    screen.prose(&sentence(&[cell]));
    screen.blank();
    if let Some(cause) = &cell.cause {
        screen.table(&ledger(cell));
        screen.blank();
        screen.prose(&format!("Why: {}", cause.sentence));
        for evidence in &cause.evidence {
            let model::Evidence { name, value, .. } = evidence;
            let origin = format!("({}; {})", evidence.when, evidence.source);
            screen.below(2, &format!("{name} {value} {origin}"));
        }
        screen.blank();
    }
    let header = ["knob", "dropped", "CPU ms/GiB", "faults/GiB", "returns"].map(str::to_owned);
    let mut rows = vec![row(cell, [String::new(), String::new()])];
    rows.extend(explanation.knobs.iter().map(knob_row));
    screen.table(&Grid::of_words(&header, rows));
    screen.blank();
    screen.prose(LEGEND);
    screen.blank();
    for knob in &explanation.knobs {
        screen.item(&format!("{}: {}", knob.cell.knob, knob.how));
        screen.below(4, &knob.does);
        screen.below(
            4,
            &format!("default: {}; cost: {}", knob.default, knob.cost),
        );
    }
    screen.blank();
    for sentence in conclusion(explanation) {
        screen.item(&sentence);
    }
    screen.into_text()
}

/// `int-list, size 5,120,000, under system 2.36: 195.1 MiB occupied`
fn title(cell: &Cell) -> String {
    // A live interpreter's name ends with its version.
    let version = cell.allocator_version.as_deref().unwrap_or("?");
    let version = match cell.allocator.ends_with(version) {
        true => String::new(),
        false => format!(" {version}"),
    };
    let verdict = cell.verdict.as_ref();
    let occupied = verdict.map(|verdict| mebibytes(verdict.occupied_kib));
    format!(
        "{}, size {}, under {}{version}: {} occupied",
        cell.experiment(),
        thousands(cell.size),
        cell.allocator,
        occupied.as_deref().unwrap_or("nothing"),
    )
}

fn knob_row(knob: &TriedKnob) -> Vec<Field> {
    let dash = || "-".to_owned();
    let price = knob.price.as_ref();
    let cpu = price.map_or_else(dash, |price| signed(price.cpu_ms_per_gib));
    let faults = price
        .and_then(|price| price.minor_faults_per_gib)
        .map_or_else(dash, signed);
    row(&knob.cell, [cpu, faults])
}

fn row(cell: &Cell, price: [String; 2]) -> Vec<Field> {
    let drops = cell
        .checkpoints
        .iter()
        .filter(|c| c.name == Moment::Dropped);
    let dropped = drops.max_by_key(|c| c.kept_kib);
    let kept = match (&cell.verdict, dropped) {
        (Some(verdict), Some(dropped)) if verdict.occupied_kib > 0 => {
            percent(dropped.kept_kib as f64 / verdict.occupied_kib as f64)
        }
        _ => "-".to_owned(),
    };
    let verdict = cell.verdict.as_ref();
    let failed = || Field::from("failed".to_owned()).styled(style::FAULT);
    let returns = verdict.map_or_else(failed, |verdict| Field::verdict(verdict.returns));
    let [cpu, faults] = price;
    let figures = [cell.knob.clone(), kept, cpu, faults].map(Field::from);
    figures.into_iter().chain([returns]).collect()
}

/// Which knob to turn, and those that would do as well.
fn conclusion(explanation: &Explanation) -> Vec<String> {
    let verdict = explanation.cell.verdict.as_ref();
    let already = verdict.is_some_and(|verdict| verdict.returns == Returns::AtOnce);
    let Some(knob) = &explanation.smallest_knob else {
        return vec![match already {
            true => "It comes back at once: no knob is needed.".to_owned(),
            false => "None of these knobs brings it back at once.".to_owned(),
        }];
    };
    let smallest = format!(
        "The smallest knob that brings it back at once: {}, {}",
        knob.name, knob.how
    );
    let others: Vec<&str> = knob.as_cheap.iter().map(String::as_str).collect();
    let others = (!others.is_empty()).then(|| {
        format!(
            "As cheap, within a twentieth of the CPU time and a hundredth of the faults: {}",
            listed(&others)
        )
    });
    [smallest].into_iter().chain(others).collect()
}
