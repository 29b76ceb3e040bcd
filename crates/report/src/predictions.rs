//! What the model of CPython predicts beside what interpreters keep, a table for each scenario; and
//! the model's layers, a table for each kind of Python.

use model::{Moment, Prediction, Predictions, Waterfall};

use crate::figures::{listed, mebibytes, signed, thousands};
use crate::tables::{WIDTH, figures_in_markdown, plain_figures};

const LEGEND: &str = "\
KiB kept beyond the baseline: built, dropped, after gc.collect() and after malloc_trim(0); and how
far that is off what the model predicts over the same C library. Each interpreter was brought into the
model's initial state before the baseline. Behind a figure in brackets nothing was measured: it is the
model's. An exclamation mark: off by more than 1 % and 300 KiB.
";

const LAYERS: &str = "\
What each layer has beyond the baseline, by the model: memory goes down these layers on its way back,
and each may keep it. The last row is what is resident.
";

/// How tables are laid out.
type Layout = fn(&[String], &[Vec<String>]) -> String;

/// For a terminal.
pub fn predictions(document: &Predictions) -> String {
    let said = document.unchecked.iter();
    let said = said.map(|sentence| textwrap::fill(sentence, WIDTH) + "\n");
    text(document, "", plain_figures) + &said.collect::<String>()
}

/// For a pull request: the same under headings.
pub fn predictions_in_markdown(document: &Predictions) -> String {
    let said = document.unchecked.iter();
    let said = said.map(|sentence| format!("- {}\n", sentence.replace('|', "\\|")));
    text(document, "### ", figures_in_markdown) + &said.collect::<String>()
}

fn text(document: &Predictions, heading: &str, layout: Layout) -> String {
    let mut text = String::new();
    let same = |a: &Prediction, b: &Prediction| (&a.scenario, a.size) == (&b.scenario, b.size);
    for rows in document.rows.chunk_by(same) {
        let title = title(&rows[0].scenario, rows[0].size);
        let (header, rows) = beside(rows);
        text += &format!("{heading}{title}\n\n{}\n\n", layout(&header, &rows));
    }
    if !document.rows.is_empty() {
        text += &format!("{LEGEND}\n");
    }
    let same = |a: &Waterfall, b: &Waterfall| (&a.scenario, a.size) == (&b.scenario, b.size);
    for scenario in document.waterfalls.chunk_by(same) {
        let tables = scenario.iter().map(layers).collect::<Vec<_>>();
        let alike = tables.iter().zip(scenario).collect::<Vec<_>>();
        for group in alike.chunk_by(|a, b| a.0 == b.0) {
            let pythons: Vec<&str> = group.iter().map(|(_, w)| w.python.as_str()).collect();
            let (header, rows) = group[0].0;
            text += &format!(
                "{heading}{} in Python {}\n\n{}\n\n",
                title(&scenario[0].scenario, scenario[0].size),
                listed(&pythons),
                layout(header, rows)
            );
        }
    }
    if !document.waterfalls.is_empty() {
        text += &format!("{LAYERS}\n");
    }
    text
}

fn title(scenario: &str, size: u64) -> String {
    format!("{scenario}, size {}", thousands(size))
}

/// A row for each interpreter: what it keeps at each checkpoint, and by how much the model is off.
fn beside(rows: &[Prediction]) -> (Vec<String>, Vec<Vec<String>>) {
    let who = |row: &Prediction| (row.interpreter.clone(), row.python.clone());
    let mut header = vec!["interpreter".to_owned()];
    let mut table = Vec::new();
    for of_one in rows.chunk_by(|a, b| who(a) == who(b)) {
        if header.len() == 1 {
            let titles = of_one.iter().map(|row| row.checkpoint.name().to_owned());
            header.extend(titles.flat_map(|title| [title, "off".to_owned()]));
        }
        let name = match (&of_one[0].version, &of_one[0].interpreter) {
            (Some(version), _) => version.clone(),
            (None, Some(interpreter)) => interpreter.clone(),
            (None, None) => of_one[0].python.clone().unwrap_or_default(),
        };
        let figures = of_one.iter().flat_map(|row| [kept(row), off(row)]);
        table.push([name].into_iter().chain(figures).collect());
    }
    (header, table)
}

fn kept(row: &Prediction) -> String {
    let kib = |kib: i64| match kib {
        0.. => thousands(kib.unsigned_abs()),
        _ => signed(kib as f64),
    };
    match (row.measured_kib, row.predicted_kib) {
        (Some(measured), _) => kib(measured),
        (None, Some(predicted)) if row.interpreter.is_none() => format!("({})", kib(predicted)),
        _ if row.failure.is_some() => "failed".to_owned(),
        _ => "-".to_owned(),
    }
}

fn off(row: &Prediction) -> String {
    match (row.difference_kib, row.within) {
        (Some(0), _) => "0".to_owned(),
        (Some(difference), Some(true)) => signed(difference as f64),
        (Some(difference), _) => format!("{} !", signed(difference as f64)),
        (None, _) => "-".to_owned(),
    }
}

/// A row for each layer that is of any size at one of the checkpoints, and their sum.
fn layers(waterfall: &Waterfall) -> (Vec<String>, Vec<Vec<String>>) {
    let titles = waterfall.steps.iter().map(|step| step.checkpoint);
    let header = ["layer".to_owned()].into_iter();
    let header = header.chain(titles.map(|moment: Moment| moment.name().to_owned()));
    let figure = |kib: i64| match kib {
        0 => "-".to_owned(),
        kib => mebibytes(kib),
    };
    let names = waterfall.steps.first().map_or(&[][..], |s| &s.layers[..]);
    let mut rows = Vec::new();
    for (index, entry) in names.iter().enumerate() {
        let kib = waterfall.steps.iter().map(|step| step.layers[index].kib);
        let kib: Vec<i64> = kib.collect();
        if kib.iter().any(|kib| *kib != 0) {
            let figures = kib.into_iter().map(figure);
            rows.push([entry.name.clone()].into_iter().chain(figures).collect());
        }
    }
    let kept = waterfall.steps.iter().map(|step| figure(step.kept_kib));
    rows.push(["kept".to_owned()].into_iter().chain(kept).collect());
    (header.collect(), rows)
}
