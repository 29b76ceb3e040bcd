//! What CPython does for a few statements: which blocks it asks for, and in which order it lets go.
//!
//! A program has two globals, `L` and `S`. Bytecode, frames and the objects that a statement makes for
//! itself and that no list ever holds are left out, except where they take a block between two others:
//! the loop variable is one, since the next int is made before the last one goes.

use cpython_layers::{Aside, Block, Build, Interpreter, Kind, OutOfMemory, Raw, Table};

use super::settled;

/// A program and the interpreter that runs it.
pub struct Program<R: Raw> {
    python: Interpreter<R>,
    build: Build,
    large: Global,
    survivors: Global,
    /// Bytes of what the interpreter itself has alive, which it never lets go of.
    own_bytes: usize,
}

/// What a name stands for.
enum Global {
    None,
    Int(Block),
    List(List),
}

struct List {
    object: Block,
    items: Block,
    /// Empty places are `None`, which takes no memory.
    elements: Table<Option<Block>>,
}

/// The sizes of ordinary traffic, in characters: those of the scenarios outside Python.
const TRAFFIC: [usize; 5] = [24, 64, 200, 1_500, 4_096];

impl<R: Raw> Program<R> {
    /// # Errors
    /// Where there is no memory for the interpreter.
    pub fn start(build: Build, raw: R) -> Result<Program<R>, OutOfMemory> {
        let mut python = Interpreter::new(build.version, build.word, raw)?;
        settled::settle(&mut python)?;
        let own_bytes = alive_bytes(&python);
        Ok(Program {
            python,
            build,
            large: Global::None,
            survivors: Global::None,
            own_bytes,
        })
    }

    /// The interpreter, to be looked at.
    pub fn interpreter(&self) -> &Interpreter<R> {
        &self.python
    }

    /// Bytes that the globals hold, as they were asked for.
    pub fn live_bytes(&self) -> usize {
        alive_bytes(&self.python) - self.own_bytes
    }

    /// `L = range(n)`; in Python 3 `L = list(range(n))`, which has a range object first, and in it
    /// its length.
    ///
    /// # Errors
    /// Where there is no memory, as of all that builds something.
    pub fn list_of_range(&mut self, n: u64) -> Result<(), OutOfMemory> {
        let range = match self.is_python_3() {
            true => Some([
                self.python.alloc(Kind::Int(n as i64))?,
                self.python.alloc(Kind::Object(self.words(6)))?,
            ]),
            false => None,
        };
        let mut list = self.list(n)?;
        for (place, value) in list.elements.iter_mut().zip(0..) {
            *place = Some(self.python.alloc(Kind::Int(value))?);
        }
        for block in range.into_iter().flatten().rev() {
            self.python.free(block);
        }
        self.large = Global::List(list);
        Ok(())
    }

    /// `L = [None] * n`, `for i in xrange(n): L[i] = ...`, one of these each time.
    ///
    /// # Errors
    /// Where there is no memory.
    pub fn list_of(&mut self, n: u64, kind: Kind) -> Result<(), OutOfMemory> {
        let mut list = self.list_of_none(n)?;
        let mut variable = None;
        for (place, value) in list.elements.iter_mut().zip(0..) {
            self.next(&mut variable, value)?;
            *place = Some(self.python.alloc(kind)?);
        }
        self.clear(variable);
        self.large = Global::List(list);
        Ok(())
    }

    /// `for L in xrange(n): pass`
    ///
    /// # Errors
    /// Where there is no memory.
    pub fn last_of_range(&mut self, n: u64) -> Result<(), OutOfMemory> {
        let mut variable = None;
        for value in 0..n as i64 {
            self.next(&mut variable, value)?;
        }
        self.large = variable.map_or(Global::None, Global::Int);
        Ok(())
    }

