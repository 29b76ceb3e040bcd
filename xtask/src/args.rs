//! What the user may type. A fault becomes one line that names it and the way out.

mod cells;
mod fault;
mod formats;
mod measuring;
mod reading;

use std::ffi::OsString;

use clap::{ColorChoice, Parser, Subcommand, ValueEnum};

pub(crate) use cells::*;
pub(crate) use formats::*;
pub(crate) use measuring::*;
pub(crate) use reading::*;

use crate::say;
use crate::stop::Stop;
use fault::stop;

/// Build and drop a large object under several allocators, and see what comes back.
#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    version,
    max_term_width = 80
)]
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
