//! Which Python: a version and a word size, by the names that people type and read.

use std::fmt;
use std::str::FromStr;

use crate::kind;
use crate::policy::Version;
use crate::versions::{VERSIONS, version};
use crate::word::Word;

/// A build of CPython: `2.4 32-bit` to read, `2.4-32` to type, and `2.4` for the one of 64 bits.
///
/// ```
/// use cpython_layers::Build;
///
/// let build: Build = "2.4-32".parse().expect("a version of the table");
/// assert_eq!(build.to_string(), "2.4 32-bit");
/// assert_eq!(build.to_string().parse(), Ok(build));
/// assert!("2.6".parse::<Build>().is_err());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Build {
    /// The row of its version.
    pub version: &'static Version,
    /// The width of its words.
    pub word: Word,
}

impl Build {
    /// Each version on 64 bits, oldest first.
    pub fn all() -> impl Iterator<Item = Build> {
        let rows = VERSIONS.iter().filter_map(|row| version(row.name));
        rows.map(|version| Build {
            version,
            word: Word::Bits64,
        })
    }

    /// The newest version on 64 bits.
    pub fn newest() -> Build {
        Build::all().last().expect("there are versions")
    }

    /// Whether this value is an int here, and neither a `long` nor too large for `xrange`.
    pub fn has_int(&self, value: u64) -> bool {
        let value = i64::try_from(value);
        value.is_ok_and(|value| kind::is_int(self.version, self.word, value))
    }
}

impl PartialEq for Build {
    fn eq(&self, other: &Build) -> bool {
        (self.version.name, self.word) == (other.version.name, other.word)
    }
}

impl fmt::Display for Build {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = 8 * self.word.bytes();
        write!(f, "{} {bits}-bit", self.version.name)
    }
}

impl FromStr for Build {
    type Err = UnknownBuild;

    fn from_str(text: &str) -> Result<Build, UnknownBuild> {
        let (name, word) = match text.split_once(['-', ' ']) {
            None => (text, Word::Bits64),
            Some((name, "64" | "64-bit")) => (name, Word::Bits64),
            Some((name, "32" | "32-bit")) => (name, Word::Bits32),
            Some(_) => return Err(UnknownBuild),
        };
        let version = version(name).ok_or(UnknownBuild)?;
        Ok(Build { version, word })
    }
}

/// A name that no build of the table has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownBuild;

impl fmt::Display for UnknownBuild {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("no such version of Python is modelled")
    }
}

impl std::error::Error for UnknownBuild {}
