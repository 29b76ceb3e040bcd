//! The matrix: each allocator with each knob, in each experiment, and when the memory comes back.
//!
//! Whatever there is more of, contestants or experiments, goes down the page; the other goes across it.

use std::collections::HashMap;

use model::{Cell, Conditions};

use crate::figures::thousands;
use crate::rows::{Column, Place, name};

/// A table of links.
pub(crate) struct Matrix<'a> {
    /// What the rows are: `experiment` or `allocator`.
    pub(crate) corner: &'static str,
    pub(crate) columns: Vec<String>,
    pub(crate) rows: Vec<Row<'a>>,
}

pub(crate) struct Row<'a> {
    pub(crate) title: String,
    /// One entry a column; more than one mark where the same was measured again, none where it was not.
    pub(crate) entries: Vec<Vec<Mark<'a>>>,
}

/// One cell in the matrix.
pub(crate) struct Mark<'a> {
    pub(crate) cell: &'a Cell,
    /// Its place among the cells, which its link is made of.
    pub(crate) index: usize,
    /// `80 %`: what the drop kept that the verdict is about.
    pub(crate) kept: Option<String>,
    /// `was at once`: that it is not what it was.
    pub(crate) change: Option<String>,
}

impl Mark<'_> {
    /// The verdict's name, as a class of the style sheet.
    pub(crate) fn class(&self) -> &'static str {
        class(self.cell)
    }

    pub(crate) fn word(&self) -> String {
        word(self.cell)
    }
}

/// `at-once`, or `failed`.
pub(crate) fn class(cell: &Cell) -> &'static str {
    let verdict = cell.verdict.as_ref();
    verdict.map_or("failed", |verdict| verdict.returns.name())
}

/// `at once`, or `failed`.
pub(crate) fn word(cell: &Cell) -> String {
    class(cell).replace('-', " ")
}

impl<'a> Matrix<'a> {
    pub(crate) fn of(cells: &'a [Cell]) -> Matrix<'a> {
        let mut contestants = Titles::default();
        let mut experiments = Titles::default();
        let mut marks: HashMap<(usize, usize), Vec<Mark>> = HashMap::new();
        for (index, cell) in cells.iter().enumerate() {
            let place = (
                contestants.place(name(cell)),
                experiments.place(title(cell)),
            );
            let kept = kept(cell);
            marks.entry(place).or_default().push(Mark {
                cell,
                index,
                kept,
                change: None,
            });
        }
        let (corner, down, across) = match contestants.all.len() > experiments.all.len() {
            true => ("allocator", contestants, experiments),
            false => ("experiment", experiments, contestants),
        };
        let mut entry = |row: usize, column: usize| {
            let place = match corner {
                "allocator" => (row, column),
                _ => (column, row),
            };
            marks.remove(&place).unwrap_or_default()
        };
        let columns = across.all;
        let rows = down.all.into_iter().enumerate().map(|(row, title)| Row {
            title,
            entries: (0..columns.len())
                .map(|column| entry(row, column))
                .collect(),
        });
        Matrix {
            corner,
            rows: rows.collect(),
            columns,
        }
    }
}

/// Titles in the order in which they were first seen.
#[derive(Default)]
struct Titles {
    all: Vec<String>,
    places: HashMap<String, usize>,
}

impl Titles {
    fn place(&mut self, title: String) -> usize {
        *self.places.entry(title).or_insert_with_key(|title| {
            self.all.push(title.clone());
            self.all.len() - 1
        })
    }
}

/// `int-list, size 5,120,000`: what the cells of one row have in common.
pub(crate) fn title(cell: &Cell) -> String {
    let mut title = format!("{}, size {}", cell.experiment(), thousands(cell.size));
    if cell.seed != 1 {
        title += &format!(", seed {}", cell.seed);
    }
    if cell.conditions != Conditions::Lab {
        title += ", in real time";
    }
    title
}

/// What the drop kept that the verdict is about.
pub(crate) fn kept(cell: &Cell) -> Option<String> {
    let verdict = cell.verdict.as_ref()?;
    let drop = Column {
        title: String::new(),
        place: Place::Drop(verdict.round),
    };
    Some(drop.kept(cell, verdict))
}
