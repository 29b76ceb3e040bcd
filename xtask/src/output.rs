//! The file of the full result: made sure of before measuring, complete or untouched after.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use crate::say;
use crate::stop::{Stop, cannot};

/// A file that will hold the result. What stands there stays until the result is whole.
pub(crate) struct Output {
    path: PathBuf,
    folder: PathBuf,
}

impl Output {
    /// Makes sure that `path` can be written, without touching what stands there.
    ///
    /// # Errors
    /// [`Stop::BadInput`] where it cannot.
    pub(crate) fn prepare(path: &Path) -> Result<Output, Stop> {
        let fault = |why: &dyn std::fmt::Display| Stop::BadInput(cannot("write", path, why));
        // Through links, so that a file behind one is replaced and not the link.
        let target = fs::canonicalize(path).or_else(|_| std::path::absolute(path));
        let target = target.map_err(|error| fault(&error))?;
        match fs::metadata(&target) {
            Ok(there) if there.is_dir() => return Err(fault(&"it is a folder; name a file in it")),
            Ok(there) if !there.is_file() => return Err(fault(&"it is no ordinary file")),
            _ => {}
        }
        let folder = target.parent().unwrap_or(Path::new("/")).to_owned();
        if let Some(wrong) = folder.ancestors().find(|ancestor| ancestor.is_file()) {
            return Err(fault(&format_args!("{} is no folder", wrong.display())));
        }
        fs::create_dir_all(&folder).map_err(|error| fault(&error))?;
        let output = Output {
            path: target,
            folder,
        };
        // Gone again at once: a command that is killed leaves nothing half done behind.
        drop(output.temporary().map_err(|error| fault(&error.kind()))?);
        Ok(output)
    }

    /// Whether something stands there.
    pub(crate) fn stands(&self) -> bool {
        self.path.exists()
    }

    /// Where a result goes that is not whole: if another stands there, beside it.
    pub(crate) fn sparing_another(self) -> Output {
        match self.stands() {
            true => self.beside(),
            false => self,
        }
    }

    /// `compare.interrupted.json` beside `compare.json`.
    pub(crate) fn beside(self) -> Output {
        let mut extension = OsString::from("interrupted");
        if let Some(own) = self.path.extension() {
            extension.push(".");
            extension.push(own);
        }
        Output {
            path: self.path.with_extension(extension),
            ..self
        }
    }

    /// Puts the result in place.
    ///
    /// # Errors
    /// [`Stop::Failed`] where the disk has filled up in the meantime, say.
    pub(crate) fn write(self, whole: &(impl AsRef<[u8]> + ?Sized)) -> Result<PathBuf, Stop> {
        let fault = |error: &io::Error| Stop::Failed(cannot("write", &self.path, error));
        let mut temporary = self.temporary().map_err(|error| fault(&error))?;
        temporary
            .write_all(whole.as_ref())
            .map_err(|error| fault(&error))?;
        temporary
            .persist(&self.path)
            .map_err(|error| fault(&error.error))?;
        Ok(self.path)
    }

    /// A file beside the one that will be replaced, so that replacing it is one step.
    fn temporary(&self) -> io::Result<NamedTempFile> {
        tempfile::Builder::new()
            .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .tempfile_in(&self.folder)
    }
}

/// Says where a result was written.
pub(crate) fn say_where(written: &Path, interrupted: bool) {
    let what = match interrupted {
        true => "what was measured until then",
        false => "full result",
    };
    say::aside(&format_args!("{what}: {}", written.display()));
}
