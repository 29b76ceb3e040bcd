//! An explanation for a terminal: what is kept, what each knob changes and costs, which to turn.

use model::{Cell, Explanation, Moment, Returns, TriedKnob};

use crate::figures::{listed, mebibytes, percent, signed, thousands};
use crate::ledger::ledger;
use crate::sentences::sentence;
use crate::tables::{WIDTH, plain};

/// For a terminal.
pub fn explanation(explanation: &Explanation) -> String {
    let cell = &explanation.cell;
    // A live interpreter's name ends with its version.
    let version = cell.allocator_version.as_deref().unwrap_or("?");
    let version = match cell.allocator.ends_with(version) {
        true => String::new(),
        false => format!(" {version}"),
    };
    let occupied = cell
        .verdict
        .as_ref()
        .map(|verdict| mebibytes(verdict.occupied_kib));
    let mut text = format!(
        "{}, size {}, under {}{version}: {} occupied\n{}\n\n",
        cell.experiment(),
        thousands(cell.size),
        cell.allocator,
        occupied.as_deref().unwrap_or("nothing"),
        sentence(&[cell]),
    );
    if let Some(cause) = &cell.cause {
        text += &format!(
            "{}\n\n{}\n",
            ledger(cell),
            textwrap::fill(&format!("Why: {}", cause.sentence), WIDTH)
        );
        for evidence in &cause.evidence {
            text += &format!(
                "  {} {} ({}; {})\n",
                evidence.name, evidence.value, evidence.when, evidence.source
            );
        }
        text += "\n";
    }
    let header = ["knob", "dropped", "CPU ms/GiB", "faults/GiB", "returns"].map(str::to_owned);
    let mut rows = vec![row(cell, [String::new(), String::new()])];
    rows.extend(explanation.knobs.iter().map(knob_row));
    text += &format!("{}\n\n", plain(&header, &rows));
    text += "dropped: the most that is kept after a drop. CPU and page faults: of building and dropping,\n\
             over the default settings, for each GiB given back at the drops.\n\n";
    for knob in &explanation.knobs {
        text += &format!(
            "{}: {}\n    {}\n    default: {}; cost: {}\n",
            knob.cell.knob, knob.how, knob.does, knob.default, knob.cost
        );
    }
    text += &format!("\n{}\n", conclusion(explanation));
    text
}

fn knob_row(knob: &TriedKnob) -> Vec<String> {
    let dash = || "-".to_owned();
    let price = knob.price.as_ref();
    let cpu = price.map_or_else(dash, |price| signed(price.cpu_ms_per_gib));
    let faults = price
        .and_then(|price| price.minor_faults_per_gib)
        .map_or_else(dash, signed);
    row(&knob.cell, [cpu, faults])
}

fn row(cell: &Cell, price: [String; 2]) -> Vec<String> {
    let drops = cell
        .checkpoints
        .iter()
        .filter(|c| c.name == Moment::Dropped);
    let dropped = drops.max_by_key(|c| c.kept_kib);
    let (kept, returns) = match (&cell.verdict, dropped) {
        (Some(verdict), Some(dropped)) if verdict.occupied_kib > 0 => (
            percent(dropped.kept_kib as f64 / verdict.occupied_kib as f64),
            verdict.returns.name().replace('-', " "),
        ),
        (Some(verdict), _) => ("-".to_owned(), verdict.returns.name().replace('-', " ")),
        (None, _) => ("-".to_owned(), "failed".to_owned()),
    };
    let [cpu, faults] = price;
    vec![cell.knob.clone(), kept, cpu, faults, returns]
}

fn conclusion(explanation: &Explanation) -> String {
    let already = explanation
        .cell
        .verdict
        .as_ref()
        .is_some_and(|verdict| verdict.returns == Returns::AtOnce);
    match &explanation.smallest_knob {
        Some(knob) => {
            let others: Vec<&str> = knob.as_cheap.iter().map(String::as_str).collect();
            let others = match others.as_slice() {
                [] => String::new(),
                others => format!(
                    "\nAs cheap, within a twentieth of the CPU time and a hundredth of the faults: {}",
                    listed(others)
                ),
            };
            format!(
                "The smallest knob that brings it back at once: {}, {}{others}",
                knob.name, knob.how
            )
        }
        None if already => "It comes back at once: no knob is needed.".to_owned(),
        None => "None of these knobs brings it back at once.".to_owned(),
    }
}
