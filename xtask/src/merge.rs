//! `cargo xtask merge`: the results of several shards or machines as one.

use std::path::Path;

use oracle::Source;

use crate::args::MergeOptions;
use crate::result::{self, Files, page};
use crate::stop::Stop;
use crate::{documents, output};

pub(crate) fn merge(options: &MergeOptions) -> Result<(), Stop> {
    let files = options.out.as_deref().map(Files::prepare).transpose()?;
    let sources = options.results.iter().map(|path| {
        let comparison = documents::comparison(path)?;
        let name = name(path);
        Ok(Source { name, comparison })
    });
    let sources = sources.collect::<Result<Vec<_>, Stop>>()?;
    let merged = oracle::merge(sources).map_err(Stop::BadInput)?;
    let write = |files: Files| files.write(&merged, &page(&merged));
    let written = files.map(write).transpose()?;
    result::show(&merged, options.format)?;
    if let Some(written) = written {
        output::say_where(&written, false);
    }
    Ok(())
}

/// What the file's machine is called: its name without the folder and the ending.
fn name(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or(path.as_os_str());
    stem.to_string_lossy().into_owned()
}
