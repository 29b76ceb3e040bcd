//! A cell's ledger as a table, a row for each entry; and how much of all ledgers is unexplained.

use model::{Cell, Checkpoint, Entry, Moment};

use crate::figures::mebibytes;
use crate::rows::{Place, columns};
use crate::tables::plain;

/// Where the resident bytes of this cell were, at the checkpoints that [`columns`] shows and at
/// those before them. Rows of nothing are left out, but for what is unexplained.
pub(crate) fn ledger(cell: &Cell) -> String {
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
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (index, entry) in names.iter().enumerate() {
        let kib = |checkpoint: &Checkpoint| checkpoint.ledger.get(index).map_or(0, |e| e.kib);
        let figures: Vec<i64> = shown.iter().map(|(_, c)| kib(c)).collect();
        if entry.name == Entry::UNEXPLAINED || figures.iter().any(|kib| *kib != 0) {
            rows.push(row(&entry.name, &figures));
        }
    }
    let sum = |checkpoint: &Checkpoint| checkpoint.ledger.iter().map(|e| e.kib).sum();
    let sums: Vec<i64> = shown.iter().map(|(_, c)| sum(c)).collect();
    rows.push(row("resident", &sums));
    let header: Vec<String> = std::iter::once("where")
        .chain(shown.iter().map(|(title, _)| title.as_str()))
        .chain([""])
        .map(str::to_owned)
        .collect();
    plain(&header, &rows)
}

fn row(name: &str, figures: &[i64]) -> Vec<String> {
    let figure = |kib: &i64| match kib {
        0 => "-".to_owned(),
        kib => mebibytes(*kib),
    };
    let figures = figures.iter().map(figure);
    let name = std::iter::once(name.to_owned());
    name.chain(figures).chain([String::new()]).collect()
}

/// The ledger with the largest unexplained entry, of what was occupied or, where that was less, of
/// 1 MiB; `None` where no cell has a ledger.
pub(crate) fn unexplained(cells: &[Cell]) -> Option<String> {
    let shares = cells.iter().filter_map(|cell| {
        let occupied_kib = cell.verdict.as_ref()?.occupied_kib.max(1024);
        let entries = cell.checkpoints.iter().filter_map(|c| c.ledger.last());
        let most = entries.map(|entry| entry.kib.abs()).max()?;
        Some((most as f64 / occupied_kib as f64, most, cell))
    });
    let (share, kib, cell) = shares.max_by(|(a, ..), (b, ..)| a.total_cmp(b))?;
    Some(format!(
        "The ledgers leave at most {:.1} % of what was occupied unexplained ({} of {} under {}).",
        share * 100.0,
        mebibytes(kib),
        cell.scenario,
        cell.allocator,
    ))
}
