//! The table's rows: one scenario's cells, told by columns.

use model::{Cell, Checkpoint, Moment, Verdict};

use crate::benchmark::contestant;
use crate::field::{Field, Heading};
use crate::figures::{mebibytes, percent, thousands};
use crate::grid::Grid;
use crate::shape::Shape;
use crate::style;

/// One scenario's table.
pub(crate) struct Section<'a> {
    /// `int-list, size 5,120,000`
    pub(crate) title: String,
    cells: &'a [Cell],
    columns: Vec<Column>,
    shape: Shape,
}

/// A table for each scenario, in the order in which they were measured.
pub(crate) fn sections(cells: &[Cell]) -> impl Iterator<Item = Section<'_>> {
    cells
        .chunk_by(|a, b| (a.experiment(), a.size) == (b.experiment(), b.size))
        .map(Section::of)
}

impl Section<'_> {
    fn of(cells: &[Cell]) -> Section<'_> {
        // The columns of a complete cell; a failed one has fewer checkpoints.
        let longest = cells.iter().max_by_key(|cell| cell.checkpoints.len());
        let longest = longest.map_or(&[][..], |cell| &cell.checkpoints);
        let title = format!(
            "{}, size {}",
            cells[0].experiment(),
            thousands(cells[0].size)
        );
        Section {
            title,
            cells,
            columns: columns(longest),
            shape: Shape::of(longest),
        }
    }

    /// In 80 columns, if the names are not longer than most. Where there is less room, the figures that
    /// the bars show as well go before the bars.
    pub(crate) fn on_screen(&self) -> Grid {
        let figures = |(index, column): (usize, &Column)| {
            let rank = (2 + self.columns.len() - index) as u8;
            let heading = Heading::figures(&column.title).going(rank);
            match column.title.split_once(' ') {
                Some((kind, round)) => heading.in_lines(kind, round),
                None => heading,
            }
        };
        let mut header = vec![
            Heading::words("allocator"),
            Heading::figures("occupied").going(1),
        ];
        header.extend(self.columns.iter().enumerate().map(figures));
        header.extend([
            Heading::figures("reuse").going(0),
            Heading::words("bars")
                .in_lines("bars", &self.shape.ruler())
                .going(u8::MAX),
            Heading::words("returns"),
        ]);
        let short = |figure: String| figure.replace(" %", "%");
        Grid::new(header, self.rows(&short)).dense()
    }

    pub(crate) fn in_markdown(&self) -> String {
        let mut header = vec![Heading::words("allocator"), Heading::figures("occupied")];
        let columns = self.columns.iter();
        header.extend(columns.map(|column| Heading::figures(&column.title)));
        let bars = Heading::words(&self.shape.ruler()).drawn();
        header.extend([Heading::figures("reuse"), bars, Heading::words("returns")]);
        Grid::new(header, self.rows(&|figure| figure)).in_markdown()
    }

    fn rows(&self, spelled: &dyn Fn(String) -> String) -> Vec<Vec<Field>> {
        let rows = self.cells.iter();
        rows.map(|cell| self.row(cell, spelled)).collect()
    }

    fn row(&self, cell: &Cell, spelled: &dyn Fn(String) -> String) -> Vec<Field> {
        let mut row = vec![Field::from(name(cell))];
        let Some(verdict) = &cell.verdict else {
            let empty = Field::from("-".to_owned());
            row.extend(vec![empty; self.columns.len() + 3]);
            row.push(Field::from("failed".to_owned()).styled(style::FAULT));
            return row;
        };
        let kept = self.columns.iter().map(|column| column.kept(cell, verdict));
        let occupied = mebibytes(verdict.occupied_kib);
        let reuse = verdict.reuse.map_or("-".to_owned(), percent);
        let figures = [occupied].into_iter().chain(kept).chain([reuse]);
        row.extend(figures.map(|figure| Field::from(spelled(figure))));
        let bars = Field::drawn(self.shape.bars(cell, verdict.occupied_kib));
        row.push(bars.styled(style::verdict(verdict.returns)));
        row.push(Field::verdict(verdict.returns));
        row
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
    /// The first one of its kind.
    First(Moment),
    /// The last one of its kind.
    Last(Moment),
    /// So many of its kind come before it.
    Reading(Moment, usize),
}

impl Place {
    pub(crate) fn of(self, cell: &[Checkpoint]) -> Option<&Checkpoint> {
        let mut checkpoints = cell.iter();
        match self {
            Place::Drop(round) => {
                checkpoints.rfind(|c| (c.name, c.round) == (Moment::Dropped, round))
            }
            Place::First(moment) => checkpoints.find(|c| c.name == moment),
            Place::Last(moment) => checkpoints.rfind(|c| c.name == moment),
            Place::Reading(moment, earlier) => {
                checkpoints.filter(|c| c.name == moment).nth(earlier)
            }
        }
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
