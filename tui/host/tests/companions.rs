//! Libraries that are found by `$ORIGIN`, opened relative to the agent's own file, or missing: they are
//! found where the original lies, belong to one build, and their absence is explained.
#![allow(clippy::unwrap_used)] // what fails here is a failed test

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use support::{Desk, PATIENCE, compile, outcome};
use wb_core::ids::BuildId;
use wb_host::{HostEvent, JobResult};

/// A library without agents, whose function gives this number.
fn needed(to: &Path, function: &str, value: u32) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    let name = to.file_name().unwrap().to_str().unwrap();
    let options = [
        format!("-DNAME={function}"),
        format!("-DVALUE={value}"),
        format!("-Wl,-soname,{name}"),
    ];
    compile("needed.c", to, &options.each_ref().map(String::as_str));
}

/// The agent, which needs this library and looks for it in a run path.
fn agent(to: &Path, needs: &Path, kind: &str, run_path: &str) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    let options = [
        "-Wl,--no-as-needed".to_owned(),
        format!("-Wl,{kind}"),
        format!("-Wl,-rpath,{run_path}"),
        format!("-Wl,-rpath-link,{}", needs.parent().unwrap().display()),
        needs.display().to_string(),
    ];
    compile("needs.c", to, &options.each_ref().map(String::as_str));
}

const NEW: &str = "--enable-new-dtags";
const OLD: &str = "--disable-new-dtags";

fn run(desk: &mut Desk, build: BuildId) -> JobResult {
    let request = desk.request(build, 0);
    let job = request.job;
    desk.hosts.run(request);
    desk.done(job)
}

fn found(needed: u32, opened: i32, word: &str) -> JobResult {
    outcome(&format!(
        r#"{{"route":"needed {needed} opened {opened} word {word}"}}"#
    ))
}

/// Watches a library and claims its first content.
fn claim(desk: &mut Desk, library: PathBuf) -> BuildId {
    desk.hosts.watch(library);
    let probed = desk.probed();
    desk.hosts.activate(BuildId(1), &probed);
    BuildId(1)
}

#[test]
fn a_needed_library_is_found_wherever_the_run_path_leads_from_the_original() {
    for (kind, run_path, place) in [
        (NEW, "$ORIGIN", "agents/libneeded.so"),
        (OLD, "$ORIGIN", "agents/libneeded.so"),
        (NEW, "${ORIGIN}/deps", "agents/deps/libneeded.so"),
        (NEW, "$ORIGIN/../lib", "lib/libneeded.so"),
        (
            OLD,
            "/nowhere:$ORIGIN/../../far/away",
            "../far/away/libneeded.so",
        ),
    ] {
        let mut desk = Desk::new();
        let home = desk.path("home/project");
        fs::create_dir_all(&home).unwrap();
        let (library, needs) = (home.join("agents/libagent.so"), home.join(place));
        needed(&needs, "needed_value", 7);
        agent(&library, &needs, kind, run_path);
        let build = claim(&mut desk, library);
        assert_eq!(
            run(&mut desk, build),
            found(7, -1, "none"),
            "{kind} {run_path}"
        );
    }
}

#[test]
fn what_a_needed_library_needs_itself_is_found_too() {
    let mut desk = Desk::new();
    let (library, needs) = (desk.path("a/libagent.so"), desk.path("b/libneeded.so"));
    let deeper = desk.path("b/c/libdeeper.so");
    needed(&deeper, "deeper_value", 9);
    let options = [
        "-DNAME=needed_value",
        "-DDEEPER",
        "-Wl,--no-as-needed",
        "-Wl,-rpath,$ORIGIN/c",
        deeper.to_str().unwrap(),
    ];
    compile("needed.c", &needs, &options);
    agent(&library, &needs, NEW, "$ORIGIN/../b");
    let build = claim(&mut desk, library);
    assert_eq!(run(&mut desk, build), found(9, -1, "none"));
}

/// The agent, its runtime and the runtime's provider; what is replaced gets a new file, as a build makes it.
fn dynamic(desk: &Desk, name: &str, options: &[&str]) {
    let made = desk.path("made.so");
    compile("dynamic.c", &made, options);
    fs::create_dir_all(desk.path("target")).unwrap();
    fs::rename(made, desk.path("target").join(name)).unwrap();
}

