//! `cargo xtask diff` and `compare --baseline`: what changed between two results, and a status that says whether
//! anything did.

use std::path::Path;

use model::{Comparison, Differences};
use oracle::Missing;

use crate::args::{DiffOptions, Format};
use crate::stop::Stop;
use crate::{documents, result, say};

pub(crate) fn diff(options: &DiffOptions) -> Result<(), Stop> {
    let old = documents::comparison(&options.old)?;
    let new = documents::comparison(&options.new)?;
    Changed::between(&old, &new, Missing::Gone).say(options.format)
}

/// An earlier result to compare with.
pub(crate) struct Baseline(Comparison);

impl Baseline {
    /// # Errors
    /// [`Stop::BadInput`] where the file holds none.
    pub(crate) fn read(path: &Path) -> Result<Baseline, Stop> {
        documents::comparison(path).map(Baseline)
    }

    /// What changed since; of its cells those that were measured now.
    pub(crate) fn changed<'a>(&'a self, comparison: &'a Comparison) -> Changed<'a> {
        Changed::between(&self.0, comparison, Missing::LeftOut)
    }
}

/// What changed from one comparison to another.
pub(crate) struct Changed<'a> {
    old: &'a Comparison,
    new: &'a Comparison,
    differences: Differences,
}

impl<'a> Changed<'a> {
    fn between(old: &'a Comparison, new: &'a Comparison, missing: Missing) -> Changed<'a> {
        Changed {
            old,
            new,
            differences: oracle::differences(old, new, missing),
        }
    }

    /// The page of the newer one, which begins with what changed.
    pub(crate) fn page(&self) -> String {
        result::page_since(self.old, self.new, &self.differences)
    }

    /// Prints it.
    ///
    /// # Errors
    /// [`Stop::Changed`] where anything did.
    pub(crate) fn say(&self, format: Format) -> Result<(), Stop> {
        let differences = &self.differences;
        match format {
            Format::Table => say::screen(&report::differences(differences, say::width())),
            Format::Markdown => say::result(&report::differences_markdown(differences)),
            Format::Json => say::json(differences),
            Format::Html => say::result(&self.page()),
        }?;
        status(differences)
    }
}

fn status(differences: &Differences) -> Result<(), Stop> {
    match differences.changed().next() {
        None => Ok(()),
        Some(_) => Err(Stop::Changed(report::summary(differences))),
    }
}
