//! What the user may type. A fault becomes one line that names it and the way out.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, ColorChoice, CommandFactory, Parser, Subcommand, ValueEnum};

use model::Shard;

use crate::names;
use crate::say;
use crate::stop::Stop;
use crate::values::{clock_time, positive, seconds, seed, shard, size};

/// Build and drop a large object under several allocators, and see what comes back.
#[derive(Parser)]
#[command(name = "cargo xtask", version, max_term_width = 100)]
struct Line {
    /// Where to use colours: on a terminal, everywhere or nowhere
    #[arg(long, value_name = "WHEN", value_enum, default_value_t, global = true)]
    color: ColorChoice,

    /// Say nothing but results and errors: no progress, and not where the full result is
    #[arg(long, short, global = true)]
    quiet: bool,

    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Measure scenarios under allocators and show what came back after the drop
    Compare(CompareOptions),
    /// Try every knob of an allocator on one scenario, and name the smallest that suffices
    Explain(ExplainOptions),
    /// Let the clock run up to an hour after the drop and show what is kept along the way
    Curve(CurveOptions),
    /// Time workloads under allocators, in rounds, and show ratios to the best peer
    Bench(BenchOptions),
    /// Show what changed between two results of compare; status 1 where anything did
    Diff(DiffOptions),
    /// Make one result of those of several shards or machines
    Merge(MergeOptions),
    /// Draw one chart of what compare wrote, as an SVG or PNG for a document of your own
    Plot(PlotOptions),
    /// Try to break every assertion of the test suite: whether each fails where it must
    Controls(ControlsOptions),
    /// Hold the model of CPython against live interpreters, and show what each of its layers keeps
    Python(PythonOptions),
    /// List allocators, scenarios, workloads and knobs, a line each
    List(ListOptions),
    /// Show when each scenario's memory comes back, as the test suite asserts it; nothing is measured
    Verdicts(VerdictOptions),
    /// Put what commands print into documents, between the markers that name them
    Readme(ReadmeOptions),
    /// Print the JSON Schema of what a command prints as JSON
    Schema(SchemaOptions),
}

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
pub(crate) struct DiffOptions {
    /// What compare wrote, earlier
    #[arg(value_name = "OLD")]
    pub(crate) old: PathBuf,

    /// What compare wrote, later
    #[arg(value_name = "NEW")]
    pub(crate) new: PathBuf,

    /// What to print on standard output; as html the page of NEW, which begins with what changed
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,
}

#[derive(Args)]
pub(crate) struct MergeOptions {
    /// What compare wrote: all shards of a run, or the results of several machines, which are called
    /// by their files' names where they hold the same cells
    #[arg(value_name = "FILE", required = true)]
    pub(crate) results: Vec<PathBuf>,

    /// What to print on standard output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: Format,

    /// Where to write the merged result as JSON, too
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct PlotOptions {
    /// What compare wrote [default: target/afterdrop/compare.json]
    #[arg(value_name = "RESULT")]
    pub(crate) result: Option<PathBuf>,

    /// Which chart to draw
    #[arg(long, value_enum)]
    pub(crate) what: What,

    /// Of this scenario only (repeatable); a curve and a ledger are of one
    #[arg(long = "scenario", value_name = "NAME")]
    pub(crate) scenarios: Vec<String>,

    /// Of this allocator only (repeatable)
    #[arg(long = "allocator", value_name = "NAME")]
    pub(crate) allocators: Vec<String>,

    /// Of this knob only (repeatable), or `all` [default: of a ledger, and of a curve of several allocators,
    /// the default settings; of anything else all]
    #[arg(long = "knob", value_name = "NAME")]
    pub(crate) knobs: Vec<String>,

    /// Of this version of Python only (repeatable), such as 2.7, or 2.4-32 for 32 bits
    #[arg(long = "python", value_name = "VERSION")]
    pub(crate) pythons: Vec<String>,

    /// Of this machine only (repeatable), in a merged result
    #[arg(long = "machine", value_name = "NAME")]
    pub(crate) machines: Vec<String>,

    /// Where to write it: a name that ends in .svg or .png
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
}

/// What a chart shows.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum What {
    /// What is kept as the run goes on, a line for each allocator or knob
    Curve,
    /// Where each KiB was at each checkpoint of one cell
    Ledger,
    /// What returning costs, with the Pareto front
    Tradeoff,
    /// When the memory comes back, by scenario and allocator
    Matrix,
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

#[derive(Args)]
pub(crate) struct SchemaOptions {
    /// The command
    #[arg(value_name = "COMMAND", value_enum, default_value_t)]
    pub(crate) of: Documented,

    /// What to print on standard output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: SchemaFormat,
}

/// A command that prints a document of its own.
#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum Documented {
    #[default]
    Compare,
    Diff,
    Explain,
    Curve,
    Bench,
    Python,
    Controls,
}

