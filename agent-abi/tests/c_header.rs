//! The C header against the Rust table, and the C sample agent in a host of a few lines. Both are
//! compiled with the strictest flags; without a C compiler they print that and pass.
#![allow(clippy::unwrap_used)] // a test may stop anywhere

use agent_abi::table::{
    self, Agent, Bytes, Frame, Host, Module, Out, Resource, Task, first, flags, needs, status,
};
use agent_abi::wire::Outcome;
use std::collections::BTreeMap;
use std::mem::offset_of;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Compiles each source with its folder of headers, and links them; `None` where there is no C
/// compiler.
fn compile(name: &str, sources: &[(&str, &str)]) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let program = folder.join(name);
    let mut objects = Vec::new();
    for (index, (source, headers)) in sources.iter().enumerate() {
        let object = folder.join(format!("{name}-{index}.o"));
        let mut cc = Command::new("cc");
        cc.args([
            "-std=c99",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-pedantic",
            "-c",
            "-I",
        ])
        .arg(root.join(headers))
        .arg(root.join(source))
        .arg("-o")
        .arg(&object);
        if !succeeds(&mut cc) {
            return None;
        }
        objects.push(object);
    }
    succeeds(Command::new("cc").args(&objects).arg("-o").arg(&program)).then_some(program)
}

/// False where there is no such program; a failure of it fails the test.
fn succeeds(command: &mut Command) -> bool {
    match command.output() {
        Err(error) => {
            println!("skipped: no C compiler ({error})");
            false
        }
        Ok(output) => {
            assert!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
            true
        }
    }
}

/// What `c/layout.c` prints with the headers of this folder.
fn printed(name: &str, headers: &str) -> Option<BTreeMap<String, u64>> {
    let program = compile(name, &[("tests/c/layout.c", headers)])?;
    let output = Command::new(program).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut printed = BTreeMap::new();
    for line in text.lines() {
        let (name, value) = line.rsplit_once(' ').unwrap();
        if name == "symbol" {
            assert_eq!(value, table::ENTRY_SYMBOL);
        } else {
            printed.insert(name.to_owned(), value.parse().unwrap());
        }
    }
    Some(printed)
}

macro_rules! layout {
    ($map:ident, $rust:ident as $c:literal: $($field:ident),+) => {
        $map.insert(format!("sizeof({})", $c), size_of::<$rust>() as u64);
        $($map.insert(format!("{}.{}", $c, stringify!($field)), offset_of!($rust, $field) as u64);)+
    };
}

/// The same list as `c/layout.c` prints.
fn expected() -> BTreeMap<String, u64> {
    let mut map = BTreeMap::new();
    layout!(map, Bytes as "wb_bytes": ptr, len);
    layout!(map, Module as "wb_module": magic, abi_major, abi_minor, size, name, version, sdk, build_info, agents,
        agent_count, agent_stride, init, shutdown, preflight, resources, resource_count, resource_stride);
    layout!(map, Resource as "wb_resource": size, reserved, spec, open, answer, user);
    layout!(map, Agent as "wb_agent": size, flags, needs, stage, spec, run, user);
    layout!(map, Task as "wb_task": size, reserved, id, attempt, build, stage, task, params);
    layout!(map, Host as "wb_host": size, minor, ctx, log, input, frame, frame_release, progress, is_cancelled, call,
        child_frame, checkpoint);
    layout!(map, Frame as "wb_frame": size, format, data, len, width, height, stride, reserved, index, pts_us, handle,
        error);
    layout!(map, Out as "wb_out": size, kind, data, len, cap, free);
    for (name, value) in [
        ("WB_MAGIC", table::MAGIC),
        ("WB_ABI_MAJOR", table::ABI_MAJOR.into()),
        ("WB_ABI_MINOR", table::ABI_MINOR.into()),
        ("WB_NEED_LABEL_ROW", needs::LABEL_ROW),
        ("WB_NEED_LABEL_ROW_WRITE", needs::LABEL_ROW_WRITE),
        ("WB_NEED_STORAGE_ITEM", needs::STORAGE_ITEM),
        ("WB_NEED_PROJECT", needs::PROJECT),
        ("WB_NEED_CLIENT_METADATA", needs::CLIENT_METADATA),
        ("WB_NEED_ASSET", needs::ASSET),
        ("WB_NEED_FRAME", needs::FRAME),
        ("WB_NEED_FRAMES", needs::FRAMES),
        ("WB_NEED_TWIN", needs::TWIN),
        ("WB_NEED_CHILDREN", needs::CHILDREN),
        ("WB_NEED_UPSTREAM", needs::UPSTREAM),
        ("WB_FLAG_OVERWRITE", flags::OVERWRITE.into()),
        ("WB_FLAG_CANCEL_AWARE", flags::CANCEL_AWARE.into()),
        ("WB_FLAG_IDEMPOTENT", flags::IDEMPOTENT.into()),
        ("WB_FLAG_NO_PARALLEL", flags::NO_PARALLEL.into()),
        ("WB_OK", status::OK as u64),
        ("WB_ERROR", status::ERROR as u64),
        ("WB_PANIC", status::PANIC as u64),
        ("WB_CANCELLED", status::CANCELLED as u64),
        ("WB_DEPENDENCY", status::DEPENDENCY as u64),
        ("WB_UNSUPPORTED", status::UNSUPPORTED as u64),
        ("WB_OUT_ANSWER", table::ANSWER.into()),
    ] {
        map.insert(name.to_owned(), value);
    }
    map
}

