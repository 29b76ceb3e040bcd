//! What a command says: its result on standard output, everything else on standard error.
//!
//! A reader who has gone, as `head -1` does, has had enough. That is no fault, and it ends
//! neither a measurement nor the writing of its result; `println!` would end both in a panic.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use crate::stop::Stop;

/// Prints the command's result. What names in it would make a terminal do is shown instead.
///
/// # Errors
/// [`Stop::Failed`] where standard output takes no more, a full disk say.
pub(crate) fn result(text: &str) -> Result<(), Stop> {
    let mut stdout = io::stdout().lock();
    let lines = text
        .split_inclusive('\n')
        .map(|line| match line.strip_suffix('\n') {
            Some(line) => report::shown(line) + "\n",
            None => report::shown(line),
        });
    let text: String = lines.collect();
    let printed = stdout.write_all(text.as_bytes());
    match printed.and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Stop::Failed(format!(
            "cannot write to standard output: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Says a line of progress or prose.
pub(crate) fn aside(line: &dyn Display) {
    let _ = writeln!(io::stderr(), "{line}"); // where nobody listens, nothing is lost
}
