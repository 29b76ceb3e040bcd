//! Out of memory: a process of its own, whose address space is limited, runs into the limit.

mod support;

use std::process::Command;

use support::Held;

const CHILD: &str = "POOL_ALLOC_TEST_LIMITED";

#[test]
fn out_of_memory_gives_null() {
    if std::env::var_os(CHILD).is_some() {
        return run_into_the_limit();
    }
    let this = std::env::current_exe().expect("tests are files");
    let status = Command::new(this)
        .args(["--exact", "out_of_memory_gives_null", "--nocapture"])
        .env(CHILD, "1")
        .status()
        .expect("the test can start itself");
    assert!(status.success());
}

fn run_into_the_limit() {
    let mapped = std::fs::read_to_string("/proc/self/statm").expect("linux");
    let pages: u64 = mapped
        .split(' ')
        .next()
        .expect("a number")
        .parse()
        .expect("a number");
    let bytes = pages * 4096 + (64 << 20);
    let limit = libc::rlimit {
        rlim_cur: bytes,
        rlim_max: bytes,
    };
    // SAFETY: the limit is only read.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_AS, &limit) }, 0);
    for size in [24, 3_000, 100_000, 2 << 20] {
        // Three times 24 MiB: what was freed is there again, although the limit has room for two at most.
        for _ in 0..3 {
            let held: Vec<_> = (0..(24 << 20) / size)
                .map(|number| Held::new(size, 8, number as u8))
                .collect();
            assert!(Held::try_new(128 << 20, 8, 0).is_none(), "the limit holds");
            held.iter().for_each(Held::check);
        }
    }
    // What another thread empties of this one's pools, whose slices are of another size then.
    let mut held: Vec<_> = (0..(40 << 20) / 500)
        .map(|number| Held::new(500, 8, number as u8))
        .collect();
    let mut nth = 0;
    held.retain(|_| {
        nth += 1;
        nth % 100 != 0
    });
    std::thread::scope(|scope| {
        let empties = scope.spawn(|| drop(held));
        empties.join().expect("it does not fail");
    });
    let held: Vec<_> = (0..(40 << 20) / 3_000)
        .map(|number| Held::new(3_000, 8, number as u8))
        .collect();
    drop(held);
    // To the very limit, with room for the test's own list made before.
    let mut held = Vec::with_capacity(100_000);
    while let Some(block) = Held::try_new(4096, 8, held.len() as u8) {
        held.push(block);
    }
    assert!(held.len() < held.capacity() && held.len() * 4096 > 32 << 20);
    assert!(Held::try_new(4096, 8, 0).is_none());
    held.truncate(held.len() / 2);
    for number in 0..1_000 {
        held.push(Held::try_new(4096, 8, number as u8).expect("half of it is free"));
    }
}
