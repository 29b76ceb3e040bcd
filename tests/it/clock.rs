//! The lab clock against the real one: the same retention curve, and where they part.
//!
//! A run in real time is replayed under the lab clock at the times that its own clock showed. Work
//! takes no time in the lab, so a real reading becomes two of the lab's: one *late*, counted from
//! before all that the subject did, and one *early*, counted from the first traffic after the drop,
//! when allocators have taken note of what is free, to the earliest that the point's own traffic
//! may have begun. What is kept falls with age, hence at every point
//!
//! ```text
//! kept(lab, late) - TOLERANCE <= kept(real) <= kept(lab, early) + TOLERANCE
//! ```
//!
//! however busy the machine is: what delays the real run moves the bounds apart with it.

use driver::{Plan, Schedule};
use model::{Checkpoint, Conditions, Knob, Mode, Moment};

use crate::lab::{executable, measure, plan};

/// How long the allocators are told to keep what is free.
const DELAY_MS: u64 = 500;

/// The clock after the drop: a first look, then before, during and after the delay.
const TIMES_MS: [u64; 10] = [20, 50, 150, 250, 300, 350, 450, 550, 650, 800];

/// How far apart two readings of one moment may be: jemalloc reads the kernel's coarse clock, which
/// ticks at 100 Hz or faster, and the subject's own readings are cut to whole milliseconds.
const GRAIN_MS: u64 = 11;

/// Of what the object occupied. jemalloc gives back whole extents, and draws within one of the 200
/// steps of its decay when to look.
const TOLERANCE: f64 = 0.05;

/// One block in a thousand stays. That keeps jemalloc's extents small: a few large ones would make
/// steps of the slope of its decay, and each run another staircase.
const SCENARIO: &str = "survivors-1000";
const SIZE: u64 = 100_000;

/// Without the thread's cache every request counts. With it some moment of traffic or other goes by
/// without a look at the decay, in real time another one each run.
fn jemalloc(delay_ms: u64) -> Knob {
    let settings = format!("dirty_decay_ms:{delay_ms},tcache:false");
    Knob::variable("_RJEM_MALLOC_CONF", &settings)
}

/// Without huge pages, which the lab does not have either.
fn mimalloc(delay_ms: u64) -> Knob {
    let mut knob = Knob::variable("MIMALLOC_PURGE_DELAY", &delay_ms.to_string());
    let small_pages = ("MIMALLOC_ALLOW_THP".to_owned(), "0".to_owned());
    knob.variables.push(small_pages);
    knob
}

#[test]
fn jemalloc_decays_by_the_lab_clock_as_by_the_real_one() {
    check("jemalloc", jemalloc);
}

#[test]
fn mimalloc_purges_by_the_lab_clock_as_by_the_real_one() {
    check("mimalloc", mimalloc);
}

#[track_caller]
fn check(allocator: &str, knob: fn(u64) -> Knob) {
    let real = Real::run(allocator, knob(DELAY_MS));
    let lab = real.bounds(allocator, &knob(DELAY_MS));
    assert_eq!(real.outside(&lab), Vec::<String>::new(), "{allocator}");
    let ends = [lab.early[0], *lab.early.last().expect("points")];
    assert!(
        ends[0] > 0.9 && ends[1] < 0.5,
        "a curve that falls: {lab:?}"
    );
    // The negative control: in the lab the allocator waits for an hour, as long as no real run does.
    let patient = real.bounds(allocator, &knob(3_600_000));
    assert_ne!(real.outside(&patient), Vec::<String>::new(), "{allocator}");
}

/// A run in real time: the subject's clock at each time of the schedule, and what was kept there of
/// what the object occupied.
struct Real {
    clock_ms: Vec<u64>,
    kept: Vec<f64>,
}

/// What is kept in the lab at each time of the schedule but the first.
#[derive(Debug)]
struct Bounds {
    late: Vec<f64>,
    early: Vec<f64>,
}

impl Real {
    fn run(allocator: &str, knob: Knob) -> Real {
        let points = kept(&Plan {
            conditions: Conditions::Host,
            ..curve_of(SCENARIO, SIZE, allocator, knob, Mode::Active, &TIMES_MS)
        });
        let (clock_ms, kept) = points[1..].iter().copied().unzip();
        Real { clock_ms, kept }
    }

