//! The programs, as steps that can be written in Python and done in the model.

use std::collections::BTreeMap;
use std::ops::Range;

/// One statement. Lists go by name: L, K or M.
#[derive(Clone, Debug)]
pub enum Step {
    /// A list of the ints from 0 on.
    Build(&'static str, i64),
    /// Takes these elements out of a list.
    Cut(&'static str, Range<usize>),
    /// Replaces every so many-th element of a list by `None`.
    Thin(&'static str, usize),
    /// Lets go of a list.
    Drop(&'static str),
}

/// More ints than fit into the pools that an interpreter has unused when it starts: at most an
/// arena's and a few.
const FILLING: usize = 60_000;

/// The steps in Python, a mark before the first and after each.
pub fn script(steps: &[Step]) -> String {
    let mut lengths = BTreeMap::<&str, usize>::new();
    let mut script = format!("filling = list(range({FILLING}))\nmark()\n");
    for step in steps {
        let statement = match step {
            Step::Build(name, ints) => {
                lengths.insert(name, *ints as usize);
                format!("{name} = list(range({ints}))")
            }
            Step::Cut(name, Range { start, end }) => {
                *lengths.get_mut(name).expect("a list") -= end - start;
                format!("{name}[{start}:{end}] = []")
            }
            Step::Thin(name, by) => {
                let thinned = lengths[name].div_ceil(*by);
                format!("{name}[::{by}] = [None] * {thinned}")
            }
            Step::Drop(name) => format!("{name} = None"),
        };
        script += &format!("{statement}\nmark()\n");
    }
    script
}
