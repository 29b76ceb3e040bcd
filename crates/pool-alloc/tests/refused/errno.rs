//! What a free leaves of errno, where the system refuses what it gives back.

use super::*;

/// As POSIX says of `free`. What is given back meanwhile is refused, so that there are errors to hide.
#[test]
fn a_free_leaves_errno_as_it_was() {
    alone(|| {
        for call in [Call::Advise, Call::Unmap] {
            // Of pools that are this thread's, and of such as become so; then two that are none's.
            let sizes = (0..10_000).map(|nth| 16 + nth % 5_000);
            let build = || sizes.clone().map(|size| Found::new(size, 16));
            let mut blocks: Vec<Found> = build().collect();
            thread::scope(|scope| {
                let others = scope.spawn(|| build().map(Handed).collect::<Vec<_>>());
                let others = others.join().expect("it does not fail");
                blocks.extend(others.into_iter().map(|Handed(block)| block));
            });
            blocks.extend([MIB, 3 * MIB].map(|size| Found::new(size, 16)));
            let held = [MIB, 3 * MIB].map(|size| Held::new(size, 8, 1));
            let refused = refusing(from_now_on(call), || {
                blocks.into_iter().for_each(drop_minding_errno);
                held.into_iter().for_each(drop_minding_errno);
            });
            assert!(refused > 0, "nothing is given back");
            nothing_is_left();
        }
    });
}

/// The last block of a pool that another thread has laid aside; and when that finds out, it says nothing of it either.
#[test]
fn a_free_of_what_another_has_laid_aside_leaves_errno_as_it_was() {
    alone(|| {
        thread::scope(|scope| {
            let (hand, handed) = mpsc::channel();
            let (tell, told) = mpsc::channel();
            let other = scope.spawn(move || {
                let built = (0..20_000).map(|_| Found::new(1_000, 16));
                let mut built: Vec<Handed> = built.map(Handed).collect();
                let full = built.split_off(built.len() / 2);
                let is_first = |nth: &usize| nth.is_multiple_of(60);
                let (first, rest): (Vec<_>, Vec<_>) = built
                    .into_iter()
                    .enumerate()
                    .partition(|(nth, _)| is_first(nth));
                drop(first);
                hand.send(rest).expect("it waits for that");
                told.recv().expect("it does not fail");
                refusing(from_now_on(Call::Advise), || {
                    // Each of these pools becomes its own, and in exchange it looks at one of the others.
                    full.into_iter().for_each(drop_minding_errno);
                });
            });
            let rest: Vec<_> = handed.recv().expect("it does not fail");
            let refused = refusing(from_now_on(Call::Advise), || {
                rest.into_iter().for_each(drop_minding_errno);
            });
            assert!(refused > 0, "nothing is given back");
            tell.send(()).expect("it waits for that");
            other.join().expect("it does not fail");
        });
        nothing_is_left();
    });
}

fn drop_minding_errno<T>(block: T) {
    // SAFETY: every thread has an errno.
    let errno = unsafe { libc::__errno_location() };
    // SAFETY: it is this thread's to write.
    unsafe { errno.write(libc::EDOM) };
    drop(block);
    // SAFETY: as above, and to read.
    assert_eq!(unsafe { errno.read() }, libc::EDOM);
}

/// A block that another thread hands over.
struct Handed(Found);

// SAFETY: a block is memory like any other; only its holder touches it.
unsafe impl Send for Handed {}
