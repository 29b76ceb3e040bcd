//! `cargo xtask merge`: the results of several shards or machines as one.

use std::path::Path;

use oracle::Source;

use crate::args::{Format, MergeOptions};
use crate::output::Output;
use crate::stop::Stop;
use crate::{compare, documents, say};

pub(crate) fn merge(options: &MergeOptions) -> Result<(), Stop> {
    let output = options.out.as_deref().map(Output::prepare).transpose()?;
    let sources = options.results.iter().map(|path| {
        let comparison = documents::comparison(path)?;
        let name = name(path);
        Ok(Source { name, comparison })
    });
    let sources = sources.collect::<Result<Vec<_>, Stop>>()?;
    let merged = oracle::merge(sources).map_err(Stop::BadInput)?;
    let json = compare::json(&merged);
    let written = output.map(|output| output.write(&json)).transpose()?;
    say::result(&match options.format {
        Format::Table => report::terminal(&merged),
        Format::Markdown => report::markdown(&merged),
        Format::Json => json,
    })?;
    if let Some(written) = written {
        say::aside(&format_args!("full result: {}", written.display()));
    }
    Ok(())
}

/// What the file's machine is called: its name without the folder and the ending.
fn name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or(path.as_os_str());
    stem.to_string_lossy().into_owned()
}
