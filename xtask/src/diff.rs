//! `cargo xtask diff` and `compare --baseline`: what changed between two results, and a status that says whether
//! anything did.

use std::path::Path;

use model::{Comparison, Differences};
use oracle::Missing;

use crate::args::{DiffOptions, Format};
use crate::stop::Stop;
use crate::{documents, say};

pub(crate) fn diff(options: &DiffOptions) -> Result<(), Stop> {
    let old = documents::comparison(&options.old)?;
    let new = documents::comparison(&options.new)?;
    show(
        &oracle::differences(&old, &new, Missing::Gone),
        &options.format,
    )
}

/// What changed since the result in `baseline`; of its cells those that were measured now.
pub(crate) fn since(
    baseline: &Baseline,
    comparison: &Comparison,
    format: &Format,
) -> Result<(), Stop> {
    let differences = oracle::differences(&baseline.0, comparison, Missing::LeftOut);
    show(&differences, format)
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

fn show(differences: &Differences, format: &Format) -> Result<(), Stop> {
    say::result(&match format {
        Format::Table => report::differences(differences),
        Format::Markdown => report::differences_markdown(differences),
        Format::Json => {
            let json = serde_json::to_string_pretty(differences);
            json.expect("a document of plain data") + "\n"
        }
    })?;
    match differences.changed().next() {
        None => Ok(()),
        Some(_) => Err(Stop::Changed(report::summary(differences))),
    }
}