/// The strictest flags of both languages find nothing in the header, nor in what its macros expand to.
#[test]
fn the_header_is_c99_and_cpp_without_a_warning() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let include = Path::new(env!("CARGO_MANIFEST_DIR")).join("include");
    let source = "#include \"workbench_agent.h\"\n#include \"workbench_agent.h\"\n\
        static const wb_bytes name = WB_TEXT(\"name\");\n\
        const wb_module *wb_agent_module(void) { return name.len == WB_MAGIC ? (const wb_module *)0 : 0; }\n";
    let cpp = source.replace("(const wb_module *)0 : 0", "nullptr : nullptr");
    for (compiler, standard, file, source) in [
        ("cc", "c99", "strict.c", source),
        ("cc", "c17", "strict.c", source),
        ("c++", "c++11", "strict.cpp", &cpp),
        ("c++", "c++20", "strict.cpp", &cpp),
    ] {
        let path = folder.join(file);
        std::fs::write(&path, source).unwrap();
        let mut command = Command::new(compiler);
        command
            .arg(format!("-std={standard}"))
            .args([
                "-Wall",
                "-Wextra",
                "-pedantic",
                "-Werror",
                "-Wconversion",
                "-Wshadow",
            ])
            .args(["-fsyntax-only", "-I"])
            .arg(&include)
            .arg(&path);
        if compiler == "c++" {
            command.args(["-Wold-style-cast", "-Wzero-as-null-pointer-constant"]);
        } else {
            command.args(["-Wstrict-prototypes", "-Wmissing-prototypes"]);
        }
        succeeds(&mut command);
    }
}

#[test]
fn the_c_header_and_the_rust_table_agree_on_every_size_offset_and_constant() {
    let Some(printed) = printed("layout", "include") else {
        return;
    };
    assert_eq!(printed, expected());
}

/// `c/abi-1.0` is the header as it was released; it is never edited.
#[test]
fn since_1_0_nothing_has_moved_and_structs_have_only_grown() {
    let Some(then) = printed("layout-1.0", "tests/c/abi-1.0") else {
        return;
    };
    let now = expected();
    for (name, old) in then {
        let new = now[&name];
        match name.as_str() {
            "WB_ABI_MINOR" => assert!(new >= old),
            size if size.starts_with("sizeof") => assert!(new >= old, "{size}: {old}, now {new}"),
            other => assert_eq!(new, old, "{other}"),
        }
    }
}

/// On 64-bit machines; a change here is a change for every library that was ever built.
#[test]
#[cfg(target_pointer_width = "64")]
fn the_layout_is_the_one_of_version_1_1() {
    let sizes = [
        size_of::<Bytes>(),
        size_of::<Module>(),
        size_of::<Agent>(),
        size_of::<Task>(),
        size_of::<Host>(),
        size_of::<Frame>(),
        size_of::<Out>(),
        size_of::<Resource>(),
    ];
    assert_eq!(sizes, [16, 152, 64, 72, 88, 80, 40, 48]);
    // These stay when the sizes above grow.
    let first = [first::MODULE, first::AGENT, first::FRAME, first::RESOURCE];
    assert_eq!(first, [104, 64, 80, 48]);
    assert_eq!(
        (
            offset_of!(Module, magic),
            offset_of!(Module, abi_major),
            offset_of!(Module, size)
        ),
        (0, 8, 12)
    );
}

#[test]
fn the_c_agent_reads_its_task_and_routes_by_title() {
    drive("drive", "include");
}

#[test]
fn an_agent_built_with_the_first_header_runs_under_todays() {
    drive("drive-1.0", "tests/c/abi-1.0");
}

/// Runs the sample agent, built with these headers, in a host built with today's.
fn drive(name: &str, headers: &str) {
    let sources = [
        ("tests/c/drive.c", "include"),
        ("../sample-agents/c/router.c", headers),
    ];
    let Some(program) = compile(name, &sources) else {
        return;
    };
    let tasks = [
        r#"{"uuid":"u","data_title":"street.jpg"}"#,
        r#"{"data_hash":"data_title","data_title" : "a \"rework\" of it","label_branch_name":"main"}"#,
        r#"{"note":"\"data_title\":\"rework\"","data_title":"plain"}"#,
        r#"{"uuid":"u"}"#,
        "",
    ];
    let output = Command::new(program).args(tasks).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines[0], "router route magic");
    let outcome: Outcome = serde_json::from_str(lines[1].strip_prefix("0 1 ").unwrap()).unwrap();
    assert_eq!(
        (outcome.route.as_deref(), outcome.add[0].name.as_str()),
        (Some("complete"), "Notes")
    );
    assert_eq!(lines[2], "log 3 router \"rework\" in the title");
    let outcome: Outcome = serde_json::from_str(lines[3].strip_prefix("0 1 ").unwrap()).unwrap();
    assert_eq!(
        (outcome.route.as_deref(), outcome.priority),
        (Some("rework"), Some(0.9))
    );
    let outcome: Outcome = serde_json::from_str(lines[4].strip_prefix("0 1 ").unwrap()).unwrap();
    assert_eq!(
        outcome.route.as_deref(),
        Some("complete"),
        "a word inside another value does not count"
    );
    assert_eq!(lines[5..], ["1 2 the task has no data_title"; 2]);
}
