//! `cargo xtask diff` and `compare --baseline`: what changed between two results, and a status that says whether
//! anything did.

use std::path::Path;

use model::{Comparison, Differences};
use oracle::Missing;

use crate::args::{DiffOptions, Format, TextFormat};
use crate::stop::Stop;
use crate::{documents, result, say};

pub(crate) fn diff(options: &DiffOptions) -> Result<(), Stop> {
    let old = documents::comparison(&options.old)?;
    let new = documents::comparison(&options.new)?;
    let differences = oracle::differences(&old, &new, Missing::Gone);
    show(&differences, options.format)?;
    status(&differences)
}

/// What changed since the result in `baseline`; of its cells those that were measured now. A page shows
/// what was measured, and the status says whether it is what it was.
pub(crate) fn since(
    baseline: &Baseline,
    comparison: &Comparison,
    format: Format,
) -> Result<(), Stop> {
    let differences = oracle::differences(&baseline.0, comparison, Missing::LeftOut);
    match format {
        Format::Table => show(&differences, TextFormat::Table),
        Format::Markdown => show(&differences, TextFormat::Markdown),
        Format::Json => show(&differences, TextFormat::Json),
        Format::Html => result::show(comparison, format),
    }?;
    status(&differences)
}

/// An earlier result to compare with.
pub(crate) struct Baseline(Comparison);

impl Baseline {
    /// # Errors
    /// [`Stop::BadInput`] where the file holds none.
    pub(crate) fn read(path: &Path) -> Result<Baseline, Stop> {
        documents::comparison(path).map(Baseline)
    }
}

fn show(differences: &Differences, format: TextFormat) -> Result<(), Stop> {
    match format {
        TextFormat::Table => say::screen(&report::differences(differences, say::width())),
        TextFormat::Markdown => say::result(&report::differences_markdown(differences)),
        TextFormat::Json => say::json(differences),
    }
}

fn status(differences: &Differences) -> Result<(), Stop> {
    match differences.changed().next() {
        None => Ok(()),
        Some(_) => Err(Stop::Changed(report::summary(differences))),
    }
}