    fn bounds(&self, allocator: &str, knob: &Knob) -> Bounds {
        let first = TIMES_MS[0];
        let late = self.clock_ms[1..].iter().map(|ms| first + ms + GRAIN_MS);
        let early = (1..TIMES_MS.len()).map(|point| {
            let wait = TIMES_MS[point] - TIMES_MS[point - 1];
            let began = self.clock_ms[point - 1] + wait - self.clock_ms[0];
            first + began.saturating_sub(GRAIN_MS)
        });
        let lab = |times: &mut dyn Iterator<Item = u64>| {
            let times: Vec<u64> = [first].into_iter().chain(times).collect();
            let plan = curve_of(
                SCENARIO,
                SIZE,
                allocator,
                knob.clone(),
                Mode::Active,
                &times,
            );
            kept(&plan)[2..].iter().map(|(_, kept)| *kept).collect()
        };
        Bounds {
            late: lab(&mut late.into_iter()),
            early: lab(&mut early.into_iter()),
        }
    }

    /// The points that lie outside these bounds.
    fn outside(&self, lab: &Bounds) -> Vec<String> {
        let points = TIMES_MS.iter().zip(&self.kept).skip(1);
        let bounds = lab.late.iter().zip(&lab.early);
        points
            .zip(bounds)
            .filter(|((_, kept), (late, early))| {
                !(*late - TOLERANCE..=*early + TOLERANCE).contains(kept)
            })
            .map(|((time, kept), (late, early))| {
                format!("{time} ms: {kept:.3} is not from {late:.3} to {early:.3}")
            })
            .collect()
    }
}

/// A thread of its own purges by the real clock, without any call.
#[test]
fn jemallocs_background_thread_purges_in_real_time_while_the_program_idles() {
    let at_drop_and_later = |settings: &str| {
        let plan = Plan {
            conditions: Conditions::Host,
            ..idle_ints(settings, &[10_000])
        };
        let points = kept(&plan);
        (points[0].1, points[1].1)
    };
    let (_, with_thread) = at_drop_and_later("dirty_decay_ms:200,background_thread:true");
    assert!(with_thread < 0.1, "{with_thread} of it is kept");
    let (at_drop, without) = at_drop_and_later("dirty_decay_ms:200");
    assert!(without > at_drop - 0.01, "{at_drop}, then {without}");
}

/// The lab clock moves on by a week and wakes nobody. The thread sleeps for hours of the real one:
/// with a shorter decay it may wake in the middle of a run, and purge what it finds.
#[test]
fn the_lab_clock_does_not_wake_jemallocs_background_thread() {
    const DAY_MS: u64 = 24 * 3_600_000;
    let days: Vec<u64> = (1..=7).map(|day| day * DAY_MS).collect();
    let settings = format!("dirty_decay_ms:{DAY_MS},tcache:false");
    let with_thread = idle_ints(&format!("{settings},background_thread:true"), &days);
    let (_, idle) = kept(&with_thread)[days.len()];
    assert!(idle > 0.9, "{idle} of it is kept");
    // It was due: without the thread the program's own requests purge it.
    let active = Plan {
        schedule: Schedule::Curve {
            mode: Mode::Active,
            times_ms: days.clone(),
        },
        ..idle_ints(&settings, &days)
    };
    let (_, active) = kept(&active)[days.len()];
    assert!(active < 0.1, "{active} of it is kept");
}

/// Enough pages for the thread to get up for: it lets less than 4 MiB be.
fn idle_ints(settings: &str, times_ms: &[u64]) -> Plan {
    let knob = Knob::variable("_RJEM_MALLOC_CONF", settings);
    curve_of("int-list", 500_000, "jemalloc", knob, Mode::Idle, times_ms)
}

fn curve_of(
    scenario: &str,
    size: u64,
    allocator: &str,
    knob: Knob,
    mode: Mode,
    times_ms: &[u64],
) -> Plan {
    Plan {
        size,
        rounds: 1,
        schedule: Schedule::Curve {
            mode,
            times_ms: times_ms.to_vec(),
        },
        ..plan(executable(allocator), scenario, knob)
    }
}

/// The clock, and what is kept there of what the object occupied, from the drop on.
fn kept(plan: &Plan) -> Vec<(u64, f64)> {
    let (_, checkpoints) = measure(plan);
    let is_built = |checkpoint: &Checkpoint| checkpoint.name == Moment::Built;
    let built = checkpoints.iter().position(is_built).expect("a build");
    let occupied_kib = checkpoints[built].kept_kib as f64;
    checkpoints[built + 1..]
        .iter()
        .map(|point| (point.clock_ms, point.kept_kib as f64 / occupied_kib))
        .collect()
}
