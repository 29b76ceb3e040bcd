//! Ordinary multi-threaded Rust, all of it on the allocator.

use std::collections::{BTreeMap, HashMap};
use std::sync::mpsc;
use std::thread;

use pool_alloc::PoolAlloc;

#[global_allocator]
static GLOBAL: PoolAlloc = PoolAlloc;

#[test]
fn maps_and_strings_churn_on_many_threads() {
    let totals: Vec<usize> = thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|seed| scope.spawn(move || churn(seed)))
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no thread fails"))
            .collect()
    });
    assert_eq!(totals, [churn(0), churn(1), churn(2), churn(3)]);
}

fn churn(seed: usize) -> usize {
    let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
    let mut by_number: BTreeMap<usize, String> = BTreeMap::new();
    for step in 0..40_000_usize {
        let number = (step * 7_919 + seed * 31) % 4_001;
        let name = format!("name {number} {}", "x".repeat(number % 97));
        by_name.entry(name.clone()).or_default().push(step);
        if let Some(old) = by_number.insert(number, name)
            && step % 3 == 0
        {
            by_name.remove(&old);
        }
    }
    by_name.values().map(Vec::len).sum::<usize>()
        + by_number.values().map(String::len).sum::<usize>()
}

#[test]
fn what_one_thread_sends_another_may_drop() {
    let (sender, receiver) = mpsc::sync_channel::<Vec<Box<str>>>(16);
    let consumer = thread::spawn(move || {
        receiver
            .iter()
            .map(|batch| batch.iter().map(|s| s.len()).sum::<usize>())
            .sum()
    });
    let mut sent = 0;
    for batch in 0..2_000_usize {
        let words: Vec<Box<str>> = (0..50)
            .map(|word| "word ".repeat(1 + (batch + word) % 40).into())
            .collect();
        sent += words.iter().map(|word| word.len()).sum::<usize>();
        sender.send(words).expect("the consumer lives");
    }
    drop(sender);
    let received: usize = consumer.join().expect("no thread fails");
    assert_eq!(received, sent);
}

#[test]
fn a_thread_local_may_allocate_while_its_thread_ends() {
    struct Late(Vec<String>);
    impl Drop for Late {
        fn drop(&mut self) {
            let more: Vec<String> = self.0.iter().map(|text| text.repeat(20)).collect();
            assert_eq!(more.len(), 100);
        }
    }
    thread_local!(static LATE: Late = Late((0..100).map(|n| n.to_string()).collect()));
    for _ in 0..20 {
        thread::spawn(|| LATE.with(|late| assert_eq!(late.0.len(), 100)))
            .join()
            .expect("no thread fails");
    }
}

#[test]
fn threads_that_come_and_go_leave_no_memory_behind() {
    let run = || {
        for _ in 0..50 {
            let left = thread::spawn(|| (0..1_000).map(|n| vec![n; 50]).collect::<Vec<_>>())
                .join()
                .expect("it ends");
            assert_eq!(left[999][49], 999);
        }
        GLOBAL.stats().mapped_bytes
    };
    let first = run();
    for _ in 0..5 {
        // Other tests run beside this one, hence the room.
        assert!(run() <= first + (64 << 20), "{:?}", GLOBAL.stats());
    }
}

/// The C library's own hooks at a thread's end may run after the allocator's, and allocate.
#[test]
fn a_thread_may_allocate_after_its_heap_has_gone() {
    static KEYS: std::sync::OnceLock<Vec<libc::pthread_key_t>> = std::sync::OnceLock::new();
    unsafe extern "C" fn late(_: *mut libc::c_void) {
        let text = vec![7_u8; 1_000];
        assert!(text.iter().all(|byte| *byte == 7));
        drop(std::hint::black_box(text));
    }
    let keys = KEYS.get_or_init(|| {
        let new_key = |_| {
            let mut key = 0;
            // SAFETY: `key` is ours, and the hook ignores its argument.
            assert_eq!(unsafe { libc::pthread_key_create(&mut key, Some(late)) }, 0);
            key
        };
        (0..4).map(new_key).collect()
    });
    for _ in 0..20 {
        let work = || {
            for key in keys {
                // SAFETY: the key was made above.
                let status = unsafe { libc::pthread_setspecific(*key, std::ptr::dangling()) };
                assert_eq!(status, 0);
            }
        };
        thread::scope(|scope| scope.spawn(work).join().expect("no thread fails"));
    }
}
