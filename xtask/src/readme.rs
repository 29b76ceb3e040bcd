//! `cargo xtask readme`: what commands printed, put into documents between markers, and `--check`, which says
//! what they print otherwise by now.
//!
//! A document names its commands itself, so that a figure stands beside what it was made with. They are
//! run by a shell in the workspace's root; `cargo xtask` is this executable.

mod blocks;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use similar::TextDiff;

use crate::args::ReadmeOptions;
use crate::output::Output;
use crate::say;
use crate::stop::{Stop, cannot};
use crate::subjects;
use blocks::{Block, blocks, spliced};

/// The document if the user names none.
const README: &str = "README.md";

/// What of a command's errors is repeated: its last words.
const LINES_OF_A_FAILURE: usize = 3;

pub(crate) fn readme(options: &ReadmeOptions) -> Result<(), Stop> {
    let root = subjects::workspace()?.root;
    // Everything that can be wrong with the input is found before anything is run.
    let read = |path: &PathBuf| Document::read(path, path.display().to_string(), options.check);
    let documents = match options.documents.as_slice() {
        [] => vec![Document::read(
            &root.join(README),
            README.to_owned(),
            options.check,
        )?],
        some => some.iter().map(read).collect::<Result<_, Stop>>()?,
    };
    let mut stale = 0;
    for document in documents {
        stale += document.renew(&root, options.check)?;
    }
    match stale {
        0 => Ok(()),
        _ if !options.check => Ok(()),
        _ => Err(Stop::Changed(format!(
            "{stale} stale: renew with cargo xtask readme{}",
            spelled(&options.documents)
        ))),
    }
}

/// ` docs/bench.md`, as one types it behind the command.
fn spelled(documents: &[PathBuf]) -> String {
    let names = documents.iter().map(|path| format!(" {}", path.display()));
    names.collect()
}

struct Document {
    /// As the user calls it.
    name: String,
    text: String,
    /// Where the renewed text goes; nowhere if it is only held against the old one.
    output: Option<Output>,
}

impl Document {
    fn read(path: &Path, name: String, check: bool) -> Result<Document, Stop> {
        let text = fs::read_to_string(path);
        let text = text.map_err(|error| Stop::BadInput(cannot("read", path, &error)))?;
        let fault = |fault| Stop::BadInput(format!("{name}:{fault}"));
        if blocks(&text).map_err(fault)?.is_empty() {
            return Err(Stop::BadInput(format!(
                "{name} has no block: put <!-- $ COMMAND --> and <!-- end --> where one is to be"
            )));
        }
        Ok(Document {
            name,
            text,
            output: (!check).then(|| Output::prepare(path)).transpose()?,
        })
    }

    /// Runs each block's command; how many have become stale.
    fn renew(self, root: &Path, check: bool) -> Result<usize, Stop> {
        let blocks = blocks(&self.text).expect("they were read before");
        let mut contents = Vec::with_capacity(blocks.len());
        let mut stale = 0;
        for block in &blocks {
            let place = format!("{}:{}", self.name, block.line);
            say::aside(&format_args!("{place}: {}", block.command));
            let content = block.with(&run(block.command, root)?);
            if content != block.content() {
                stale += 1;
                if check {
                    say::result(&changed(&place, block, &content))?;
                }
            }
            contents.push(content);
        }
        if let Some(output) = self.output {
            output.write(&spliced(&self.text, &blocks, &contents))?;
        }
        Ok(stale)
    }
}

fn changed(place: &str, block: &Block, content: &str) -> String {
    let diff = TextDiff::from_lines(block.content(), content);
    let mut diff = diff.unified_diff();
    let (was, is) = (
        format!("{place}, as it stands"),
        format!("{place}, as printed now"),
    );
    diff.context_radius(1).header(&was, &is).to_string()
}

/// What the command prints. Nobody looks on, so it is to print what a file would get.
///
/// # Errors
/// [`Stop::Failed`] where it ends with another status than 0.
fn run(command: &str, root: &Path) -> Result<String, Stop> {
    let this = std::env::current_exe();
    let this = this.map_err(|error| Stop::Failed(error.to_string()))?;
    let script = format!(
        "cargo() {{ case $1 in xtask) shift; \"$AFTERDROP_XTASK\" \"$@\";; *) command cargo \"$@\";; esac; }}\n\
         {command}"
    );
    let shell = Command::new("bash")
        .args(["-o", "pipefail", "-c", &script])
        .env("AFTERDROP_XTASK", this)
        .env("NO_COLOR", "1") // wherever else colours are forced
        .current_dir(root)
        .stdin(Stdio::null())
        .output();
    let fault = |why: &str| Stop::Failed(format!("{command}: {why}"));
    let finished = shell.map_err(|error| fault(&format!("cannot start bash: {error}")))?;
    if !finished.status.success() {
        let errors = String::from_utf8_lossy(&finished.stderr);
        let lines: Vec<&str> = errors.lines().collect();
        let last = &lines[lines.len().saturating_sub(LINES_OF_A_FAILURE)..];
        return Err(fault(&format!("{}: {}", finished.status, last.join("; "))));
    }
    String::from_utf8(finished.stdout).map_err(|_| fault("it prints what is no text"))
}
