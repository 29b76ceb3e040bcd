//! The options of the commands that measure.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use model::Shard;

use super::cells::{CellOptions, ContestantOptions, InterpreterOptions};
use super::formats::{Format, ListFormat, TextFormat};
use crate::values::{clock_time, positive, seconds, shard};

#[derive(Args)]
pub(crate) struct CompareOptions {
    #[command(flatten)]
    pub(crate) contestants: ContestantOptions,

    #[command(flatten)]
    pub(crate) interpreters: InterpreterOptions,

    /// Measure this scenario only (repeatable), or `all` [default: the first five of the list]
    #[arg(long = "scenario", value_name = "NAME")]
    pub(crate) scenarios: Vec<String>,

    #[command(flatten)]
    pub(crate) cells: CellOptions,

    /// What to print on standard output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,

    /// Where to write the full result as JSON, and beside it as a page: the same name with .html
    /// [default: target/afterdrop/compare.json]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// Print what changed since this earlier result, instead of the tables, and show it in the page;
    /// status 1 where anything did
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,

    /// Measure a part of the cells only, such as 2/5; `merge` puts the parts together
    #[arg(long, value_name = "K/N", value_parser = shard, allow_hyphen_values = true,
          conflicts_with = "baseline")]
    pub(crate) shard: Option<Shard>,

    /// Say what measuring cost
    #[arg(long)]
    pub(crate) timings: bool,
}

#[derive(Args)]
pub(crate) struct ExplainOptions {
    /// The allocator
    #[arg(long, value_name = "NAME", required_unless_present = "interpreter")]
    pub(crate) allocator: Option<String>,

    /// A live CPython instead, from 2.7 on: a path, or a name on the PATH
    #[arg(long, value_name = "NAME", conflicts_with = "allocator")]
    pub(crate) interpreter: Option<String>,

    /// The scenario
    #[arg(long, value_name = "NAME")]
    pub(crate) scenario: String,

    #[command(flatten)]
    pub(crate) cells: CellOptions,

    /// What to print on standard output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ListFormat,
}

#[derive(Args)]
pub(crate) struct CurveOptions {
    #[command(flatten)]
    pub(crate) contestants: ContestantOptions,

    #[command(flatten)]
    pub(crate) interpreters: InterpreterOptions,

    /// The scenario
    #[arg(long, value_name = "NAME")]
    pub(crate) scenario: String,

    /// How long the clock runs after the last drop
    #[arg(long = "for", value_name = "TIME", value_parser = clock_time, allow_hyphen_values = true,
          default_value = "1h")]
    pub(crate) clock_time: Duration,

    #[command(flatten)]
    pub(crate) cells: CellOptions,

    /// What to print on standard output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ListFormat,
}

#[derive(Args)]
pub(crate) struct PythonOptions {
    /// Hold the model against this CPython (repeatable), from 2.7 on: a path, a name on the PATH, or
    /// `all` [default: those that are found on the PATH and under pyenv]
    #[arg(long = "interpreter", value_name = "NAME")]
    pub(crate) interpreters: Vec<String>,

    /// Run this scenario of Python's (repeatable), or `all` [default: python-int-list]
    #[arg(long = "scenario", value_name = "NAME")]
    pub(crate) scenarios: Vec<String>,

    #[command(flatten)]
    pub(crate) cells: CellOptions,

    /// What to print on standard output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: TextFormat,
}

#[derive(Args)]
pub(crate) struct BenchOptions {
    #[command(flatten)]
    pub(crate) contestants: ContestantOptions,

    /// Run this workload only (repeatable) [default: all]
    #[arg(long = "workload", value_name = "NAME")]
    pub(crate) workloads: Vec<String>,

    /// How often each workload is run under each contestant
    #[arg(long, value_name = "N", value_parser = positive::<u32>, allow_hyphen_values = true,
          default_value = "5")]
    pub(crate) rounds: u32,

    /// How long a subject may take over one run before its cell counts as failed
    #[arg(long, value_name = "SECONDS", value_parser = seconds, allow_hyphen_values = true,
          default_value = "120")]
    pub(crate) step_limit: Duration,

    /// What to print on standard output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ListFormat,

    /// Where to write the full result as JSON [default: target/afterdrop/bench.json]
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct ControlsOptions {
    /// Try the assertions about this allocator only (repeatable) [default: all]
    #[arg(long = "allocator", value_name = "NAME")]
    pub(crate) allocators: Vec<String>,

    /// Try the assertions about this scenario only (repeatable) [default: all]
    #[arg(long = "scenario", value_name = "NAME")]
    pub(crate) scenarios: Vec<String>,

    /// Use this knob or planted fault as the control of every cell, instead of the cell's own;
    /// `default` turns nothing
    #[arg(long, value_name = "NAME")]
    pub(crate) control: Option<String>,

    /// What to print on standard output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ListFormat,
}

/// Where the full result goes if the user says nothing, in the workspace.
pub(crate) const DEFAULT_OUT: &str = "target/afterdrop/compare.json";

/// The same of a benchmark.
pub(crate) const DEFAULT_BENCH_OUT: &str = "target/afterdrop/bench.json";
