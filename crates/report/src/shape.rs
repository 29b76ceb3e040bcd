//! The shape of a run, a bar for each moment: built, dropped for the first and the last time, idling,
//! active, a collection where there is a collector, and asked. Eighths of what was occupied.
//!
//! ```text
//! b↓↓├idle├act─a
//! █▆█▆▆▆▆▆▆▆▆▃··
//! ```

use model::{Cell, Checkpoint, Moment};

use crate::figures::bar;
use crate::rows::Place;

/// How to read it.
pub(crate) const LEGEND: &str = "\
Bars: the same along the run, when built (b), after these drops (↓), at times of the idling and of the activity, \
and when asked (a), in eighths of what was occupied; a dot is less than half of one, a full bar all of it or more.";

/// Which bars the cells of one experiment have.
pub(crate) struct Shape {
    moments: Vec<(Moment, Place)>,
}

impl Shape {
    /// All the moments of a complete cell; of many rounds the first and the last.
    pub(crate) fn of(checkpoints: &[Checkpoint]) -> Shape {
        let last_round = checkpoints.last().map_or(0, |checkpoint| checkpoint.round);
        let mut moments = vec![(Moment::Built, Place::First(Moment::Built))];
        for round in [1, last_round].into_iter().take(last_round.min(2) as usize) {
            moments.push((Moment::Dropped, Place::Drop(round)));
        }
        for moment in [Moment::Idle, Moment::Active] {
            let readings = checkpoints.iter().filter(|c| c.name == moment).count();
            moments.extend((0..readings).map(|reading| (moment, Place::Reading(moment, reading))));
        }
        for moment in [Moment::Collected, Moment::Released] {
            if checkpoints.iter().any(|c| c.name == moment) {
                moments.push((moment, Place::Last(moment)));
            }
        }
        Shape { moments }
    }

    /// A bar for each moment that the cell has come to.
    pub(crate) fn bars(&self, cell: &Cell, occupied_kib: i64) -> String {
        let bar = |&(_, place): &(Moment, Place)| match place.of(&cell.checkpoints) {
            Some(checkpoint) => bar(checkpoint.kept_kib as f64 / occupied_kib.max(1) as f64),
            None => ' ',
        };
        let bars: String = self.moments.iter().map(bar).collect();
        bars.trim_end().to_owned()
    }

    /// What stands above the bars: a sign for each, and words along those that belong together.
    pub(crate) fn ruler(&self) -> String {
        let mut ruler = String::new();
        for together in self.moments.chunk_by(|a, b| a.0 == b.0) {
            let bars = together.len();
            ruler += &match together[0].0 {
                Moment::Idle => span("idle", bars),
                Moment::Active => span("act", bars),
                Moment::Dropped => "↓".repeat(bars),
                Moment::Collected => "g".to_owned(),
                Moment::Released => "a".to_owned(),
                _ => "b".to_owned(),
            };
        }
        ruler
    }
}

/// `├idle`, `├act─`: as wide as so many bars, with the word where it has room.
fn span(word: &str, bars: usize) -> String {
    let words = match word.len() < bars {
        true => word,
        false => "",
    };
    format!("├{words:─<0$}", bars - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_as_wide_as_its_bars() {
        assert_eq!(span("act", 5), "├act─");
        assert_eq!(span("act", 4), "├act");
        assert_eq!(span("act", 3), "├──");
        assert_eq!(span("act", 1), "├");
    }
}
