//! Programs that exist already, each run as it is and on the library. Those that the machine lacks are named in a line.

mod support;

use std::path::PathBuf;

use support::program::Program;

/// Runs those that are there.
fn check(programs: &[Program]) {
    let is_absent = |program: &&Program| !program.is_the_same_on_the_library();
    let absent: Vec<&str> = programs
        .iter()
        .filter(is_absent)
        .map(|program| program.name.as_str())
        .collect();
    println!(
        "{} programs ran on the library; not on this machine: {absent:?}",
        programs.len() - absent.len()
    );
}

const OBJECTS: &str = "
import json, sys, threading
things = [{'a': i, 'b': str(i) * 10, 'c': [i] * 5} for i in range(10000)]
text = json.dumps(things)
print(len(text), json.loads(text) == things)
def work(n):
    for _ in range(3):
        {i: bytearray(i % 3000) for i in range(n)}
threads = [threading.Thread(target=work, args=(2000 + n,)) for n in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
big = bytearray(20000000)
big.extend(big)
print(len(big), sum(big[::1000000]))
";

const UNTIL_NONE_IS_LEFT: &str = "
held = []
try:
    while True:
        held.append(bytearray(1000000))
except MemoryError:
    print(len(held) > 100)
del held
print(len(bytearray(100000000)))
try:
    bytearray(1 << 40)
except MemoryError:
    print('none left')
";

const FORKS: &str = "
import os, threading
stop = False
def work():
    while not stop:
        [bytearray(n * 10) for n in range(1000)]
threads = [threading.Thread(target=work) for _ in range(3)]
[thread.start() for thread in threads]
for _ in range(8):
    child = os.fork()
    if child == 0:
        os._exit(len([bytearray(n * 10) for n in range(1000)]) != 1000)
    print(os.waitpid(child, 0)[1])
stop = True
[thread.join() for thread in threads]
";

/// All that pyenv has.
fn pythons() -> Vec<(String, PathBuf)> {
    let root = std::env::var_os("PYENV_ROOT").map(PathBuf::from);
    let root = root.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".pyenv")));
    let versions = root.and_then(|root| root.join("versions").read_dir().ok());
    let named = versions.into_iter().flatten().flatten().map(|version| {
        let name = version.file_name().to_string_lossy().into_owned();
        (name, version.path().join("bin/python"))
    });
    let mut all: Vec<_> = named.collect();
    all.sort();
    all
}

#[test]
fn python() {
    check(&[
        Program::new("python", "python3", &["-c", OBJECTS]),
        Program::new("python-malloc", "python3", &["-c", OBJECTS]).with("PYTHONMALLOC", "malloc"),
        Program::new("python-limited", "python3", &["-c", UNTIL_NONE_IS_LEFT]).within(300 << 20),
        Program::new("python-forks", "python3", &["-c", FORKS]),
    ]);
}

#[test]
fn python_in_all_versions() {
    let runs = pythons().into_iter().map(|(version, python)| {
        Program::new(&format!("python-{version}"), python, &["-c", OBJECTS])
            .with("PYTHONMALLOC", "malloc")
    });
    check(&runs.collect::<Vec<_>>());
}

#[test]
fn pythons_own_tests() {
    let arguments = [
        "-m",
        "test",
        "test_dict",
        "test_list",
        "test_gc",
        "test_json",
    ];
    check(&[Program::new("python-tests", "python3", &arguments).says_times()]);
}

#[test]
fn git_from_the_first_commit_to_the_last_object() {
    let this = env!("CARGO_MANIFEST_DIR");
    let work = format!("--work-tree={this}");
    let git = |arguments: &[&str]| {
        let place = ["--git-dir={folder}/../repository", work.as_str()];
        let name = format!("git-{}", arguments[0]);
        Program::new(&name, "git", &[&place, arguments].concat())
            .with("GIT_AUTHOR_NAME", "somebody")
            .with("GIT_AUTHOR_EMAIL", "somebody@example.org")
            .with("GIT_AUTHOR_DATE", "2020-01-01T00:00:00Z")
            .with("GIT_COMMITTER_NAME", "somebody")
            .with("GIT_COMMITTER_EMAIL", "somebody@example.org")
            .with("GIT_COMMITTER_DATE", "2020-01-01T00:00:00Z")
    };
    let _was_there = std::fs::remove_dir_all(support::folder("repository"));
    check(&[
        git(&["init", "--quiet"]),
        git(&["add", "--force", this]),
        git(&["commit", "--quiet", "--allow-empty", "--message", "all"]),
        git(&["log", "--stat", "--patch"]),
        git(&["diff", "--stat", "HEAD~1"]),
        git(&["gc", "--aggressive", "--quiet"]),
        git(&["fsck", "--full"]),
        git(&["archive", "HEAD"]),
    ]);
}