impl From<Documented> for model::Document {
    fn from(of: Documented) -> model::Document {
        match of {
            Documented::Compare => model::Document::Comparison,
            Documented::Diff => model::Document::Differences,
            Documented::Explain => model::Document::Explanation,
            Documented::Curve => model::Document::Curves,
            Documented::Bench => model::Document::Benchmark,
            Documented::Python => model::Document::Predictions,
            Documented::Controls => model::Document::Controls,
        }
    }
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum SchemaFormat {
    #[default]
    Json,
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

#[derive(Args)]
pub(crate) struct VerdictOptions {
    /// Show this scenario only (repeatable), or `all` [default: the first five of the list]
    #[arg(long = "scenario", value_name = "NAME")]
    pub(crate) scenarios: Vec<String>,

    /// What to print on standard output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: VerdictFormat,
}

#[derive(Args)]
pub(crate) struct ReadmeOptions {
    /// The documents [default: README.md]
    #[arg(value_name = "FILE")]
    pub(crate) documents: Vec<PathBuf>,

    /// Write nothing: show what is stale, with status 1 where anything is
    #[arg(long)]
    pub(crate) check: bool,
}

#[derive(Args)]
pub(crate) struct ListOptions {
    /// What to print on standard output
    #[arg(long, value_enum, default_value_t)]
    pub(crate) format: ListFormat,
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

#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum Format {
    #[default]
    Table,
    Json,
    Markdown,
    /// One page that opens offline
    Html,
}

/// Of what has no page.
#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum TextFormat {
    #[default]
    Table,
    Json,
    Markdown,
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum ListFormat {
    #[default]
    Table,
    Json,
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub(crate) enum VerdictFormat {
    #[default]
    Table,
    Markdown,
}

/// Where the full result goes if the user says nothing, in the workspace.
pub(crate) const DEFAULT_OUT: &str = "target/afterdrop/compare.json";

/// The same of a benchmark.
pub(crate) const DEFAULT_BENCH_OUT: &str = "target/afterdrop/bench.json";

/// Parses the process's own command line, and does what it says of every command.
pub(crate) fn parse() -> Result<Command, Stop> {
    // The help and a fault come before any option is parsed, and have colours too.
    color_wanted(std::env::args_os()).write_global();
    let line = Line::try_parse().map_err(stop)?;
    if line.quiet {
        say::be_quiet();
    }
    Ok(line.command)
}

/// What `--color` says; where it says nothing that there is, clap tells so later.
fn color_wanted(arguments: impl Iterator<Item = OsString>) -> anstream::ColorChoice {
    let mut wanted = ColorChoice::Auto;
    let mut arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
    while let Some(argument) = arguments.next() {
        let value = match argument.strip_prefix("--color") {
            Some("") => arguments.next(),
            Some(rest) => rest.strip_prefix('=').map(str::to_owned),
            None => None,
        };
        if let Some(Ok(color)) = value.map(|value| ColorChoice::from_str(&value, false)) {
            wanted = color;
        }
    }
    match wanted {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
}

/// Clap's fault in one line, with its suggestion where it has one.
fn stop(error: clap::Error) -> Stop {
    if let ErrorKind::DisplayHelp | ErrorKind::DisplayVersion = error.kind() {
        let _ = error.print(); // standard output may be closed, and nothing is lost by it
        return Stop::Answered;
    }
    let line = Line::command();
    let commands: Vec<&str> = line.get_subcommands().map(|c| c.get_name()).collect();
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        _ => None,
    };
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let commands = commands.join(", ");
        return Stop::BadInput(format!("say what to do: {commands} (--help tells more)"));
    }
    if let Some(name) = text(ContextKind::InvalidSubcommand) {
        return Stop::BadInput(names::unknown("command", &name, &commands));
    }
    let many = |kind| match error.get(kind) {
        Some(ContextValue::Strings(many)) => many.clone(),
        _ => text(kind).into_iter().collect(),
    };
    let option = text(ContextKind::InvalidArg).unwrap_or_default();
    let valid = many(ContextKind::ValidValue);
    let value = text(ContextKind::InvalidValue);
    if let (Some(value), ErrorKind::InvalidValue, [_, ..]) = (&value, error.kind(), &valid[..]) {
        let kind = option
            .trim_start_matches("--")
            .split(' ')
            .next()
            .unwrap_or_default()
            .trim_matches(['[', ']'])
            .to_lowercase();
        let valid: Vec<&str> = valid.iter().map(String::as_str).collect();
        return Stop::BadInput(names::unknown(&kind, value, &valid));
    }
    let rendered = error.to_string();
    // Up to the advice; the user's own value may contain line breaks.
    let fault = rendered.split("\n\n").next().unwrap_or_default();
    let fault = fault.trim_start_matches("error: ").replace('\n', " ");
    let nearest = many(ContextKind::SuggestedArg).into_iter().next();
    Stop::BadInput(match nearest {
        Some(nearest) => format!("{fault}; did you mean {nearest}?"),
        None => format!("{fault} (--help tells more)"),
    })
}
