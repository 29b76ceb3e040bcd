//! A knob: a named setting that an allocator reads from its environment.

/// A named set of environment variables, the whole environment of a subject under lab conditions.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Knob {
    /// The name in tables and in the JSON.
    pub name: String,
    /// The variables, in the order in which they are set.
    pub variables: Vec<(String, String)>,
}

impl Knob {
    /// The name of the knob that turns nothing.
    pub const DEFAULT: &'static str = "default";

    /// No variable at all: the allocator as its authors ship it.
    pub fn default_settings() -> Knob {
        Knob {
            name: Knob::DEFAULT.to_owned(),
            variables: Vec::new(),
        }
    }

    /// One variable, named after itself: `NAME=value`.
    pub fn variable(name: &str, value: &str) -> Knob {
        Knob {
            name: format!("{name}={value}"),
            variables: vec![(name.to_owned(), value.to_owned())],
        }
    }
}