#[test]
fn compilers() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/c/cpp.cpp");
    let rust = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/pieces.rs");
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let metadata = [
        "metadata",
        "--offline",
        "--no-deps",
        "--manifest-path",
        manifest,
    ];
    check(&[
        Program::new("c++", "c++", &["-O2", "-S", "-o", "/dev/stdout", source]),
        Program::new(
            "clang",
            "clang++",
            &["-O2", "-S", "-o", "/dev/stdout", source],
        ),
        Program::new(
            "rustc",
            "rustc",
            &["-O", "--emit=asm", "-o", "/dev/stdout", rust],
        ),
        Program::new("cargo", env!("CARGO"), &metadata),
        Program::new(
            "make",
            "make",
            &["--print-data-base", "--question", "--file=/dev/null"],
        )
        .says_times(),
    ]);
}

#[test]
fn interpreters_and_databases() {
    let perl = "my %h; $h{$_ * 7919 % 100003} = 'x' x ($_ % 100) for 1 .. 100000;
        print scalar(keys %h), ' ', length(join ',', map { $h{$_} } sort keys %h), qq(\\n)";
    let node = "const all = []; for (let i = 0; i < 200000; i++) all.push({ i, s: 's' + i });
        console.log(JSON.stringify(all).length, Buffer.alloc(30000000, 'x').toString().length)";
    let bash = "all=(); for n in {1..20000}; do all+=(\"number $n\"); done; echo ${#all[@]}
        for n in {1..20}; do (echo \"${all[$n]}\" | cat); done; [[ ${all[*]} =~ 9999 ]] && echo found";
    let sql = "create table t(a integer primary key, b text);
        with recursive n(i) as (select 1 union all select i + 1 from n where i < 100000)
        insert into t select i, hex(i * i) || printf('%.*c', i % 200, 'x') from n;
        create index by_b on t(b); delete from t where a % 3 = 0; vacuum;
        select count(*), max(b), sum(length(b)), group_concat(distinct length(b)) from t;";
    check(&[
        Program::new("perl", "perl", &["-e", perl]),
        Program::new("node", "node", &["-e", node]),
        Program::new("bash", "bash", &["-c", bash]),
        Program::new(
            "awk",
            "awk",
            &["BEGIN { for (i = 0; i < 200000; i++) a[i] = i \"\"; print length(a) }"],
        ),
        Program::new(
            "jq",
            "jq",
            &[
                "-n",
                "[range(20000) | {a: ., b: tostring}] | group_by(.a % 7) | map(length)",
            ],
        ),
        Program::new(
            "ruby",
            "ruby",
            &["-e", "puts (1..100000).map(&:to_s).sort.join.size"],
        ),
        Program::new(
            "lua",
            "lua",
            &[
                "-e",
                "t = {} for i = 1, 100000 do t[i] = i .. '' end print(#t)",
            ],
        ),
        Program::new("java", "java", &["-version"]),
        Program::new("sqlite3", "sqlite3", &["{folder}/database", sql]),
        Program::new("sqlite3-in-memory", "sqlite3", &[":memory:", sql]),
    ]);
}

#[test]
fn tools() {
    let this = std::env::current_exe().expect("tests are files");
    let this = this.to_str().expect("cargo's folders have names in UTF-8");
    let sorted = ["--parallel=4", "--buffer-size=1M", "--key=2", this];
    let sources = concat!(env!("CARGO_MANIFEST_DIR"), "/tests");
    check(&[
        Program::new("ls", "ls", &["-lR", sources]),
        Program::new("sort", "sort", &sorted),
        Program::new("grep", "grep", &["-rnE", "(a|b)+c?.*[[:upper:]]", sources]),
        Program::new("tar", "tar", &["--create", "--file=-", sources]),
        Program::new("gzip", "gzip", &["--stdout", "--best", this]),
        Program::new("xz", "xz", &["--threads=2", "--stdout", "-2", this]),
        Program::new("zstd", "zstd", &["--threads=2", "--stdout", "-9", this]),
        Program::new("openssl", "openssl", &["dgst", "-sha256", this]),
        Program::new("objdump", "objdump", &["--headers", "--syms", this]),
        Program::new(
            "gdb",
            "gdb",
            &["-batch", "-ex", "info functions main", this],
        ),
        Program::new(
            "vim",
            "vim",
            &[
                "-es",
                "-u",
                "NONE",
                "-c",
                "put=range(1,9999)",
                "-c",
                "%print",
                "-c",
                "q!",
            ],
        ),
        Program::new("curl", "curl", &["--version"]),
    ]);
}
