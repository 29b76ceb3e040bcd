//! The table's rows: one scenario's cells, told by columns.

use model::{Cell, Checkpoint, Moment, Verdict};

use crate::benchmark::contestant;
use crate::figures::{mebibytes, percent, thousands};

/// One scenario's table.
pub(crate) struct Section {
    /// `int-list, size 5,120,000`
    pub(crate) title: String,
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// A table for each scenario, in the order in which they were measured.
pub(crate) fn sections(cells: &[Cell]) -> Vec<Section> {
    cells
        .chunk_by(|a, b| (a.experiment(), a.size) == (b.experiment(), b.size))
        .map(section)
        .collect()
}

fn section(cells: &[Cell]) -> Section {
    // The columns of a complete cell; a failed one has fewer checkpoints.
    let longest = cells.iter().max_by_key(|cell| cell.checkpoints.len());
    let columns = longest.map_or_else(Vec::new, |cell| columns(&cell.checkpoints));
    let mut header = vec!["allocator".to_owned(), "occupied".to_owned()];
    header.extend(columns.iter().map(|column| column.title.clone()));
    header.extend(["reuse".to_owned(), "returns".to_owned()]);
    Section {
        title: format!(
            "{}, size {}",
            cells[0].experiment(),
            thousands(cells[0].size)
        ),
        header,
        rows: cells.iter().map(|cell| row(cell, &columns)).collect(),
    }
}

/// A column that shows what is kept at one checkpoint.
pub(crate) struct Column {
    pub(crate) title: String,
    pub(crate) place: Place,
}

/// Which checkpoint of a cell a column is about.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// The drop of this round.
    Drop(u32),
    /// The last one of its kind.
    Last(Moment),
}

impl Place {
    pub(crate) fn of(self, cell: &[Checkpoint]) -> Option<&Checkpoint> {
        cell.iter().rfind(|checkpoint| match self {
            Place::Drop(round) => (checkpoint.name, checkpoint.round) == (Moment::Dropped, round),
            Place::Last(moment) => checkpoint.name == moment,
        })
    }
}

/// Both ends of the rounds, the longest idling and activity, and the request.
pub(crate) fn columns(checkpoints: &[Checkpoint]) -> Vec<Column> {
    let last_round = checkpoints.last().map_or(0, |checkpoint| checkpoint.round);
    let mut columns = Vec::new();
    let mut column = |title: String, place| columns.push(Column { title, place });
    for round in [1, last_round].into_iter().take(last_round.min(2) as usize) {
        column(format!("drop {round}"), Place::Drop(round));
    }
    column("idle".to_owned(), Place::Last(Moment::Idle));
    column("active".to_owned(), Place::Last(Moment::Active));
    if checkpoints.iter().any(|c| c.name == Moment::Collected) {
        column("gc".to_owned(), Place::Last(Moment::Collected));
    }
    column("asked".to_owned(), Place::Last(Moment::Released));
    columns
}

impl Column {
    /// What `cell` kept here: of what the object occupied, or in KiB where that was nothing much.
    pub(crate) fn kept(&self, cell: &Cell, verdict: &Verdict) -> String {
        match self.place.of(&cell.checkpoints) {
            None => "-".to_owned(),
            Some(checkpoint) if verdict.occupied_kib < 1024 => mebibytes(checkpoint.kept_kib),
            Some(checkpoint) => percent(checkpoint.kept_kib as f64 / verdict.occupied_kib as f64),
        }
    }
}

/// `jemalloc`, `jemalloc decay-0`, `jemalloc on debian12`
pub(crate) fn name(cell: &Cell) -> String {
    let contestant = contestant(&cell.allocator, &cell.knob);
    match &cell.machine {
        Some(machine) => format!("{contestant} on {machine}"),
        None => contestant,
    }
}

fn row(cell: &Cell, columns: &[Column]) -> Vec<String> {
    let mut row = vec![name(cell)];
    match &cell.verdict {
        Some(verdict) => {
            row.push(mebibytes(verdict.occupied_kib));
            row.extend(columns.iter().map(|column| column.kept(cell, verdict)));
            row.push(verdict.reuse.map_or("-".to_owned(), percent));
            row.push(verdict.returns.name().replace('-', " "));
        }
        None => {
            row.extend(vec!["-".to_owned(); columns.len() + 2]);
            row.push("failed".to_owned());
        }
    }
    row
}
