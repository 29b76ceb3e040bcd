//! A knob: a named setting of an allocator, or a habit of the program that uses it.

use serde::Deserialize;

/// What is turned in one cell: environment variables for the allocator to read, and what the
/// program does after each drop.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Knob {
    /// The name in tables and in the JSON.
    pub name: String,
    /// The variables; under lab conditions the subject's whole environment.
    pub variables: Vec<(String, String)>,
    /// What the program does right after each drop.
    pub after_drop: AfterDrop,
}

/// What the program does right after each drop, as part of it.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum AfterDrop {
    /// It goes on.
    #[default]
    Nothing,
    /// It asks the allocator to give memory back.
    Release,
}

impl Knob {
    /// The name of the knob that turns nothing.
    pub const DEFAULT: &'static str = "default";

    /// Nothing turned: the allocator as its authors ship it.
    pub fn default_settings() -> Knob {
        Knob {
            name: Knob::DEFAULT.to_owned(),
            ..Knob::default()
        }
    }

    /// One variable, named after itself: `NAME=value`.
    pub fn variable(name: &str, value: &str) -> Knob {
        Knob {
            name: format!("{name}={value}"),
            variables: vec![(name.to_owned(), value.to_owned())],
            ..Knob::default()
        }
    }
}
