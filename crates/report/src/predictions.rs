//! What the model of CPython predicts beside what interpreters keep, a table for each scenario; and
//! the model's layers, a table for each kind of Python.

use model::{Moment, Prediction, Predictions, Waterfall};

use crate::field::Field;
use crate::figures::{listed, mebibytes, signed, thousands};
use crate::grid::Grid;
use crate::screen::{Screen, Width};
use crate::style::FAULT;
use crate::text::markdown;

const LEGEND: &str = "\
KiB kept beyond the baseline: built, dropped, after gc.collect() and after malloc_trim(0); and how \
far that is off what the model predicts over the same C library. Each interpreter was brought into the \
model's initial state before the baseline. Behind a figure in brackets nothing was measured: it is the \
model's. An exclamation mark: off by more than 1 % and 300 KiB.";

const LAYERS: &str = "\
What each layer has beyond the baseline, by the model: memory goes down these layers on its way back, \
and each may keep it. The last row is what is resident.";

/// For a terminal.
pub fn predictions(document: &Predictions, width: Width) -> String {
    let mut screen = Screen::new(width);
    for block in blocks(document) {
        match block {
            Block::Table(title, table) => {
                screen.heading(&title);
                screen.blank();
                screen.table(&table);
            }
            Block::Legend(legend) => screen.prose(legend),
        }
        screen.blank();
    }
    for sentence in &document.unchecked {
        screen.prose(sentence);
    }
    screen.into_text()
}

/// For a pull request: the same under headings.
pub fn predictions_in_markdown(document: &Predictions) -> String {
    let blocks = blocks(document).into_iter().map(|block| match block {
        Block::Table(title, table) => {
            format!("### {}\n\n{}\n\n", markdown(&title), table.in_markdown())
        }
        Block::Legend(legend) => textwrap::fill(&markdown(legend), Width::Endless.prose()) + "\n\n",
    });
    let said = document.unchecked.iter();
    let said = said.map(|sentence| format!("- {}\n", markdown(sentence)));
    blocks.chain(said).collect()
}

/// What follows each other in both.
enum Block {
    Table(String, Grid),
    Legend(&'static str),
}

fn blocks(document: &Predictions) -> Vec<Block> {
    let mut blocks = Vec::new();
    let same = |a: &Prediction, b: &Prediction| (&a.scenario, a.size) == (&b.scenario, b.size);
    for rows in document.rows.chunk_by(same) {
        let title = title(&rows[0].scenario, rows[0].size);
        blocks.push(Block::Table(title, beside(rows)));
    }
    if !document.rows.is_empty() {
        blocks.push(Block::Legend(LEGEND));
    }
    let same = |a: &Waterfall, b: &Waterfall| (&a.scenario, a.size) == (&b.scenario, b.size);
    for scenario in document.waterfalls.chunk_by(same) {
        let tables = scenario.iter().map(layers).collect::<Vec<_>>();
        let alike = tables.iter().zip(scenario).collect::<Vec<_>>();
        for group in alike.chunk_by(|a, b| a.0 == b.0) {
            let pythons: Vec<&str> = group.iter().map(|(_, w)| w.python.as_str()).collect();
            let scenario = title(&scenario[0].scenario, scenario[0].size);
            let title = format!("{scenario} in Python {}", listed(&pythons));
            let (header, rows) = group[0].0;
            let fields = |row: &Vec<String>| row.iter().cloned().map(Field::from).collect();
            let rows = rows.iter().map(fields).collect();
            blocks.push(Block::Table(title, Grid::of_figures(header, rows)));
        }
    }
    if !document.waterfalls.is_empty() {
        blocks.push(Block::Legend(LAYERS));
    }
    blocks
}

fn title(scenario: &str, size: u64) -> String {
    format!("{scenario}, size {}", thousands(size))
}

/// A row for each interpreter: what it keeps at each checkpoint, and by how much the model is off.
fn beside(rows: &[Prediction]) -> Grid {
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
        let name = Field::from(name);
        table.push([name].into_iter().chain(figures).collect());
    }
    Grid::of_figures(&header, table)
}

fn kept(row: &Prediction) -> Field {
    let kib = |kib: i64| match kib {
        0.. => thousands(kib.unsigned_abs()),
        _ => signed(kib as f64),
    };
    let figure = match (row.measured_kib, row.predicted_kib) {
        (Some(measured), _) => kib(measured),
        (None, Some(predicted)) if row.interpreter.is_none() => format!("({})", kib(predicted)),
        _ if row.failure.is_some() => return Field::from("failed".to_owned()).styled(FAULT),
        _ => "-".to_owned(),
    };
    Field::from(figure)
}

fn off(row: &Prediction) -> Field {
    let figure = match (row.difference_kib, row.within) {
        (Some(0), _) => "0".to_owned(),
        (Some(difference), Some(true)) => signed(difference as f64),
        (Some(difference), _) => {
            let figure = format!("{} !", signed(difference as f64));
            return Field::from(figure).styled(FAULT);
        }
        (None, _) => "-".to_owned(),
    };
    Field::from(figure)
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
