//! A cell's ledger as a table, a row for each entry; and how much of all ledgers is unexplained.

use model::{Cell, Checkpoint, Entry, Moment};

use crate::field::{Field, Heading};
use crate::figures::{listed, mebibytes};
use crate::grid::Grid;
use crate::rows::{Place, columns};

/// Where the resident bytes of this cell were, at the checkpoints that [`columns`] shows and at
/// those before them. Rows of nothing are left out, but for what is unexplained.
pub(crate) fn ledger(cell: &Cell) -> Grid {
    let mut shown = vec![
        ("baseline".to_owned(), Place::Last(Moment::Baseline)),
        ("built".to_owned(), Place::Last(Moment::Built)),
    ];
    let later = columns(&cell.checkpoints).into_iter();
    shown.extend(later.map(|column| (column.title, column.place)));
    let shown: Vec<(String, &Checkpoint)> = shown
        .into_iter()
        .filter_map(|(title, place)| Some((title, place.of(&cell.checkpoints)?)))
        .collect();

    let names = shown.first().map_or(&[][..], |(_, first)| &first.ledger);
    let mut rows: Vec<Vec<Field>> = Vec::new();
    for (index, entry) in names.iter().enumerate() {
        let kib = |checkpoint: &Checkpoint| checkpoint.ledger.get(index).map_or(0, |e| e.kib);
        let figures: Vec<i64> = shown.iter().map(|(_, c)| kib(c)).collect();
        if entry.name == Entry::UNEXPLAINED || figures.iter().any(|kib| *kib != 0) {
            rows.push(row(&entry.name, &figures));
        }
    }
    let sum = |checkpoint: &Checkpoint| {
        let kib = checkpoint.ledger.iter().map(|e| e.kib);
        kib.fold(0, i64::saturating_add)
    };
    let sums: Vec<i64> = shown.iter().map(|(_, c)| sum(c)).collect();
    rows.push(row("resident", &sums));
    // Where there is no room for all checkpoints, that before the object goes, and then the middle ones.
    let figures = shown.iter().map(|(title, _)| title.as_str());
    let figures = figures.map(|title| match title {
        "baseline" => Heading::figures(title).going(0),
        "idle" => Heading::figures(title).going(1),
        "active" => Heading::figures(title).going(2),
        "drop 1" => Heading::figures(title).going(3),
        _ => Heading::figures(title),
    });
    let header = [Heading::words("where")].into_iter().chain(figures);
    Grid::new(header.collect(), rows)
}

fn row(name: &str, figures: &[i64]) -> Vec<Field> {
    let figure = |kib: &i64| match kib {
        0 => "-".to_owned(),
        kib => mebibytes(*kib),
    };
    let figures = figures.iter().map(figure);
    let fields = [name.to_owned()].into_iter().chain(figures);
    fields.map(Field::from).collect()
}

/// As of [`unexplained_lines`], in one text; `None` where there is nothing to say.
pub(crate) fn unexplained(cells: &[Cell]) -> Option<String> {
    let said = unexplained_lines(cells);
    (!said.is_empty()).then(|| said.join("\n"))
}

/// The ledger with the largest unexplained share of what was occupied, and who gives no account to
/// write one from. Cells that occupied less than 1 MiB are
/// left out: a few pages would be the whole of it.
pub(crate) fn unexplained_lines(cells: &[Cell]) -> Vec<String> {
    let gives_account = |cell: &&Cell| {
        cell.checkpoints
            .iter()
            .any(|c| c.account.allocated_bytes.is_some())
    };
    let mut silent: Vec<&str> = Vec::new();
    for cell in cells
        .iter()
        .filter(|cell| !gives_account(cell) && cell.verdict.is_some())
    {
        if !silent.contains(&cell.allocator.as_str()) {
            silent.push(&cell.allocator);
        }
    }
    let largest = largest(cells.iter().filter(gives_account));
    let (keep, they_give) = match silent.len() {
        1 => ("keeps", "it gives"),
        _ => ("keep", "they give"),
    };
    let silent = (!silent.is_empty()).then(|| {
        let who = listed(&silent);
        format!("What {who} {keep} is not explained: {they_give} no account.")
    });
    largest.into_iter().chain(silent).collect()
}

fn largest<'a>(cells: impl Iterator<Item = &'a Cell>) -> Option<String> {
    let shares = cells.filter_map(|cell| Some((cell.verdict.as_ref()?.unexplained?, cell)));
    let (share, cell) = shares.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    Some(format!(
        "The ledgers leave at most {:.2} % of what was occupied unexplained ({} under {}).",
        share * 100.0,
        cell.experiment(),
        cell.allocator,
    ))
}
