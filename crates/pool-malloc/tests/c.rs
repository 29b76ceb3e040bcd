//! Programs in C and C++ that check the family from their side, each run with the library preloaded. They print what
//! does not hold.

mod support;

use std::path::PathBuf;
use std::process::Command;

use support::{compile, folder, library, said};

/// Compiles a program of `tests/c`, runs it on the library, and makes sure that it would notice another allocator.
fn check(compiler: &str, source: &str, arguments: &[PathBuf]) {
    let program = folder(source).join("program");
    if compile(compiler, source, &program, &[]).is_none() {
        return;
    }
    let run = |preloaded: bool| {
        let mut command = Command::new(&program);
        command.args(arguments);
        if preloaded {
            command.env("LD_PRELOAD", library());
        }
        command.output().expect("it was compiled")
    };
    let output = run(true);
    assert!(output.status.success(), "{source}: {}", said(&output));
    let without = said(&run(false));
    assert!(without.contains("not preloaded: malloc"), "{without}");
}

#[test]
fn the_family_does_what_posix_and_glibc_say() {
    check("cc", "posix.c", &[]);
}

#[test]
fn out_of_memory_is_null_and_enomem() {
    check("cc", "limit.c", &[]);
}

#[test]
fn children_of_a_process_with_threads_allocate() {
    check("cc", "fork.c", &[]);
}

#[test]
fn a_process_may_begin_with_many_handlers_of_forks() {
    check("cc", "fork_handlers.c", &[]);
}

#[test]
fn threads_end_in_any_order_of_destructors() {
    check("cc", "exit_order.c", &[]);
}

#[test]
fn cpp_runs_on_it() {
    check("c++", "cpp.cpp", &[]);
}

#[test]
fn libraries_with_thread_locals_come_and_go() {
    let folder = folder("plugins");
    let first = folder.join("plugin0.so");
    if compile("cc", "plugin.c", &first, &["-shared", "-fPIC"]).is_none() {
        return;
    }
    for copy in 1..40 {
        let copy = folder.join(format!("plugin{copy}.so"));
        std::fs::copy(&first, copy).expect("there is room for a few copies");
    }
    check("cc", "dlopen.c", &[folder.join("plugin")]);
}

#[test]
fn what_the_environment_says_reaches_the_library() {
    let listed = |kib| {
        let output = Command::new("ls")
            .arg(env!("CARGO_MANIFEST_DIR"))
            .env("LD_PRELOAD", library())
            .env("POOL_ALLOC_RESERVE_KIB", kib)
            .output()
            .expect("every machine has it");
        said(&output)
    };
    let fault = "pool-alloc: POOL_ALLOC_RESERVE_KIB=much is no number of KiB: there is no limit\n";
    assert_eq!(listed("much"), format!("{}{fault}", listed("0")));
}

#[test]
fn a_thread_may_end_when_the_library_is_unloaded() {
    let program = folder("unload").join("program");
    if compile("cc", "unload.c", &program, &["-ldl"]).is_none() {
        return;
    }
    let output = Command::new(&program).arg(library()).output();
    let said = said(&output.expect("it was compiled"));
    assert_eq!(said, "exit status: 0\nunloaded\n");
}
