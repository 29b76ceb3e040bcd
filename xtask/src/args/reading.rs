//! The options of the commands that measure nothing: they read what there is.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::formats::{Format, ListFormat, SchemaFormat, VerdictFormat};

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
