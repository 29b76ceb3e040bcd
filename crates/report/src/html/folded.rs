//! A page of many cells has its stories folded: as text, of which a browser makes elements when one is opened.
//!
//! ```text
//! up to MOST_UNFOLDED   each story is in the page, and a link shows it: no script
//! beyond                <script type="text/html">, which no browser runs or looks into, and one that opens it
//! ```
//!
//! Such an element ends with `</script`, and `<!--` would change how it ends. Neither is in a template, and the
//! escaping leaves no `<` in what a result says, so that neither is in a story.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha256};

/// A browser takes some 1.5 ms to make the elements of a story: for so many less than a second. The default
/// matrix has 20 cells, and all scenarios have 132.
const MOST_UNFOLDED: usize = 500;

/// What a page of folded stories has besides.
pub(super) struct Folded {
    pub(super) script: &'static str,
    /// What the page's policy says of it: the script's hash, so that no other is ever run.
    pub(super) source: String,
}

impl Folded {
    /// `None` where a page of so many cells has no need of it.
    pub(super) fn of(cells: usize) -> Option<Folded> {
        let script = include_str!("stories.js");
        (cells > MOST_UNFOLDED).then(|| Folded {
            script,
            source: format!(
                "'sha256-{}'",
                BASE64_STANDARD.encode(Sha256::digest(script))
            ),
        })
    }
}
