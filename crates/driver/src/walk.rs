//! The walk: from the handshake through every checkpoint to the exit.

use std::time::{Duration, Instant};

use model::protocol::{Command, Reply};
use model::{Checkpoint, Moment};
use nix::time::ClockId;
use probe::{Probe, Unreadable};

use crate::schedule::Step;
use crate::subject::{LAST_BREATH, Subject, out_of_turn};
use crate::{Failure, Interrupt, Plan, Run, executable};

/// Measures one cell. `arriving` hears of every checkpoint before the subject sets out for it.
pub fn run(plan: &Plan, interrupt: &Interrupt, mut arriving: impl FnMut(Moment, u32)) -> Run {
    let mut run = Run::default();
    let started = own_cpu_time();
    match Walk::begin(plan, interrupt) {
        Ok(mut walk) => {
            let end = walk.all(&mut run, &mut arriving);
            match end.and_then(|()| walk.subject.dismiss(plan.step_limit)) {
                Ok(remark) => run.remark = remark,
                Err(failure) => run.failure = Some(failure),
            }
        }
        Err(failure) => run.failure = Some(failure),
    }
    if let Some(introduction) = &mut run.introduction {
        let figures = run.checkpoints.iter().flat_map(|c| &c.account.parts);
        let told: Vec<&str> = figures.map(|figure| &*figure.name).collect();
        introduction
            .parts
            .retain(|part| told.contains(&&*part.name));
    }
    let own = milliseconds(own_cpu_time() - started);
    run.timings.driver_ms = (own - run.timings.probe_ms).max(0.0);
    run
}

struct Walk<'a> {
    plan: &'a Plan,
    subject: Subject<'a>,
    probe: Probe,
}

impl<'a> Walk<'a> {
    fn begin(plan: &'a Plan, interrupt: &'a Interrupt) -> Result<Walk<'a>, Failure> {
        let Plan {
            conditions, knob, ..
        } = plan;
        let process = executable::command(&plan.subject, &plan.arguments);
        let process = process.map_err(Failure::NotStarted)?;
        let subject = Subject::spawn(process, *conditions, knob, interrupt)?;
        let probe = Probe::open(subject.id())?;
        Ok(Walk {
            plan,
            subject,
            probe,
        })
    }

    fn all(&mut self, run: &mut Run, arriving: &mut dyn FnMut(Moment, u32)) -> Result<(), Failure> {
        let introduction = run
            .introduction
            .insert(self.subject.shake_hands(self.plan.step_limit)?);
        let can_be_asked = introduction.release_call.is_some();
        self.obey(&Command::Prepare {
            scenario: self.plan.scenario.as_str().into(),
            size: self.plan.size,
            seed: self.plan.seed,
            python: self.plan.python.as_deref().map(Into::into),
        })?;
        let plan = self.plan;
        let mut dropped = Instant::now();
        let after_drop = plan.knob.after_drop;
        for step in plan.schedule.steps(plan.rounds, after_drop, plan.collector) {
            if step.follows_a_request() && !can_be_asked {
                continue;
            }
            arriving(step.moment, step.round);
            self.take(&step, run)?;
            if step.moment == Moment::Dropped {
                dropped = Instant::now();
            }
        }
        run.timings.after_drop_ms = milliseconds(dropped.elapsed());
        Ok(())
    }

    /// Takes one step and measures where it led. What the kernel has to say is read before the
    /// allocator is asked, whose answer may cost the subject time of its own.
    fn take(&mut self, step: &Step, run: &mut Run) -> Result<(), Failure> {
        let mut probing = Duration::ZERO;
        let before = self.look(&mut probing, Probe::spent)?;
        let mut state = State::default();
        for command in &step.commands {
            state = self.obey(command)?.unwrap_or(state);
        }
        let after = self.look(&mut probing, Probe::spent)?;
        let memory = self.look(&mut probing, Probe::memory)?;
        let account = self.subject.account(self.plan.step_limit)?;
        let accounted = self.look(&mut probing, Probe::spent)?;

        let held_at_baseline = run.checkpoints.first().map(|first| first.memory.held_kib());
        let cpu_ms = (after.cpu_ns - before.cpu_ns) as f64 / 1e6;
        run.checkpoints.push(Checkpoint {
            name: step.moment,
            round: step.round,
            clock_ms: state.clock_ms,
            kept_kib: held_at_baseline.map_or(0, |baseline| memory.held_kib() - baseline),
            memory,
            minor_faults: after
                .minor_faults
                .zip(before.minor_faults)
                .map(|(after, before)| after - before),
            cpu_ms,
            live_bytes: state.live_bytes,
            account,
            ledger: Vec::new(), // the oracle's to write
        });
        run.timings.subject_ms += cpu_ms;
        run.timings.account_ms += (accounted.cpu_ns - after.cpu_ns) as f64 / 1e6;
        run.timings.probe_ms += milliseconds(probing);
        Ok(())
    }

    /// Reads the kernel's figures and adds the time it took to `probing`. Where there are none, the
    /// subject has died in silence, since its last answer.
    fn look<T>(
        &mut self,
        probing: &mut Duration,
        figures: impl FnOnce(&Probe) -> Result<T, Unreadable>,
    ) -> Result<T, Failure> {
        let started = own_cpu_time();
        let found = figures(&self.probe);
        *probing += own_cpu_time() - started;
        found.map_err(|unreadable| {
            let died = self.subject.died("hold still", LAST_BREATH);
            died.unwrap_or(unreadable.into())
        })
    }

    /// Has the subject do something; what it says of its state, where the command answers with that.
    fn obey(&mut self, command: &Command<'_>) -> Result<Option<State>, Failure> {
        let waiting = match command {
            Command::Wait { ms } => Duration::from_millis(*ms),
            _ => Duration::ZERO,
        };
        match self.subject.ask(command, self.plan.step_limit + waiting)? {
            Reply::Done {
                live_bytes,
                clock_ms,
            } => Ok(Some(State {
                live_bytes,
                clock_ms,
            })),
            Reply::Account(_) if *command == Command::Account => Ok(None),
            reply => Err(out_of_turn(command, &reply)),
        }
    }
}

/// What a subject says of its state.
#[derive(Default)]
struct State {
    live_bytes: u64,
    clock_ms: u64,
}

/// CPU time of this thread, user and system: what others do to the machine is not in it.
fn own_cpu_time() -> Duration {
    let now = ClockId::CLOCK_THREAD_CPUTIME_ID.now();
    now.map_or(Duration::ZERO, Duration::from)
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
