//! A comparison given out: in two files, as JSON and beside it as a page, and on standard output in the
//! format that the user wants.

use std::path::{Path, PathBuf};

use model::{Comparison, Differences};

use crate::args::Format;
use crate::output::Output;
use crate::say;
use crate::stop::Stop;

/// The files that will hold a result.
pub(crate) struct Files {
    json: Output,
    page: Output,
}

impl Files {
    /// Makes sure that both can be written, without touching what stands there.
    ///
    /// # Errors
    /// [`Stop::BadInput`] where one of them cannot.
    pub(crate) fn prepare(json: &Path) -> Result<Files, Stop> {
        Ok(Files {
            json: Output::prepare(json)?, // whose name the user knows: its fault is told first
            page: Output::prepare(&page_beside(json))?,
        })
    }

    /// Where a result goes that is not whole: if another stands there, both beside it.
    pub(crate) fn sparing_others(self) -> Files {
        match self.json.stands() || self.page.stands() {
            true => Files {
                json: self.json.beside(),
                page: self.page.beside(),
            },
            false => self,
        }
    }

    /// Puts both in place, `page` being that of the comparison; where the JSON stands.
    ///
    /// # Errors
    /// [`Stop::Failed`] as of [`Output::write`].
    pub(crate) fn write(self, comparison: &Comparison, page: &str) -> Result<PathBuf, Stop> {
        let written = self.json.write(&say::spelled(comparison))?;
        self.page.write(page)?;
        Ok(written)
    }
}

/// The page of `compare.json` is `compare.html`.
fn page_beside(json: &Path) -> PathBuf {
    let page = json.with_extension("html");
    match page == json {
        true => json.with_extension("html.html"),
        false => page,
    }
}

/// Prints the comparison in one of its formats.
///
/// # Errors
/// [`Stop::Failed`] as of [`say::result`].
pub(crate) fn show(comparison: &Comparison, format: Format) -> Result<(), Stop> {
    match format {
        Format::Table => say::screen(&report::terminal(comparison, say::width())),
        Format::Markdown => say::result(&report::markdown(comparison)),
        Format::Json => say::json(comparison),
        Format::Html => say::result(&page(comparison)),
    }
}

pub(crate) fn page(comparison: &Comparison) -> String {
    report::html(comparison, &oracle::tradeoffs(comparison))
}

/// The page with what changed since an earlier comparison.
pub(crate) fn page_since(old: &Comparison, new: &Comparison, differences: &Differences) -> String {
    let baseline = report::Baseline {
        comparison: old,
        differences,
    };
    report::html_since(new, &oracle::tradeoffs(new), baseline)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_never_takes_the_place_of_the_json() {
        for (json, page) in [
            ("target/compare.json", "target/compare.html"),
            ("compare", "compare.html"),
            ("compare.html", "compare.html.html"),
        ] {
            assert_eq!(page_beside(Path::new(json)), Path::new(page));
        }
    }
}