#[test]
fn a_runtime_that_is_opened_by_name_and_its_providers_are_found_from_the_copy_and_after_a_reload() {
    for kind in [NEW, OLD] {
        let mut desk = Desk::with(|config| config.recycle_after = 1);
        let kind = format!("-Wl,{kind}");
        let agent = |desk: &Desk, code: &str| {
            let code = format!("-DCODE=\"{code}\"");
            let options = [&code, &kind, "-Wl,-rpath,$ORIGIN"];
            dynamic(desk, "libagent.so", &options);
        };
        let provider = |desk: &Desk, define| dynamic(desk, "libruntime_provider.so", &[define]);
        dynamic(&desk, "libruntime.so", &["-DRUNTIME=40"]);
        provider(&desk, "-DPROVIDER=2");
        agent(&desk, "first");
        let library = desk.path("target/libagent.so");
        let first = claim(&mut desk, library);
        let route = |text: &str| outcome(&format!(r#"{{"route":"{text}"}}"#));
        assert_eq!(run(&mut desk, first), route("first 42"), "{kind}");

        agent(&desk, "second");
        provider(&desk, "-DPROVIDER=3");
        let probed = desk.probed();
        desk.hosts.activate(BuildId(2), &probed);
        assert_eq!(run(&mut desk, BuildId(2)), route("second 43"), "{kind}");
        assert_eq!(
            run(&mut desk, first),
            route("first 43"),
            "both see what lies there"
        );
    }
}

#[test]
fn what_an_agent_opens_relative_to_its_own_file_is_found() {
    let mut desk = Desk::new();
    let (library, needs) = (desk.path("a/libagent.so"), desk.path("a/libneeded.so"));
    needed(&needs, "needed_value", 1);
    needed(&desk.path("a/libopened.so"), "opened_value", 2);
    fs::create_dir(desk.path("a/data")).unwrap();
    fs::write(desk.path("a/data/word.txt"), "hello").unwrap();
    agent(&library, &needs, NEW, "$ORIGIN");
    let build = claim(&mut desk, library);
    assert_eq!(run(&mut desk, build), found(1, 2, "hello"));
}

#[test]
fn a_needed_library_that_is_replaced_gives_a_new_build_and_leaves_the_old_one_whole() {
    let mut desk = Desk::with(|config| config.recycle_after = 1);
    let (library, needs) = (desk.path("a/libagent.so"), desk.path("a/libneeded.so"));
    needed(&needs, "needed_value", 1);
    agent(&library, &needs, NEW, "$ORIGIN");
    let old = claim(&mut desk, library);
    assert_eq!(run(&mut desk, old), found(1, -1, "none"));
    // Written over in place, as `cp` does: whoever has it open would crash.
    let other = desk.path("other.so");
    needed(&other, "needed_value", 2);
    fs::write(&needs, fs::read(&other).unwrap()).unwrap();
    let probed = desk.probed();
    assert_eq!(
        run(&mut desk, old),
        found(1, -1, "none"),
        "a fresh host of the old build"
    );
    desk.hosts.activate(BuildId(2), &probed);
    assert_eq!(run(&mut desk, BuildId(2)), found(2, -1, "none"));
    fs::remove_file(&needs).unwrap();
    assert_eq!(
        run(&mut desk, BuildId(2)),
        found(2, -1, "none"),
        "although it was removed"
    );
}

#[test]
fn a_needed_library_that_is_missing_is_named_and_waited_for() {
    let mut desk = Desk::new();
    let (library, needs) = (desk.path("a/libagent.so"), desk.path("a/libneeded.so"));
    needed(&needs, "needed_value", 3);
    agent(&library, &needs, NEW, "$ORIGIN");
    let aside = desk.path("aside.so");
    fs::rename(&needs, &aside).unwrap();
    desk.hosts.watch(library);
    let (reason, hints) = desk.rejected();
    assert!(reason.contains("libneeded.so"), "{reason}");
    assert!(hints[0].contains("libneeded.so"), "{hints:?}");
    fs::rename(&aside, &needs).unwrap();
    let probed = desk.wait(|event| match event {
        HostEvent::Probed(probed) => Some(probed.clone()),
        _ => None,
    });
    desk.hosts.activate(BuildId(1), &probed);
    assert_eq!(run(&mut desk, BuildId(1)), found(3, -1, "none"));
}

#[test]
fn a_library_beside_the_agents_that_nobody_looks_for_there_is_pointed_out() {
    let mut desk = Desk::new();
    let (library, needs) = (desk.path("a/libagent.so"), desk.path("a/libneeded.so"));
    needed(&needs, "needed_value", 3);
    agent(&library, &needs, NEW, "/nowhere");
    desk.hosts.watch(library);
    let (reason, hints) = desk.rejected();
    assert!(reason.contains("libneeded.so"), "{reason}");
    assert!(hints[0].contains("-rpath,'$ORIGIN'"), "{hints:?}");
}

#[test]
fn libraries_without_agents_in_a_watched_folder_are_passed_over() {
    let mut desk = Desk::new();
    let (library, needs) = (desk.path("a/libz_agent.so"), desk.path("a/libneeded.so"));
    needed(&needs, "needed_value", 3);
    agent(&library, &needs, NEW, "$ORIGIN");
    let folder = desk.path("a");
    let build = claim(&mut desk, folder);
    assert_eq!(run(&mut desk, build), found(3, -1, "none"));
    let refused = desk.seen.iter().any(|e| e.contains("Rejected"));
    assert!(!refused, "{:?}", desk.seen);
}

#[test]
fn the_watcher_refuses_what_is_not_a_regular_file_without_blocking() {
    let mut desk = Desk::new();
    let folder = desk.path("agents");
    fs::create_dir(&folder).unwrap();
    let pipe = folder.join("libpipe.so");
    let made = std::process::Command::new("mkfifo")
        .arg(&pipe)
        .status()
        .unwrap();
    assert!(made.success());
    std::os::unix::fs::symlink("/dev/zero", folder.join("libzero.so")).unwrap();
    let huge = fs::File::create(folder.join("libhuge.so")).unwrap();
    huge.set_len(3 << 30).unwrap();
    compile("hostile.c", &folder.join("libzz.so"), &[]);
    desk.hosts.watch(folder);
    let (mut probed, mut reasons) = (false, Vec::new());
    let until = std::time::Instant::now() + PATIENCE;
    while !probed || reasons.len() < 3 {
        assert!(std::time::Instant::now() < until, "{:?}", desk.seen);
        match desk.next() {
            HostEvent::Probed(_) => probed = true,
            HostEvent::Rejected {
                library, reason, ..
            } => {
                let name = library.file_name().unwrap().to_string_lossy().into_owned();
                reasons.push(format!("{name} {reason}"));
            }
            _ => {}
        }
    }
    reasons.sort();
    assert!(
        reasons[0].starts_with("libhuge.so") && reasons[0].contains("larger than 2 GB"),
        "{reasons:?}"
    );
    assert!(
        reasons[1].starts_with("libpipe.so") && reasons[1].contains("a named pipe"),
        "{reasons:?}"
    );
    assert!(
        reasons[2].starts_with("libzero.so") && reasons[2].contains("a device"),
        "{reasons:?}"
    );
}
