//! The results that earlier commands wrote, read back: a fault is one line that names the file and the way out.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use model::Comparison;

use crate::stop::{Stop, cannot};

/// The longest document that is read, in bytes: of some tens of thousands of cells. A file that is longer is
/// something else.
const LONGEST: u64 = 2 << 30;

/// The comparison in this file.
///
/// # Errors
/// [`Stop::BadInput`] where there is none that this version reads.
pub(crate) fn comparison(path: &Path) -> Result<Comparison, Stop> {
    let refused = |why: String| Stop::BadInput(cannot("read", path, &why));
    Comparison::read(&text(path)?).map_err(refused)
}

/// All bytes of the file.
fn text(path: &Path) -> Result<Vec<u8>, Stop> {
    let fault = |why: &dyn std::fmt::Display| Stop::BadInput(cannot("read", path, why));
    let file = File::open(path).map_err(|error| fault(&error))?;
    let metadata = file.metadata().map_err(|error| fault(&error))?;
    if metadata.is_dir() {
        return Err(fault(&"it is a folder; name a file in it"));
    }
    let mut text = Vec::new();
    // One more than allowed, since pipes and the like do not tell their length.
    let read = file.take(LONGEST + 1).read_to_end(&mut text);
    read.map_err(|error| fault(&error))?;
    if text.len() as u64 > LONGEST {
        return Err(fault(&"it is longer than 2 GiB, which no result is"));
    }
    Ok(text)
}
