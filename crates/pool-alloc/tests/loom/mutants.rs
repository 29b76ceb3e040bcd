//! Negative controls: what is taken away from the protocol, and the model that must see it.

use std::cell::Cell;

use crate::shadow::explore;
use crate::{models, word};

/// One thing taken away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutant {
    None,
    FreeReleasesNothing,
    FreeAcquiresNothing,
    FreeDoesNotCompare,
    CollectAcquiresNothing,
    CollectIsNotAtomic,
    DisownReleasesNothing,
    DisownDoesNotCompare,
    ClaimAcquiresNothing,
    ClaimDoesNotCompare,
    CountingReleasesNothing,
    LookingAcquiresNothing,
    LooksOnce,
    TurnsAreAllOne,
    LockDoesNotLock,
}

thread_local!(static CHOSEN: Cell<Mutant> = const { Cell::new(Mutant::None) });

/// Whether the calling thread explores this mutant.
pub(crate) fn is(mutant: Mutant) -> bool {
    CHOSEN.get() == mutant
}

/// Explores `model` with the mutant, on a thread of its own, and expects it to fail; returns why it did.
#[track_caller]
fn fails(mutant: Mutant, model: fn()) -> String {
    let explored = std::thread::spawn(move || {
        CHOSEN.set(mutant);
        explore(model, Some(2))
    })
    .join();
    let panic = match explored {
        Ok(executions) => panic!("{mutant:?} goes unseen in {executions} executions"),
        Err(panic) => panic,
    };
    let told = panic.downcast_ref::<String>().cloned();
    let told = told.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string));
    told.unwrap_or_default()
}

/// The failure is a race: two threads at one place with nothing to order them.
#[track_caller]
fn races(mutant: Mutant, model: fn()) {
    let why = fails(mutant, model);
    assert!(why.contains("Causality violation"), "{mutant:?}: {why}");
}

#[test]
fn a_free_that_releases_nothing_is_seen() {
    races(
        Mutant::FreeReleasesNothing,
        word::two_free_and_the_owner_collects,
    );
    races(
        Mutant::FreeReleasesNothing,
        models::two_free_while_the_owner_allocates,
    );
}

#[test]
fn a_free_that_acquires_nothing_is_seen() {
    races(Mutant::FreeAcquiresNothing, word::a_free_meets_a_disowning);
    races(
        Mutant::FreeAcquiresNothing,
        models::a_pool_becomes_full_as_another_frees,
    );
}

#[test]
fn a_free_that_does_not_compare_is_seen() {
    fails(
        Mutant::FreeDoesNotCompare,
        word::two_free_and_the_owner_collects,
    );
    fails(Mutant::FreeDoesNotCompare, word::two_free_in_a_full_pool);
    fails(Mutant::FreeDoesNotCompare, models::two_free_in_a_full_pool);
}

#[test]
fn a_collecting_that_acquires_nothing_is_seen() {
    races(
        Mutant::CollectAcquiresNothing,
        word::two_free_and_the_owner_collects,
    );
    races(
        Mutant::CollectAcquiresNothing,
        models::two_free_while_the_owner_allocates,
    );
}

#[test]
fn a_collecting_in_two_steps_is_seen() {
    fails(
        Mutant::CollectIsNotAtomic,
        word::two_free_and_the_owner_collects,
    );
}

#[test]
fn a_disowning_that_releases_nothing_is_seen() {
    races(
        Mutant::DisownReleasesNothing,
        word::a_free_meets_a_disowning,
    );
    races(
        Mutant::DisownReleasesNothing,
        models::a_pool_becomes_full_as_another_frees,
    );
    races(
        Mutant::DisownReleasesNothing,
        models::a_thread_ends_as_another_frees,
    );
}

#[test]
fn a_disowning_that_does_not_compare_is_seen() {
    fails(Mutant::DisownDoesNotCompare, word::a_free_meets_a_disowning);
    fails(
        Mutant::DisownDoesNotCompare,
        models::a_pool_becomes_full_as_another_frees,
    );
    fails(
        Mutant::DisownDoesNotCompare,
        models::a_thread_ends_as_another_frees,
    );
}

/// In the allocator a claim is made under the lock that the disowning was made under, so that its Acquire is not
/// needed there; the word alone shows what it does.
#[test]
fn a_claim_that_acquires_nothing_is_seen() {
    races(Mutant::ClaimAcquiresNothing, word::a_free_meets_a_claim);
}

#[test]
fn a_claim_that_does_not_compare_is_seen() {
    fails(Mutant::ClaimDoesNotCompare, word::a_free_meets_a_claim);
    fails(
        Mutant::ClaimDoesNotCompare,
        models::a_free_meets_an_adoption,
    );
}

/// Laying aside is a disowning to these, and vacating is a claim.
#[test]
fn a_laying_aside_that_releases_nothing_is_seen() {
    races(
        Mutant::DisownReleasesNothing,
        models::the_last_comes_back_as_a_pool_makes_way,
    );
}

#[test]
fn a_vacating_that_does_not_compare_is_seen() {
    fails(
        Mutant::ClaimDoesNotCompare,
        word::two_free_in_what_the_owner_takes_up,
    );
}

#[test]
fn a_vacating_that_acquires_nothing_is_seen() {
    races(
        Mutant::ClaimAcquiresNothing,
        word::two_free_in_what_the_owner_takes_up,
    );
}

#[test]
fn what_is_laid_aside_anew_as_if_nothing_had_been_is_seen() {
    for mutant in [Mutant::TurnsAreAllOne, Mutant::FreeAcquiresNothing] {
        let why = fails(mutant, word::two_free_in_what_the_owner_takes_up);
        assert!(why.contains("nobody saw it"), "{mutant:?}: {why}");
    }
}

#[test]
fn a_vacating_that_looks_once_is_seen() {
    races(
        Mutant::LooksOnce,
        word::a_pool_is_filled_while_another_looks,
    );
}

#[test]
fn an_owner_that_counts_and_releases_nothing_is_seen() {
    races(
        Mutant::CountingReleasesNothing,
        word::the_owner_frees_and_another_frees_the_last,
    );
    races(
        Mutant::CountingReleasesNothing,
        models::two_free_in_a_full_pool,
    );
}

#[test]
fn a_look_that_acquires_nothing_is_seen() {
    races(
        Mutant::LookingAcquiresNothing,
        word::the_owner_frees_and_another_frees_the_last,
    );
    races(
        Mutant::LookingAcquiresNothing,
        models::two_free_in_a_full_pool,
    );
}

#[test]
fn a_lock_that_does_not_lock_is_seen() {
    races(Mutant::LockDoesNotLock, models::a_free_meets_an_adoption);
    races(Mutant::LockDoesNotLock, models::two_threads_end);
}
