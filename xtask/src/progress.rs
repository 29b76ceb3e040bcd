//! What the user sees while waiting: a bar that names the running cell, or, where standard error
//! is no terminal, a line for each cell. Who wants it quiet sees failures only.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use model::Moment;

use crate::say;

/// Progress over all cells of a run.
pub(crate) struct Progress {
    bar: ProgressBar,
    cells: usize,
    running: usize,
    cell: String,
    /// Those that were said.
    remarks: BTreeSet<String>,
}

impl Progress {
    pub(crate) fn new(cells: usize) -> Progress {
        let target = match say::is_quiet() {
            true => ProgressDrawTarget::hidden(),
            false => ProgressDrawTarget::stderr(),
        };
        let bar = ProgressBar::with_draw_target(Some(cells as u64), target);
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg}");
        bar.set_style(style.expect("a template of known fields"));
        if !bar.is_hidden() {
            // Draws that follow each other too closely are skipped, the last one too: without
            // this, a cell that hangs would never be named.
            bar.enable_steady_tick(Duration::from_millis(100));
        }
        Progress {
            bar,
            cells,
            running: 0,
            cell: String::new(),
            remarks: BTreeSet::new(),
        }
    }

    /// A cell begins.
    pub(crate) fn begin(&mut self, cell: String) {
        self.running += 1;
        self.cell = cell;
        if self.bar.is_hidden() {
            say::aside(&format_args!(
                "[{}/{}] {}",
                self.running, self.cells, self.cell
            ));
        }
        self.bar.set_message(self.cell.clone());
        self.bar.tick();
    }

    /// The cell sets out for a checkpoint.
    pub(crate) fn arriving(&self, moment: Moment, round: u32) {
        self.at(&format_args!("{} {round}", moment.name()));
    }

    /// How far the cell has come.
    pub(crate) fn at(&self, place: &dyn Display) {
        self.bar.set_message(format!("{}: {place}", self.cell));
    }

    /// Says a line that everybody must hear, between two cells or in the middle of one.
    pub(crate) fn say(&self, line: &str) {
        if self.bar.is_hidden() {
            say::fault(&line);
        } else {
            self.bar.println(line);
        }
    }

    /// This subject has come to its end, and has said something beside. Everybody must hear that, once.
    pub(crate) fn remark(&mut self, who: &str, remark: &str) {
        let line = format!("{who} said {remark:?}");
        if !self.remarks.contains(&line) {
            self.say(&line);
            self.remarks.insert(line);
        }
    }

    /// The cell has ended, well or not.
    pub(crate) fn end(&self, failure: Option<&str>) {
        if let Some(failure) = failure {
            self.say(&format!("{} failed: {failure}", self.cell));
        }
        self.bar.inc(1);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
