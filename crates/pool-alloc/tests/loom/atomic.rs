//! Atomics that loom decides about, in the place of real ones. Mutants weaken them here.
//!
//! What a site asks for tells it apart, as `src/remote.rs` has one of each:
//!
//! ```text
//! free: load(Acquire) and compare_exchange_weak(AcqRel)    collect: swap(Acquire)
//! disown, lay_aside: compare_exchange(Release)      claim_listed, vacate: compare_exchange(Acquire)
//! take_up: fetch_and(Relaxed)
//! ```

use std::rc::Rc;
/// Whether a pool is on an account: who takes it off, and when, decides about the account and nothing else.
pub(crate) use std::sync::atomic::AtomicBool as AtomicFlag;
/// How many pools wait for others: so few as a model has are never shared.
pub(crate) use std::sync::atomic::AtomicU32 as AtomicHint;
/// When a pool's owner looks at it. What is seen of that, and when, decides how soon something is noticed, and nothing else:
/// loom need not try every value.
pub(crate) use std::sync::atomic::AtomicU32 as AtomicAlarm;
use std::sync::atomic::Ordering::{self, AcqRel, Acquire, Relaxed, Release};
use std::sync::atomic::{self, AtomicUsize as Plain};

use crate::mutants::{Mutant, is};
use crate::shadow;

#[repr(transparent)]
pub(crate) struct AtomicUsize(Plain);

impl AtomicUsize {
    pub(crate) const fn new(value: usize) -> Self {
        Self(Plain::new(value))
    }

    fn shadow(&self) -> Option<Rc<loom::sync::atomic::AtomicUsize>> {
        let execution = shadow::execution()?;
        let at = self.0.as_ptr().addr();
        execution.takes_turn(at);
        Some(execution.atomic(at, self.0.load(Relaxed)))
    }

    pub(crate) fn load(&self, order: Ordering) -> usize {
        match self.shadow() {
            None => self.0.load(order),
            Some(shadow) => shadow.load(weakened(order, Mutant::FreeAcquiresNothing, Relaxed)),
        }
    }

    pub(crate) fn store(&self, value: usize, order: Ordering) {
        match self.shadow() {
            None => self.0.store(value, order),
            Some(shadow) => shadow.store(value, order),
        }
    }

    pub(crate) fn fetch_add(&self, value: usize, order: Ordering) -> usize {
        match self.shadow() {
            None => self.0.fetch_add(value, order),
            Some(shadow) => shadow.fetch_add(value, order),
        }
    }

    pub(crate) fn fetch_sub(&self, value: usize, order: Ordering) -> usize {
        match self.shadow() {
            None => self.0.fetch_sub(value, order),
            Some(shadow) => shadow.fetch_sub(value, order),
        }
    }

    pub(crate) fn fetch_and(&self, value: usize, order: Ordering) -> usize {
        match self.shadow() {
            None => self.0.fetch_and(value, order),
            Some(shadow) => shadow.fetch_and(value, order),
        }
    }

    pub(crate) fn swap(&self, value: usize, order: Ordering) -> usize {
        let Some(shadow) = self.shadow() else {
            return self.0.swap(value, order);
        };
        if is(Mutant::CollectIsNotAtomic) {
            let seen = shadow.load(order);
            shadow.store(value, Relaxed);
            return seen;
        }
        shadow.swap(
            value,
            weakened(order, Mutant::CollectAcquiresNothing, Relaxed),
        )
    }

    pub(crate) fn compare_exchange(
        &self,
        seen: usize,
        new: usize,
        order: Ordering,
        otherwise: Ordering,
    ) -> Result<usize, usize> {
        let Some(shadow) = self.shadow() else {
            return self.0.compare_exchange(seen, new, order, otherwise);
        };
        let (blind, weak) = match order {
            Release => (Mutant::DisownDoesNotCompare, Mutant::DisownReleasesNothing),
            Acquire => (Mutant::ClaimDoesNotCompare, Mutant::ClaimAcquiresNothing),
            _ => panic!("no site of the protocol asks for {order:?}: name its mutants"),
        };
        if is(blind) {
            return exchange_without_comparing(&shadow, seen, new, order);
        }
        shadow.compare_exchange(seen, new, weakened(order, weak, Relaxed), otherwise)
    }

    pub(crate) fn compare_exchange_weak(
        &self,
        seen: usize,
        new: usize,
        order: Ordering,
        otherwise: Ordering,
    ) -> Result<usize, usize> {
        let Some(shadow) = self.shadow() else {
            return self.0.compare_exchange_weak(seen, new, order, otherwise);
        };
        assert_eq!(
            order, AcqRel,
            "a new site of the protocol: name its mutants"
        );
        if is(Mutant::FreeDoesNotCompare) {
            return exchange_without_comparing(&shadow, seen, new, order);
        }
        let order = weakened(order, Mutant::FreeAcquiresNothing, Release);
        let order = weakened(order, Mutant::FreeReleasesNothing, Acquire);
        let otherwise = weakened(otherwise, Mutant::FreeAcquiresNothing, Relaxed);
        shadow.compare_exchange(seen, new, order, otherwise)
    }
}

