//! What a command says: its result on standard output, everything else on standard error.
//!
//! A reader who has gone, as `head -1` does, has had enough. That is no fault, and it ends
//! neither a measurement nor the writing of its result; `println!` would end both in a panic.
//!
//! Whether a stream gets colours is anstream's to decide: by `--color`, which `args` tells it, by
//! `NO_COLOR`, `CLICOLOR_FORCE` and `TERM`, and by whether the stream is a terminal.

use std::fmt::Display;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use report::Width;
use serde::Serialize;

use crate::stop::Stop;

/// Whether the user wants results and errors only. Set once, before anything is said.
static QUIET: AtomicBool = AtomicBool::new(false);

pub(crate) fn be_quiet() {
    QUIET.store(true, Ordering::Relaxed);
}

pub(crate) fn is_quiet() -> bool {
    QUIET.load(Ordering::Relaxed)
}

/// Prints the command's result. What names in it would make a terminal do is shown instead.
///
/// # Errors
/// [`Stop::Failed`] where standard output takes no more, a full disk say.
pub(crate) fn result(text: &str) -> Result<(), Stop> {
    let lines = text
        .split_inclusive('\n')
        .map(|line| match line.strip_suffix('\n') {
            Some(line) => report::shown(line) + "\n",
            None => report::shown(line),
        });
    printed(&lines.collect::<String>())
}

/// Prints the command's result as a document.
///
/// # Errors
/// As of [`result`].
pub(crate) fn json(document: &impl Serialize) -> Result<(), Stop> {
    printed(&spelled(document))
}

/// A document as JSON, for a file as well.
pub(crate) fn spelled(document: &impl Serialize) -> String {
    let json = serde_json::to_string_pretty(document).expect("a document of plain data");
    report::shown_in_json(&json) + "\n"
}

/// Prints the command's result as the report has laid it out for [`width`], with its colours or without.
///
/// # Errors
/// As of [`result`].
pub(crate) fn screen(text: &str) -> Result<(), Stop> {
    match AutoStream::choice(&io::stdout()) {
        ColorChoice::Never => printed(&strip_str(text).to_string()),
        _ => printed(text),
    }
}

/// The room on standard output.
pub(crate) fn width() -> Width {
    const USUAL: usize = 80;
    let stdout = io::stdout();
    if !stdout.is_terminal() {
        return Width::Endless;
    }
    match terminal_size::terminal_size_of(stdout) {
        Some((terminal_size::Width(columns @ 1..), _)) => Width::Terminal(columns.into()),
        _ => Width::Terminal(USUAL), // one that does not say
    }
}

fn printed(text: &str) -> Result<(), Stop> {
    let mut stdout = io::stdout().lock();
    let printed = stdout.write_all(text.as_bytes());
    match printed.and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Stop::Failed(format!(
            "cannot write to standard output: {error}"
        ))),
        _ => Ok(()),
    }
}

/// Says a line of progress or prose, to whoever wants to hear it.
pub(crate) fn aside(line: &dyn Display) {
    if !is_quiet() {
        fault(line);
    }
}

/// Says a line that everybody must hear.
pub(crate) fn fault(line: &dyn Display) {
    let _ = writeln!(io::stderr(), "{line}"); // where nobody listens, nothing is lost
}

/// Says why the command has failed.
pub(crate) fn error(line: &str) {
    let line = report::shown(line);
    let _ = writeln!(anstream::stderr(), "{ERROR}error:{ERROR:#} {line}");
}

const ERROR: Style = AnsiColor::Red.on_default().bold();
