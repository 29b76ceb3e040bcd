//! The command that measures one cell again.
//!
//! What makes it this cell stands in the cell; how it was walked (rounds, limits) and which executables
//! of the user's own there were, only in the command line that made the result.

use std::collections::HashSet;

use model::{Cell, Comparison, Conditions, Knob};

/// Options of a result's command line that hold for each of its cells.
const KEPT: [&str; 2] = ["--rounds", "--step-limit"];

/// What writes the command lines of one comparison's cells.
pub(super) struct Reproducing<'a> {
    comparison: &'a Comparison,
    /// Machine and name of what came by `--subject`.
    subjects: HashSet<(Option<&'a str>, &'a str)>,
}

impl<'a> Reproducing<'a> {
    pub(super) fn new(comparison: &'a Comparison) -> Self {
        let mut names: Vec<(Option<&str>, &str)> = Vec::new();
        let mut seen = HashSet::new();
        for cell in &comparison.cells {
            let name = (cell.machine.as_deref(), cell.allocator.as_str());
            if seen.insert(name) {
                names.push(name);
            }
        }
        // A package's folder does not say what its executable is called; but the user's own are measured
        // after the allocators.
        let mut subjects = HashSet::new();
        for machine in names
            .iter()
            .map(|(machine, _)| *machine)
            .collect::<HashSet<_>>()
        {
            let count = values(command(comparison, machine), "--subject").len();
            let of_it = names.iter().filter(|(other, _)| *other == machine);
            subjects.extend(of_it.rev().take(count).copied());
        }
        Reproducing {
            comparison,
            subjects,
        }
    }

    /// The command line, to be typed in a shell.
    pub(super) fn command(&self, cell: &Cell) -> String {
        let machine = cell.machine.as_deref();
        let line = command(self.comparison, machine);
        let mut words: Vec<String> = ["cargo", "xtask", "compare"].map(str::to_owned).into();
        let mut option =
            |name: &str, value: &str| words.extend([name.to_owned(), value.to_owned()]);
        match self.subjects.contains(&(machine, cell.allocator.as_str())) {
            true => {
                for path in values(line, "--subject") {
                    option("--subject", &path);
                }
            }
            false => option("--allocator", &cell.allocator),
        }
        option("--scenario", &cell.scenario);
        if let Some(python) = &cell.python {
            option("--python", &python.replace(" 32-bit", "-32"));
        }
        option("--size", &cell.size.to_string());
        option("--seed", &cell.seed.to_string());
        if cell.knob != Knob::DEFAULT {
            option("--knob", &cell.knob);
        }
        if cell.conditions != Conditions::Lab {
            option("--conditions", cell.conditions.name());
        }
        for name in KEPT {
            for value in values(line, name) {
                option(name, &value);
            }
        }
        // A word with a NUL can be typed in no shell; it is shown as it is.
        let quoted = words.iter().map(|word| match shlex::try_quote(word) {
            Ok(quoted) => quoted.into_owned(),
            Err(_) => word.clone(),
        });
        quoted.collect::<Vec<_>>().join(" ")
    }
}

/// The command line that the machine's cells come from.
fn command<'a>(comparison: &'a Comparison, machine: Option<&str>) -> &'a str {
    let mut machines = comparison.machines.iter();
    match machines.find(|m| Some(m.name.as_str()) == machine) {
        Some(machine) => &machine.command,
        None => &comparison.command,
    }
}

/// What follows this option, each time: `--subject a`, `--subject=a`.
fn values(line: &str, option: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut words = shlex::split(line).unwrap_or_default().into_iter();
    while let Some(word) = words.next() {
        match word.strip_prefix(option) {
            Some("") => values.extend(words.next()),
            Some(rest) => values.extend(rest.strip_prefix('=').map(str::to_owned)),
            None => {}
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The second cell of a run of this command line is measured again by that one.
    #[track_caller]
    fn check(made_by: &str, change: impl Fn(&mut Cell), again: &str) {
        let json = include_str!("../../tests/documents/compare.json");
        let mut comparison: Comparison = serde_json::from_str(json).expect("a comparison");
        comparison.command = made_by.to_owned();
        change(&mut comparison.cells[1]);
        let command = Reproducing::new(&comparison).command(&comparison.cells[1]);
        let expected =
            "cargo xtask compare --allocator jemalloc --scenario int-list --size 5120000 --seed 1";
        assert_eq!(command.replace(expected, "..."), again);
    }

    #[test]
    fn a_cell_is_measured_again_as_it_was() {
        check("cargo xtask compare --scenario all", |_| {}, "...");
        check(
            "cargo xtask compare --rounds=5 --timings --step-limit 9 --out x.json",
            |cell| cell.knob = "A=b c".to_owned(),
            "... --knob 'A=b c' --rounds 5 --step-limit 9",
        );
        check(
            "cargo xtask compare",
            |cell| {
                cell.python = Some("2.4 32-bit".to_owned());
                cell.conditions = Conditions::Host;
            },
            "cargo xtask compare --allocator jemalloc --scenario int-list --python 2.4-32 \
             --size 5120000 --seed 1 --conditions host",
        );
    }

    #[test]
    fn what_came_by_path_is_measured_by_path() {
        check(
            "cargo xtask compare --allocator system --subject '/home/a b'",
            |cell| cell.allocator = "mine".to_owned(),
            "cargo xtask compare --subject '/home/a b' --scenario int-list --size 5120000 --seed 1",
        );
    }
}
