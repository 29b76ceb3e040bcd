//! Known figures, version by version: the FAQ's, those that were measured, and those that follow
//! from the sizes. The program is mostly the same: a list of ints, and its end.

mod arenas;
mod python_2;
mod sizes;

use cpython_layers::{Block, Chunk, Counting, Interpreter, Kind, Ledger, Word, version};

/// `range(50*1024*100)`, as the FAQ has it.
const INTS: i64 = 50 * 1024 * 100;

fn interpreter(name: &str, word: Word) -> Interpreter<Counting> {
    let chunk = match word {
        Word::Bits32 => Chunk::GLIBC_32,
        Word::Bits64 => Chunk::GLIBC_64,
    };
    over(name, word, Counting::new(chunk))
}

fn over(name: &str, word: Word, raw: Counting) -> Interpreter<Counting> {
    let version = version(name).unwrap_or_else(|| panic!("a row for {name}"));
    Interpreter::new(version, word, raw).expect("there is memory")
}

fn alloc(python: &mut Interpreter<Counting>, kind: Kind) -> Block {
    python.alloc(kind).expect("there is memory")
}

/// A list: the object, its items, and what the items point to.
struct List {
    object: Block,
    items: Block,
    elements: Vec<Block>,
}

impl List {
    fn build(
        python: &mut Interpreter<Counting>,
        word: Word,
        kinds: impl Iterator<Item = Kind>,
    ) -> Self {
        let kinds: Vec<Kind> = kinds.collect();
        List {
            object: alloc(python, Kind::List),
            items: alloc(python, Kind::Buffer(kinds.len() * word.bytes())),
            elements: kinds.into_iter().map(|kind| alloc(python, kind)).collect(),
        }
    }

    /// As `list_dealloc` does: the elements from the last to the first, the items, the object.
    fn drop_in(self, python: &mut Interpreter<Counting>) {
        for element in self.elements.into_iter().rev() {
            python.free(element);
        }
        python.free(self.items);
        python.free(self.object);
    }
}

fn int_list(python: &mut Interpreter<Counting>, word: Word) -> List {
    List::build(python, word, (0..INTS).map(Kind::Int))
}

fn check_sum(python: &Interpreter<Counting>) -> Ledger {
    let ledger = python.ledger();
    assert_eq!(ledger.sum(), python.held());
    assert_eq!(python.held(), python.raw().outstanding);
    ledger
}
