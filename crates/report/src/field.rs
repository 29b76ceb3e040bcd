//! What stands in a table and above its columns: for a terminal in a style, for Markdown without any markup, and
//! in both as text that neither obeys.

use anstyle::Style;
use comfy_table::CellAlignment;
use model::Returns;

use crate::style::{self, HEADING, painted};
use crate::text::{markdown, shown};

/// What stands above a column, and what kind of column it is.
#[derive(Clone)]
pub(crate) struct Heading {
    pub(crate) title: String,
    /// The same in two lines, for a terminal.
    lines: Option<[String; 2]>,
    pub(crate) alignment: CellAlignment,
    /// Whether it is about drawings, and one itself.
    drawn: bool,
    /// The place in the order in which columns go where there is no room; `None` stays.
    pub(crate) goes: Option<u8>,
}

/// What stands in a column.
#[derive(Clone)]
pub(crate) struct Field {
    text: String,
    style: Style,
    /// Whether it is a drawing, of which every character must be as wide as any other.
    drawn: bool,
}

impl Heading {
    /// Above words.
    pub(crate) fn words(title: &str) -> Heading {
        Heading {
            title: title.to_owned(),
            lines: None,
            alignment: CellAlignment::Left,
            drawn: false,
            goes: None,
        }
    }

    /// Above figures.
    pub(crate) fn figures(title: &str) -> Heading {
        Heading {
            alignment: CellAlignment::Right,
            ..Heading::words(title)
        }
    }

    /// That is these two lines on a terminal.
    pub(crate) fn in_lines(self, first: &str, second: &str) -> Heading {
        Heading {
            lines: Some([first, second].map(str::to_owned)),
            ..self
        }
    }

    /// Drawn, as the fields below it are.
    pub(crate) fn drawn(self) -> Heading {
        Heading {
            drawn: true,
            ..self
        }
    }

    /// That goes where there is no room, the lower ranks first.
    pub(crate) fn going(self, rank: u8) -> Heading {
        Heading {
            goes: Some(rank),
            ..self
        }
    }

    pub(crate) fn on_screen(&self) -> String {
        let lines: Vec<&str> = match &self.lines {
            Some(lines) => lines.iter().map(String::as_str).collect(),
            None => self.title.split('\n').collect(),
        };
        let lines = lines.iter().map(|line| painted(&shown(line), HEADING));
        lines.collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn in_markdown(&self) -> String {
        spelled_in_markdown(&self.title, self.drawn)
    }
}

impl From<String> for Field {
    fn from(text: String) -> Field {
        Field {
            text,
            style: Style::new(),
            drawn: false,
        }
    }
}

impl Field {
    pub(crate) fn styled(self, style: Style) -> Field {
        Field { style, ..self }
    }

    /// A drawing made of characters.
    pub(crate) fn drawn(text: String) -> Field {
        Field {
            drawn: true,
            ..Field::from(text)
        }
    }

    /// When the memory comes back.
    pub(crate) fn verdict(returns: Returns) -> Field {
        let words = returns.name().replace('-', " ");
        Field::from(words).styled(style::verdict(returns))
    }

    pub(crate) fn on_screen(&self) -> String {
        painted(&shown(&self.text), self.style)
    }

    pub(crate) fn in_markdown(&self) -> String {
        spelled_in_markdown(&self.text, self.drawn)
    }
}

fn spelled_in_markdown(text: &str, drawn: bool) -> String {
    match drawn && !text.is_empty() {
        true => format!("`{text}`"), // drawings are our own, and no name is in them
        false => markdown(text),
    }
}