    /// `S = L[::step]`; nothing where `L` is no list.
    ///
    /// # Errors
    /// Where there is no memory.
    pub fn slice(&mut self, step: usize) -> Result<(), OutOfMemory> {
        let Global::List(large) = std::mem::replace(&mut self.large, Global::None) else {
            return Ok(());
        };
        let mut large = large;
        let mut slice = self.list(large.elements.len().div_ceil(step) as u64)?;
        // What both hold goes with the last of them, and `S` outlives `L`.
        let shared = large.elements.iter_mut().step_by(step);
        for (place, element) in slice.elements.iter_mut().zip(shared) {
            *place = element.take();
        }
        self.large = Global::List(large);
        self.survivors = Global::List(slice);
        Ok(())
    }

    /// `L = None`
    pub fn drop_large(&mut self) {
        let large = std::mem::replace(&mut self.large, Global::None);
        self.let_go(large);
    }

    /// `S = None`
    pub fn drop_survivors(&mut self) {
        let survivors = std::mem::replace(&mut self.survivors, Global::None);
        self.let_go(survivors);
    }

    /// `gc.collect()`
    pub fn collect(&mut self) {
        self.python.gc_collect();
    }

    /// What a program does that goes on running, all of which it lets go of again:
    /// `W = [None] * 64`, `for i in xrange(20000): W[i % 64] = x * TRAFFIC[i % 5]`, and at every
    /// fourth `x * 40000`, which nobody holds.
    ///
    /// # Errors
    /// Where there is no memory.
    pub fn traffic(&mut self) -> Result<(), OutOfMemory> {
        const WINDOW: usize = 64;
        let mut window = self.list_of_none(WINDOW as u64)?;
        let mut variable = None;
        for i in 0..20_000 {
            self.next(&mut variable, i as i64)?;
            let string = self.python.alloc(Kind::Str(TRAFFIC[i % TRAFFIC.len()]))?;
            let replaced = window.elements[i % WINDOW].replace(string);
            self.clear(replaced);
            if i % 4 == 0 {
                let buffer = self.python.alloc(Kind::Str(40_000))?;
                self.python.free(buffer);
            }
        }
        self.clear(variable);
        self.let_go(Global::List(window));
        Ok(())
    }

    /// What `object()` makes: a header, two words.
    pub fn plain_object(&self) -> Kind {
        Kind::Object(self.words(2))
    }

    fn words(&self, words: usize) -> usize {
        words * self.build.word.bytes()
    }

    fn is_python_3(&self) -> bool {
        self.build.version.name.starts_with("3.")
    }

    /// A loop's next int, made before the one that it replaces goes.
    fn next(&mut self, variable: &mut Option<Block>, value: i64) -> Result<(), OutOfMemory> {
        let next = self.python.alloc(Kind::Int(value))?;
        let last = variable.replace(next);
        self.clear(last);
        Ok(())
    }

    /// `[None] * n`: the short list comes first and goes last.
    fn list_of_none(&mut self, n: u64) -> Result<List, OutOfMemory> {
        let short = self.list(1)?;
        let list = self.list(n)?;
        self.let_go(Global::List(short));
        Ok(list)
    }

    /// A list that has its length from the beginning: the object, then its items.
    fn list(&mut self, n: u64) -> Result<List, OutOfMemory> {
        let object = self.python.alloc(Kind::List)?;
        let items = self.python.alloc(Kind::Buffer(self.words(n as usize)))?;
        let mut elements = Table::with_capacity_in(n as usize, Aside);
        elements.resize_with(n as usize, || None);
        Ok(List {
            object,
            items,
            elements,
        })
    }

    /// A list goes from its last element to its first, then its items, then itself.
    fn let_go(&mut self, global: Global) {
        match global {
            Global::None => {}
            Global::Int(int) => self.python.free(int),
            Global::List(mut list) => {
                while let Some(element) = list.elements.pop() {
                    self.clear(element);
                }
                self.python.free(list.items);
                self.python.free(list.object);
            }
        }
    }

    fn clear(&mut self, block: Option<Block>) {
        if let Some(block) = block {
            self.python.free(block);
        }
    }
}

fn alive_bytes<R: Raw>(python: &Interpreter<R>) -> usize {
    let ledger = python.ledger();
    ledger.alive + ledger.large
}
