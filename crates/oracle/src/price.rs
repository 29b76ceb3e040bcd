//! What a knob costs, and which is the smallest that suffices.
//!
//! ```text
//! work(cell)  = CPU time, or page faults, of all builds and drops
//! given(cell) = occupied - kept, summed over the drops, in GiB
//! price       = (work with the knob - work by default) / given with the knob
//! ```
//!
//! A knob suffices if the object is back at once. The smallest of those that do is the one with
//! the least CPU time; where CPU times are within [`SAME_CPU`], with the fewest page faults; and where
//! those are within [`SAME_FAULTS`], the one that the catalogue lists first, as cheap as the others.

use model::{Cell, Checkpoint, Moment, Price, Returns, SmallestKnob, TriedKnob};

/// CPU times that differ by no more than this part of the default's are taken to be the same:
/// repeated measurements of one cell differ by so much on a busy machine.
pub const SAME_CPU: f64 = 0.05;

/// Page faults that differ by no more than this part of the fewest are taken to be the same.
pub const SAME_FAULTS: f64 = 0.01;

/// The price of what turned `default` into `turned`; `None` where nothing was given back.
pub fn price(default: &Cell, turned: &Cell) -> Option<Price> {
    let given_gib = given_gib(turned)?;
    if given_gib <= 0.0 {
        return None;
    }
    let per_gib = |more: f64| more / given_gib;
    let faults = faults(turned).zip(faults(default));
    Some(Price {
        cpu_ms_per_gib: per_gib(cpu_ms(turned) - cpu_ms(default)),
        minor_faults_per_gib: faults.map(|(turned, default)| per_gib(turned - default)),
    })
}

/// The cheapest of the knobs that bring the object back at once.
pub fn smallest_sufficient(default: &Cell, tried: &[TriedKnob]) -> Option<SmallestKnob> {
    let cells: Vec<&Cell> = tried.iter().map(|knob| &knob.cell).collect();
    let cheapest = cheapest_sufficient(default, &cells);
    let (first, others) = cheapest.split_first()?;
    let smallest = &tried[*first];
    Some(SmallestKnob {
        name: smallest.cell.knob.clone(),
        how: smallest.how.clone(),
        price: smallest.price?,
        as_cheap: others.iter().map(|i| cells[*i].knob.clone()).collect(),
    })
}

/// Which of these bring the object back at once and are the cheapest, the smallest first; none where
/// the default settings do so.
pub(crate) fn cheapest_sufficient(default: &Cell, turned: &[&Cell]) -> Vec<usize> {
    if returns_at_once(default) {
        return Vec::new(); // none is needed
    }
    let mut cheap: Vec<usize> = (0..turned.len())
        .filter(|i| returns_at_once(turned[*i]))
        .collect();
    let least_cpu_ms = cheap
        .iter()
        .map(|i| cpu_ms(turned[*i]))
        .fold(f64::INFINITY, f64::min);
    let close = least_cpu_ms + SAME_CPU * cpu_ms(default);
    cheap.retain(|i| cpu_ms(turned[*i]) <= close);
    let faults = |i: &usize| faults(turned[*i]).unwrap_or(0.0);
    let fewest = cheap.iter().map(faults).fold(f64::INFINITY, f64::min);
    cheap.retain(|i| faults(i) <= fewest * (1.0 + SAME_FAULTS));
    cheap
}

fn returns_at_once(cell: &Cell) -> bool {
    let verdict = cell.verdict.as_ref();
    verdict.is_some_and(|verdict| verdict.returns == Returns::AtOnce)
}

fn given_gib(cell: &Cell) -> Option<f64> {
    let occupied_kib = cell.verdict.as_ref()?.occupied_kib;
    let drops = cell
        .checkpoints
        .iter()
        .filter(|c| c.name == Moment::Dropped);
    // Saturating: what is read back from a file may say anything.
    let given_kib = drops.map(|drop| occupied_kib.saturating_sub(drop.kept_kib));
    let given_kib = given_kib.fold(0, i64::saturating_add);
    Some(given_kib as f64 / (1 << 20) as f64)
}

/// CPU milliseconds of all builds and drops of a cell.
pub fn cpu_ms(cell: &Cell) -> f64 {
    work(cell).map(|checkpoint| checkpoint.cpu_ms).sum()
}

fn faults(cell: &Cell) -> Option<f64> {
    work(cell)
        .map(|checkpoint| checkpoint.minor_faults.map(|faults| faults as f64))
        .sum()
}

fn work(cell: &Cell) -> impl Iterator<Item = &Checkpoint> {
    let of_the_object = |c: &&Checkpoint| matches!(c.name, Moment::Built | Moment::Dropped);
    cell.checkpoints.iter().filter(of_the_object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{cell, knob};

    #[test]
    fn the_price_is_the_extra_work_for_each_gib_given_back() {
        // Half a GiB given back at each of two drops; 30 ms and 1,000 faults more than by default.
        let default = cell(512.0, 512.0, 100.0, 5_000);
        let turned = cell(512.0, 0.0, 130.0, 6_000);
        let price = price(&default, &turned).unwrap();
        assert_eq!(price.cpu_ms_per_gib, 30.0);
        assert_eq!(price.minor_faults_per_gib, Some(1_000.0));
    }

    #[test]
    fn what_gives_nothing_back_has_no_price() {
        let default = cell(512.0, 512.0, 100.0, 5_000);
        assert_eq!(price(&default, &default), None);
    }

    #[test]
    fn the_smallest_knob_takes_least_cpu_time_and_then_the_fewest_faults() {
        let default = cell(512.0, 512.0, 100.0, 5_000);
        let tried = [
            knob(&default, "useless", 512.0, 50.0, 5_000),
            knob(&default, "dear", 0.0, 130.0, 5_000),
            knob(&default, "faulting", 0.0, 108.0, 9_000),
            knob(&default, "as cheap", 0.0, 110.0, 6_000),
            knob(&default, "cheap as well", 0.0, 109.0, 5_990),
        ];
        let smallest = smallest_sufficient(&default, &tried).unwrap();
        assert_eq!(smallest.name, "as cheap", "the first of equals");
        assert_eq!(smallest.as_cheap, ["cheap as well"]);
        assert_eq!(
            smallest_sufficient(&default, &tried[..3]).unwrap().name,
            "faulting"
        );
        assert_eq!(smallest_sufficient(&default, &tried[..1]), None);
    }

    #[test]
    fn what_comes_back_by_itself_needs_no_knob() {
        let default = cell(512.0, 0.0, 100.0, 5_000);
        let tried = [knob(&default, "cheaper", 0.0, 10.0, 5_000)];
        assert_eq!(smallest_sufficient(&default, &tried), None);
    }
}
