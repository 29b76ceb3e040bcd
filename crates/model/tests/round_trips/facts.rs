//! Any fact that a document or a line may hold.

use afterdrop_model::{
    Account, Cause, Checkpoint, Entry, Evidence, Figure, Figures, Holds, Memory, MemorySource,
    Moment, Part,
};
use proptest::collection::vec;
use proptest::prelude::*;

/// Any text at all, quotes, control characters and right-to-left marks included.
pub fn text() -> impl Strategy<Value = String> {
    any::<String>()
}

/// JSON has no word for what is not finite.
pub fn number() -> impl Strategy<Value = f64> {
    any::<f64>().prop_filter("finite", |number| number.is_finite())
}

pub fn figures() -> impl Strategy<Value = Figures> {
    let figure = (text(), any::<u64>()).prop_map(|(name, value)| Figure {
        name: name.into(),
        value,
    });
    vec(figure, 0..4).prop_map(|figures| figures.into_iter().collect())
}

pub fn part() -> impl Strategy<Value = Part> {
    let holds = vec![Holds::Blocks, Holds::Free, Holds::Records, Holds::Other];
    let holds = prop::sample::select(holds);
    (text(), holds, text(), text()).prop_map(|(name, holds, source, because)| Part {
        name: name.into(),
        holds,
        source: source.into(),
        because: because.into(),
    })
}

pub fn ledger() -> impl Strategy<Value = Vec<Entry>> {
    let entry = (text(), any::<i64>(), text());
    vec(
        entry.prop_map(|(name, kib, source)| Entry { name, kib, source }),
        0..4,
    )
}

prop_compose! {
    pub fn cause()(
        sentence in text(),
        evidence in vec((text(), any::<i64>(), text(), text()), 0..4),
    ) -> Cause {
        let evidence = evidence.into_iter();
        Cause {
            sentence,
            evidence: evidence
                .map(|(name, value, when, source)| Evidence { name, value, when, source })
                .collect(),
        }
    }
}

pub fn account() -> impl Strategy<Value = Account> {
    let totals = any::<[Option<u64>; 5]>();
    (totals, figures(), figures()).prop_map(|(totals, parts, counters)| {
        let [allocated, cached, lazily_freed, metadata, mapped] = totals;
        Account {
            allocated_bytes: allocated,
            cached_bytes: cached,
            lazily_freed_bytes: lazily_freed,
            metadata_bytes: metadata,
            mapped_bytes: mapped,
            parts,
            counters,
        }
    })
}

pub fn moment() -> impl Strategy<Value = Moment> {
    prop::sample::select(vec![
        Moment::Baseline,
        Moment::Built,
        Moment::Dropped,
        Moment::Idle,
        Moment::Active,
        Moment::Collected,
        Moment::Released,
        Moment::Settled,
    ])
}

pub fn memory() -> impl Strategy<Value = Memory> {
    (any::<[u64; 5]>(), any::<bool>()).prop_map(|(figures, exact)| Memory {
        anonymous_kib: figures[0],
        lazy_kib: figures[1],
        swap_kib: figures[2],
        rss_kib: figures[3],
        virtual_kib: figures[4],
        memory_source: match exact {
            true => MemorySource::SmapsRollup,
            false => MemorySource::ResidentCounter,
        },
    })
}

prop_compose! {
    pub fn checkpoint()(
        name in moment(),
        round: u32,
        clock_ms: u64,
        kept_kib: i64,
        memory in memory(),
        minor_faults: Option<u64>,
        cpu_ms in number(),
        live_bytes: u64,
        account in account(),
        ledger in ledger(),
    ) -> Checkpoint {
        Checkpoint {
            name, round, clock_ms, kept_kib, memory, minor_faults, cpu_ms, live_bytes, account,
            ledger,
        }
    }
}
