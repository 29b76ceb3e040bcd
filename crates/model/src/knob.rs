//! A knob: a named setting of an allocator, or a habit of the program that uses it.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// What turning it does, of one that a catalogue has.
    pub does: Option<String>,
}

/// How a knob is turned, and what that does.
#[derive(Clone, Debug, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
pub struct Turned {
    /// As one would type it: environment variables, or the call after each drop.
    pub how: String,
    /// What that does; null of a variable that stands in no catalogue.
    pub does: Option<String>,
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

    /// How it is turned in a program that asks its allocator to give memory back by this call; `None`
    /// of the knob that turns nothing.
    pub fn turned(&self, release_call: Option<&str>) -> Option<Turned> {
        if self.name == Knob::DEFAULT {
            return None;
        }
        let variables = self.variables.iter();
        let variables = variables.map(|(name, value)| format!("{name}={value}"));
        let call = match self.after_drop {
            AfterDrop::Nothing => None,
            AfterDrop::Release => Some(release_call.unwrap_or("a request to give memory back")),
            AfterDrop::Collect => Some("gc.collect()"),
        };
        let call = call.map(|call| format!("{call} after each drop"));
        Some(Turned {
            how: variables.chain(call).collect::<Vec<_>>().join(" "),
            does: self.does.clone(),
        })
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
            does: Some(self.does.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(knob: &Knob, release_call: Option<&str>, how: &str) {
        let turned = knob.turned(release_call).expect("something is turned");
        assert_eq!(turned.how, how);
        assert_eq!(turned.does, knob.does);
    }

    #[test]
    fn a_knob_is_turned_by_variables_and_by_calls() {
        let variable = Knob::variable("A", "1");
        check(&variable, None, "A=1");
        let both = Knob {
            after_drop: AfterDrop::Release,
            does: Some("both".to_owned()),
            ..variable.clone()
        };
        check(&both, Some("trim()"), "A=1 trim() after each drop");
        check(
            &both,
            None,
            "A=1 a request to give memory back after each drop",
        );
        let collects = Knob {
            variables: Vec::new(),
            after_drop: AfterDrop::Collect,
            ..variable
        };
        check(&collects, Some("trim()"), "gc.collect() after each drop");
        assert_eq!(Knob::default_settings().turned(Some("trim()")), None);
    }
}
