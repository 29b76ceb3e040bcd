use proptest::prelude::*;

use super::*;

/// So few that there are nodes for all runs that they can be.
const PAGES: usize = 200;

/// Pages that are mapped as long as this is there.
struct Pages(NonNull<u8>);

impl Pages {
    fn new() -> Self {
        Self(os::map(PAGES * os::page_size(), os::page_size()).expect("the machine has addresses"))
    }

    fn run(&self, from: usize, len: usize) -> Run {
        assert!(from + len <= PAGES);
        Run {
            // SAFETY: it is within the pages.
            at: unsafe { self.0.add(from * os::page_size()) },
            len: len * os::page_size(),
        }
    }

    fn place_of(&self, run: Run) -> (usize, usize) {
        let from = run.at.addr().get() - self.0.addr().get();
        (from / os::page_size(), run.len / os::page_size())
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        // SAFETY: they were mapped with this length, and what is hollow is forgotten.
        unsafe { os::unmap(self.0, PAGES * os::page_size()) };
    }
}

fn need(pages: usize, align: usize) -> Need {
    Need {
        len: pages * os::page_size(),
        used: pages * os::page_size(),
        align: align * os::page_size(),
        ahead: 0,
    }
}

/// The first place among the pages that are hollow, by going through them.
fn first_fit(pages: &Pages, hollow: &[bool; PAGES], need: Need) -> Option<usize> {
    let count = need.len / os::page_size();
    (0..=PAGES - count).find(|&from| {
        hollow[from..from + count].iter().all(|hollow| *hollow)
            && pages.run(from, count).lead(need) == 0
    })
}

#[derive(Clone, Debug)]
enum Step {
    Put { from: usize, len: usize },
    Take { len: usize, align: usize },
    TakeAt { from: usize, len: usize },
    TakeFirst,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (0..PAGES, 1..12_usize).prop_map(|(from, len)| Step::Put { from, len }),
        3 => (1..20_usize, 0..2_u32).prop_map(|(len, log)| Step::Take { len, align: 1 << log }),
        1 => (0..PAGES, 1..4_usize).prop_map(|(from, len)| Step::TakeAt { from, len }),
        1 => Just(Step::TakeFirst),
    ]
}

proptest! {
    #[test]
    fn what_is_taken_was_put_and_is_the_first_that_fits(steps in prop::collection::vec(step(), 1..300)) {
        let (pages, mut hollow) = (Pages::new(), Hollow::new());
        let mut model = [false; PAGES];
        for step in steps {
            match step {
                Step::Put { from, len } => {
                    let len = len.min(PAGES - from);
                    if model[from..from + len].contains(&true) {
                        continue;
                    }
                    assert!(hollow.put(pages.run(from, len)));
                    model[from..from + len].fill(true);
                }
                Step::Take { len, align } => {
                    let need = need(len, align);
                    let taken = hollow.take(need).map(|run| pages.place_of(run));
                    let first = first_fit(&pages, &model, need);
                    assert_eq!(taken, first.map(|from| (from, len)));
                    if let Some(from) = first {
                        model[from..from + len].fill(false);
                    }
                }
                Step::TakeAt { from, len } => {
                    let len = len.min(PAGES - from);
                    let begins = from == 0 || !model[from - 1];
                    let is_there = begins && model[from..from + len].iter().all(|hollow| *hollow);
                    let address = pages.run(from, len).at.addr().get();
                    let taken = hollow.take_at(address, len * os::page_size());
                    assert_eq!(taken, is_there);
                    if taken {
                        model[from..from + len].fill(false);
                    }
                }
                Step::TakeFirst => {
                    let taken = hollow.take_first().map(|run| pages.place_of(run));
                    let first = model.iter().position(|hollow| *hollow);
                    let len = |from: usize| model[from..].iter().take_while(|hollow| **hollow).count();
                    assert_eq!(taken, first.map(|from| (from, len(from))));
                    if let Some((from, len)) = taken {
                        model[from..from + len].fill(false);
                    }
                }
            }
            let runs = (0..PAGES).filter(|&page| model[page] && (page == 0 || !model[page - 1]));
            let runs = runs.count();
            assert_eq!(hollow.count(), runs);
            assert_eq!(hollow.nodes.is_empty(), runs == 0, "their memory goes with the last");
        }
        while hollow.take_first().is_some() {}
    }
}

#[test]
fn runs_side_by_side_are_not_a_deep_tree() {
    const RUNS: usize = 90;
    let (pages, mut hollow) = (Pages::new(), Hollow::new());
    for number in 0..RUNS {
        assert!(hollow.put(pages.run(number * 2, 1)));
    }
    let depth = depth_of(&hollow, hollow.root);
    // A random one is as deep as 13 on average, and hardly ever as 25.
    assert!(depth <= 25, "{depth}");
}

fn depth_of(hollow: &Hollow, id: Id) -> usize {
    match hollow.node(id) {
        _ if id == NONE => 0,
        node => 1 + depth_of(hollow, node.before).max(depth_of(hollow, node.behind)),
    }
}

#[cfg(debug_assertions)]
#[test]
fn more_than_there_are_nodes_for_is_refused_unless_it_touches_one() {
    let mut hollow = Hollow::new();
    let pages: Vec<_> = (0..2).map(|_| Pages::new()).collect();
    let runs = pages
        .iter()
        .flat_map(|pages| (0..PAGES / 3).map(|number| pages.run(number * 3, 1)));
    let put = runs.take_while(|run| hollow.put(*run)).count();
    assert_eq!(put, NODES - 1);
    assert!(hollow.put(pages[0].run(1, 1)), "it joins the first");
    assert_eq!(hollow.count(), NODES - 1);
    assert!(
        hollow.put(pages[0].run(2, 1)),
        "it joins two, which gives a node back"
    );
    assert_eq!(hollow.count(), NODES - 2);
    let last = PAGES / 3 * 3 - 1;
    assert!(hollow.put(pages[1].run(last - 1, 1)));
    assert!(!hollow.put(pages[1].run(last + 1, 1)));
}

/// What is long enough, but begins where it is of no use, is not gone through to the end.
#[test]
fn one_request_looks_at_so_many() {
    let (pages, mut hollow) = (Pages::new(), Hollow::new());
    // The first page that does not begin at a multiple of two pages.
    let first = (pages.0.addr().get() / os::page_size() + 1) % 2;
    for number in 0..TRIES {
        assert!(hollow.put(pages.run(first + number * 2, 1)));
    }
    let fits = pages.run(first + TRIES * 2 + 1, 1);
    assert!(hollow.put(fits));
    assert!(hollow.take(need(1, 2)).is_none());
    assert!(hollow.take_first().is_some());
    let taken = hollow
        .take(need(1, 2))
        .expect("it is the last that is looked at");
    assert_eq!(taken.at, fits.at);
}
