//! The checkpoints of a run by name: `drop 2`, `idle 10 ms`.

use model::{Checkpoint, Moment};

use crate::figures::duration;

/// One checkpoint's place in a run. Two cells that were walked alike have the same steps.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Step {
    pub(crate) moment: Moment,
    round: u32,
    /// Which one of this moment and round: the clock says it only to the millisecond of the machine.
    nth: usize,
    /// `idle 10 ms`
    pub(crate) name: String,
    /// `10 ms`: where its moment stands beside it.
    pub(crate) short: String,
}

impl Step {
    /// Whether both are the same place, at whatever time.
    pub(crate) fn is(&self, other: &Step) -> bool {
        (self.moment, self.round, self.nth) == (other.moment, other.round, other.nth)
    }

    /// `idle 10 ms to 60 s`
    pub(crate) fn to(&self, last: &Step) -> String {
        match self.is(last) {
            true => self.name.clone(),
            false => format!("{} to {}", self.name, last.short),
        }
    }
}

/// The steps of a cell, one for each of its checkpoints.
pub(crate) fn steps(checkpoints: &[Checkpoint]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::with_capacity(checkpoints.len());
    // The clock at the end of the step before, of which this one counts.
    let mut since_ms = 0;
    let mut before: Option<&Checkpoint> = None;
    for checkpoint in checkpoints {
        let (moment, round) = (checkpoint.name, checkpoint.round);
        let nth = match before.filter(|before| (before.name, before.round) == (moment, round)) {
            Some(_) => steps.last().map_or(0, |step| step.nth + 1),
            None => {
                since_ms = before.map_or(0, |before| before.clock_ms);
                0
            }
        };
        let elapsed = || duration(checkpoint.clock_ms.saturating_sub(since_ms));
        let short = match moment {
            Moment::Idle | Moment::Active => elapsed(),
            Moment::Built | Moment::Dropped => format!("{} {round}", word(moment)),
            _ => word(moment).to_owned(),
        };
        let name = match moment {
            Moment::Idle | Moment::Active => format!("{} {short}", word(moment)),
            _ => short.clone(),
        };
        steps.push(Step {
            moment,
            round,
            nth,
            name,
            short,
        });
        before = Some(checkpoint);
    }
    steps
}

/// The word of the tables, which is not everywhere the one of the JSON.
fn word(moment: Moment) -> &'static str {
    match moment {
        Moment::Dropped => "drop",
        Moment::Collected => "gc",
        Moment::Released => "asked",
        moment => moment.name(),
    }
}
