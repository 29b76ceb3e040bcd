//! Whom to measure, and how: options that several commands have.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use crate::values::{positive, seconds, seed, size};

/// Whom to measure.
#[derive(Args)]
pub(crate) struct ContestantOptions {
    /// Measure this allocator only (repeatable), `all`, or `none` [default: those not built on request]
    #[arg(long = "allocator", value_name = "NAME")]
    pub(crate) allocators: Vec<String>,

    /// Measure a subject of your own beside the allocators (repeatable): the folder of its package,
    /// which is built, or any executable that speaks the protocol
    #[arg(long = "subject", value_name = "PATH")]
    pub(crate) subjects: Vec<PathBuf>,

    /// Turn this knob (repeatable): a name from the catalogue, `all`, `default`, or an
    /// environment variable as NAME=VALUE [default: default; of bench also what the catalogue marks
    /// as benched]
    #[arg(long = "knob", value_name = "NAME")]
    pub(crate) knobs: Vec<String>,
}

/// Which live Pythons to measure.
#[derive(Args)]
pub(crate) struct InterpreterOptions {
    /// Run scenarios of Python's in this live CPython too (repeatable), from 2.7 on: a path, a name on
    /// the PATH, or `all` for those that are found there and under pyenv
    #[arg(long = "interpreter", value_name = "NAME")]
    pub(crate) interpreters: Vec<String>,
}

/// How each cell is measured.
#[derive(Args, Clone)]
pub(crate) struct CellOptions {
    /// Size of the object, in the scenario's own unit [default: the scenario's own]
    #[arg(long, value_name = "N", value_parser = size, allow_hyphen_values = true)]
    pub(crate) size: Option<u64>,

    /// Run the scenarios of Python's in this version (repeatable), such as 2.7, or 2.4-32 for 32 bits,
    /// or `all` [default: the newest]
    #[arg(long = "python", value_name = "VERSION")]
    pub(crate) pythons: Vec<String>,

    /// How often the object is built and dropped [default: 2, of a curve 1]
    #[arg(long, value_name = "N", value_parser = positive::<u32>, allow_hyphen_values = true)]
    pub(crate) rounds: Option<u32>,

    /// Seed of everything random in a scenario
    #[arg(long, value_name = "N", value_parser = seed, allow_hyphen_values = true,
          default_value = "1")]
    pub(crate) seed: u64,

    /// Repeatable to the page under the lab's clock, or the machine as it is in real time
    #[arg(long, value_enum, default_value_t)]
    pub(crate) conditions: Conditions,

    /// How long a subject may take over one step before its cell counts as failed
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_hyphen_values = true,
          default_value = "60")]
    pub(crate) step_limit: Duration,
}

impl CellOptions {
    pub(crate) fn size_of(&self, scenario: &scenarios::Scenario) -> u64 {
        self.size.unwrap_or(scenario.default_size)
    }
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum Conditions {
    #[default]
    Lab,
    Host,
}

impl From<Conditions> for model::Conditions {
    fn from(wanted: Conditions) -> model::Conditions {
        match wanted {
            Conditions::Lab => model::Conditions::Lab,
            Conditions::Host => model::Conditions::Host,
        }
    }
}
