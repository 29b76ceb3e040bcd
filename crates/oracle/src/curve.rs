//! From a cell that let the clock run to its retention curve, `t50` and `t90` among it.

use model::{Cell, Checkpoint, Curve, Mode, Moment, Point, Returned};

use crate::{judge, rounded};

/// The curve of a cell that went on in this mode: up to the failure, where it failed.
pub fn curve(cell: Cell, mode: Mode) -> Curve {
    let verdict = judge(&cell.checkpoints);
    let returned = verdict
        .as_ref()
        .map_or(&[][..], |verdict| &verdict.returned);
    let occupied_kib = verdict.as_ref().map_or(0, |verdict| verdict.occupied_kib);
    Curve {
        mode,
        t50_ms: first_time(returned, 0.5),
        t90_ms: first_time(returned, 0.9),
        points: points(&cell.checkpoints, occupied_kib),
        cell,
    }
}

/// From the last drop to the first point at which this part of what was dropped had come back. Where
/// nothing was dropped nothing is missing.
fn first_time(returned: &[Returned], part: f64) -> Option<u64> {
    let returned = since_last_drop(returned, |returned| returned.name);
    let had_come_back = |returned: &&Returned| returned.fraction.is_none_or(|back| back >= part);
    let first = returned.iter().find(had_come_back)?;
    Some(first.clock_ms - returned[0].clock_ms)
}

fn points(checkpoints: &[Checkpoint], occupied_kib: i64) -> Vec<Point> {
    let checkpoints = since_last_drop(checkpoints, |checkpoint| checkpoint.name);
    let point = |checkpoint: &Checkpoint| Point {
        clock_ms: checkpoint.clock_ms - checkpoints[0].clock_ms,
        kept_kib: checkpoint.kept_kib,
        kept_fraction: (occupied_kib > 0)
            .then(|| rounded(checkpoint.kept_kib as f64 / occupied_kib as f64)),
    };
    checkpoints.iter().map(point).collect()
}

/// The last drop and what follows it; nothing where nothing was dropped.
fn since_last_drop<T>(all: &[T], moment: impl Fn(&T) -> Moment) -> &[T] {
    let drop = all.iter().rposition(|one| moment(one) == Moment::Dropped);
    drop.map_or(&[], |drop| &all[drop..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{cell, checkpoint};

    /// A cell that occupies 100 MiB, dropped at 500 ms, and keeps so many MiB at these times after that.
    fn run(kept_mib: &[(u64, i64)]) -> Curve {
        let mut cell = cell(100.0, 80.0, 0.0, 0);
        for checkpoint in &mut cell.checkpoints {
            checkpoint.clock_ms = 500;
        }
        let later = kept_mib
            .iter()
            .map(|&(after_ms, mib)| checkpoint(Moment::Idle, 2, 500 + after_ms, mib * 1024));
        cell.checkpoints.extend(later);
        curve(cell, Mode::Idle)
    }

    #[test]
    fn a_curve_begins_with_the_last_drop() {
        let curve = run(&[(1, 80), (2, 30)]);
        let times: Vec<u64> = curve.points.iter().map(|point| point.clock_ms).collect();
        let kept: Vec<_> = curve
            .points
            .iter()
            .map(|point| point.kept_fraction)
            .collect();
        assert_eq!(times, [0, 1, 2]);
        assert_eq!(kept, [Some(0.8), Some(0.8), Some(0.3)]);
    }

    #[test]
    fn t50_and_t90_are_the_first_times_at_which_so_much_had_come_back() {
        let times = |curve: Curve| (curve.t50_ms, curve.t90_ms);
        assert_eq!(times(run(&[(1, 51), (2, 50), (5, 10)])), (Some(2), Some(5)));
        assert_eq!(times(run(&[(1, 50), (2, 11)])), (Some(1), None));
        assert_eq!(times(run(&[(1, 80)])), (None, None));
    }

    #[test]
    fn what_survives_is_not_waited_for() {
        let mut cell = cell(100.0, 20.0, 0.0, 0);
        assert_eq!(curve(cell.clone(), Mode::Idle).t90_ms, None);
        for checkpoint in &mut cell.checkpoints {
            checkpoint.live_bytes = 15 << 20; // 80 of 85 MiB that were dropped are back
        }
        assert_eq!(curve(cell, Mode::Idle).t90_ms, Some(0));
    }

    #[test]
    fn a_cell_that_failed_before_its_first_drop_has_no_points() {
        let mut cell = cell(100.0, 80.0, 0.0, 0);
        cell.checkpoints.truncate(1);
        let curve = curve(cell, Mode::Idle);
        assert_eq!((curve.points.len(), curve.t50_ms), (0, None));
    }
}