fn weakened(order: Ordering, by: Mutant, to: Ordering) -> Ordering {
    if is(by) { to } else { order }
}

/// As if compare and exchange were two steps.
fn exchange_without_comparing(
    shadow: &loom::sync::atomic::AtomicUsize,
    seen: usize,
    new: usize,
    order: Ordering,
) -> Result<usize, usize> {
    match shadow.load(Acquire) {
        now if now == seen => Ok(shadow.swap(new, order)),
        now => Err(now),
    }
}

#[repr(transparent)]
pub(crate) struct AtomicPtr<T>(atomic::AtomicPtr<T>);

impl<T> AtomicPtr<T> {
    pub(crate) const fn new(value: *mut T) -> Self {
        Self(atomic::AtomicPtr::new(value))
    }

    fn at(&self) -> usize {
        self.0.as_ptr().addr()
    }
}

/// Who owns a pool: everyone may look.
#[repr(transparent)]
pub(crate) struct AtomicOwner(atomic::AtomicU32);

impl AtomicOwner {
    fn shadow(&self) -> Option<Rc<loom::sync::atomic::AtomicUsize>> {
        let at = self.0.as_ptr().addr();
        Some(shadow::execution()?.atomic(at, self.0.load(Relaxed) as usize))
    }

    pub(crate) fn load(&self, order: Ordering) -> u32 {
        match self.shadow() {
            None => self.0.load(order),
            Some(shadow) => shadow.load(order) as u32,
        }
    }

    pub(crate) fn store(&self, value: u32, order: Ordering) {
        match self.shadow() {
            None => self.0.store(value, order),
            Some(shadow) => shadow.store(value as usize, order),
        }
    }
}

/// How many of a pool's blocks are in use. Its owner counts, and looks at what it has counted as at a cell; others look
/// with Acquire.
#[repr(transparent)]
pub(crate) struct AtomicUsed(atomic::AtomicU32);

impl AtomicUsed {
    pub(crate) const fn new(value: u32) -> Self {
        Self(atomic::AtomicU32::new(value))
    }

    fn shadow(&self) -> Option<Rc<loom::sync::atomic::AtomicUsize>> {
        let at = self.0.as_ptr().addr();
        Some(shadow::execution()?.atomic(at, self.0.load(Relaxed) as usize))
    }

    pub(crate) fn load(&self, order: Ordering) -> u32 {
        if order == Acquire
            && let Some(shadow) = self.shadow()
        {
            return shadow.load(weakened(order, Mutant::LookingAcquiresNothing, Relaxed)) as u32;
        }
        if let Some(execution) = shadow::execution() {
            execution.reads(self.0.as_ptr().addr());
        }
        self.0.load(order)
    }

    pub(crate) fn store(&self, value: u32, order: Ordering) {
        if let Some(execution) = shadow::execution() {
            execution.writes(self.0.as_ptr().addr());
        }
        if let Some(shadow) = self.shadow() {
            let order = weakened(order, Mutant::CountingReleasesNothing, Relaxed);
            shadow.store(value as usize, order);
        }
        self.0.store(value, order);
    }
}

/// A pool's bump pointer, which its owner alone changes, and which only `stats` reads from outside. No model asks for
/// the statistics while others run, so a cell is stricter than an atomic: any race on it is a failure.
impl AtomicPtr<u8> {
    pub(crate) fn load(&self, order: Ordering) -> *mut u8 {
        if let Some(execution) = shadow::execution() {
            execution.reads(self.at());
        }
        self.0.load(order)
    }

    pub(crate) fn store(&self, value: *mut u8, order: Ordering) {
        if let Some(execution) = shadow::execution() {
            execution.writes(self.at());
        }
        self.0.store(value, order);
    }
}

/// How many bytes of a pool may be resident, and which of an arena's slices begin one: as the bump pointer.
#[repr(transparent)]
pub(crate) struct AtomicU32(atomic::AtomicU32);

impl AtomicU32 {
    pub(crate) const fn new(value: u32) -> Self {
        Self(atomic::AtomicU32::new(value))
    }

    pub(crate) fn load(&self, order: Ordering) -> u32 {
        if let Some(execution) = shadow::execution() {
            execution.reads(self.0.as_ptr().addr());
        }
        self.0.load(order)
    }

    pub(crate) fn store(&self, value: u32, order: Ordering) {
        if let Some(execution) = shadow::execution() {
            execution.writes(self.0.as_ptr().addr());
        }
        self.0.store(value, order);
    }
}

/// Which of a pool's pages were swept: as the bump pointer.
#[repr(transparent)]
pub(crate) struct AtomicU64(atomic::AtomicU64);

impl AtomicU64 {
    pub(crate) fn load(&self, order: Ordering) -> u64 {
        if let Some(execution) = shadow::execution() {
            execution.reads(self.0.as_ptr().addr());
        }
        self.0.load(order)
    }

    pub(crate) fn store(&self, value: u64, order: Ordering) {
        if let Some(execution) = shadow::execution() {
            execution.writes(self.0.as_ptr().addr());
        }
        self.0.store(value, order);
    }
}
