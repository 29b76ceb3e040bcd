//! The file of the full result: made sure of before measuring, complete or untouched after.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::stop::{Stop, cannot};

/// A file that will hold the result: a temporary one beside it until the result is whole.
pub(crate) struct Output {
    path: PathBuf,
    temporary: NamedTempFile,
}

impl Output {
    /// Makes sure that `path` can be written, without touching what stands there.
    ///
    /// # Errors
    /// [`Stop::BadInput`] where it cannot.
    pub(crate) fn prepare(path: &Path) -> Result<Output, Stop> {
        let fault = |error: &dyn std::fmt::Display| Stop::BadInput(cannot("write", path, error));
        if path.is_dir() {
            return Err(fault(&"it is a folder; name a file in it"));
        }
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs::create_dir_all(folder).map_err(|error| fault(&error))?;
        let temporary = tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .tempfile_in(folder)
            .map_err(|error| fault(&error.kind()))?;
        Ok(Output {
            path: path.to_owned(),
            temporary,
        })
    }

    /// Puts the whole result in place.
    ///
    /// # Errors
    /// [`Stop::Failed`] where the disk has filled up in the meantime, say.
    pub(crate) fn write(mut self, text: &str) -> Result<PathBuf, Stop> {
        let fault =
            |error: &dyn std::fmt::Display| Stop::Failed(cannot("write", &self.path, error));
        let file = self.temporary.as_file_mut();
        file.write_all(text.as_bytes())
            .map_err(|error| fault(&error))?;
        self.temporary
            .persist(&self.path)
            .map_err(|error| fault(&error.error))?;
        Ok(self.path)
    }
}
