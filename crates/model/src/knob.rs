//! A knob: a named setting of an allocator, or a habit of the program that uses it.

use std::collections::BTreeMap;

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
    /// It has its garbage collector do a full collection.
    Collect,
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

/// The knobs of one allocator: what stands in a file `crates/subject/knobs/NAME.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Each of them.
    #[serde(default)]
    pub knob: Vec<DocumentedKnob>,
}

/// A knob and what its authors say of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DocumentedKnob {
    /// Its name.
    pub name: String,
    #[serde(default)]
    set: BTreeMap<String, String>,
    #[serde(default)]
    after_drop: AfterDrop,
    /// Whether it works by a thread that sleeps in real time, which the lab clock does not wake.
    #[serde(default)]
    pub real_time: bool,
    /// Whether a benchmark runs it beside the default settings where the user names no knob.
    #[serde(default)]
    pub benched: bool,
    /// The first version of what it is turned on that knows it; any version where none is named.
    #[serde(default)]
    pub since: Option<String>,
    /// What it does.
    pub does: String,
    /// How it stands by default.
    pub default: String,
    /// What it costs.
    pub cost: String,
}

impl Catalogue {
    /// The knob of this name, [`Knob::DEFAULT`] among them.
    pub fn find(&self, name: &str) -> Option<Knob> {
        match name {
            Knob::DEFAULT => Some(Knob::default_settings()),
            name => self.knob.iter().find(|k| k.name == name).map(|k| k.knob()),
        }
    }
}

impl DocumentedKnob {
    /// What is turned.
    pub fn knob(&self) -> Knob {
        Knob {
            name: self.name.clone(),
            variables: self.set.clone().into_iter().collect(),
            after_drop: self.after_drop,
        }
    }

    /// How to turn it, as one would type it.
    pub fn how(&self, release_call: &str) -> String {
        let variables = self
            .set
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let call = match self.after_drop {
            AfterDrop::Nothing => None,
            AfterDrop::Release => Some(format!("{release_call} after each drop")),
            AfterDrop::Collect => Some("gc.collect() after each drop".to_owned()),
        };
        variables.chain(call).collect::<Vec<_>>().join(" ")
    }
}
