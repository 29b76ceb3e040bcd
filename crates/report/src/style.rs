//! What is coloured, and how. A colour repeats what a word says: whoever sees none misses nothing.

use anstyle::{AnsiColor, Style};
use model::Returns;

/// Of a title, and of a table's header.
pub(crate) const HEADING: Style = Style::new().bold();

/// Of what should not have happened.
pub(crate) const FAULT: Style = AnsiColor::Red.on_default().bold();

/// From green to red, the longer the memory stays away.
pub(crate) fn verdict(returns: Returns) -> Style {
    let color = match returns {
        Returns::AtOnce => AnsiColor::Green,
        Returns::WhenIdle => AnsiColor::Cyan,
        Returns::OnActivity => AnsiColor::Yellow,
        Returns::OnRequest => AnsiColor::Magenta,
        Returns::Partly | Returns::Never => AnsiColor::Red,
    };
    color.on_default()
}

/// The text in its style, and the terminal as it was behind it.
pub(crate) fn painted(text: &str, style: Style) -> String {
    match style.is_plain() || text.is_empty() {
        true => text.to_owned(),
        false => format!("{style}{text}{style:#}"),
    }
}
