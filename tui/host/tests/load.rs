//! Libraries that are cut, damaged, foreign, wrong or hostile when opened: each is refused with a
//! reason, the last good build stays active, and its copy outlives the watched file.
#![allow(clippy::unwrap_used)] // what fails here is a failed test

mod support;

use std::path::Path;
use std::time::Duration;
use support::{Desk, compile, outcome};
use wb_core::ids::BuildId;
use wb_host::HostEvent;

/// Refuses a library made with these options; gives reason and hints in one text.
fn refuse(options: &[&str]) -> String {
    let mut desk = Desk::new();
    let library = desk.path("libodd.so");
    compile("odd.c", &library, options);
    desk.hosts.watch(library);
    let (reason, hints) = desk.rejected();
    assert!(!hints.is_empty(), "{reason}");
    format!("{reason}\n{}", hints.join("\n"))
}

fn refuse_file(content: &[u8]) -> String {
    let mut desk = Desk::new();
    let library = desk.path("libodd.so");
    std::fs::write(&library, content).unwrap();
    desk.hosts.watch(library);
    let (reason, hints) = desk.rejected();
    assert!(!hints.is_empty(), "{reason}");
    reason
}

fn good_file(dir: &Path) -> Vec<u8> {
    let path = dir.join("good.so");
    compile("hostile.c", &path, &[]);
    std::fs::read(&path).unwrap()
}

#[test]
fn a_good_library_describes_itself() {
    let mut desk = Desk::new();
    let library = desk.path("libodd.so");
    compile(
        "odd.c",
        &library,
        &["-DODD_SPEC=\"{\\\"function\\\":\\\"f\\\",\\\"timeout_ms\\\":1500}\""],
    );
    desk.hosts.watch(library.clone());
    let probed = desk.probed();
    assert_eq!(probed.library, library);
    assert_eq!(probed.size, std::fs::metadata(&library).unwrap().len());
    assert_eq!(probed.hash.len(), 16);
    let descriptor = &probed.descriptor;
    assert_eq!((descriptor.name.as_str(), descriptor.abi), ("odd", (1, 1)));
    assert!(!descriptor.preflight);
    assert_eq!(descriptor.agents[0].spec.timeout_ms, Some(1500));
    assert_eq!(descriptor.agents[1].stage, "two");
}

#[test]
fn tables_that_are_wrong_are_refused_in_words() {
    let rows: [(&[&str], &str); 12] = [
        (&["-DODD_MAGIC=7"], "does not begin with WBAGENT1"),
        (
            &["-DODD_MAJOR=99"],
            "newer agent ABI 99.1; this workbench speaks 1.1",
        ),
        (
            &["-DODD_NEEDS=(UINT64_C(1)<<40)"],
            "needs a newer workbench",
        ),
        (
            &["-DODD_FLAGS=(1u<<20)"],
            "has flags this workbench must understand",
        ),
        (&["-DODD_SIZE=24"], "table is too small"),
        (&["-DODD_STRIDE=8"], "makes no sense"),
        (&["-DODD_COUNT=0"], "has no agents"),
        (&["-DODD_SPEC=\"{\""], "spec of the agent for stage \"one\""),
        (&["-DODD_SECOND=\"one\""], "two agents for stage \"one\""),
        (
            &["-DODD_RUN=NULL", "-Wno-unused-function"],
            "has no function",
        ),
        (&["-DODD_ENTRY=other_name"], "no function `wb_agent_module`"),
        (&["-DODD_NULL"], "returned nothing"),
    ];
    for (options, expected) in rows {
        let text = refuse(options);
        assert!(text.contains(expected), "{options:?}: {text}");
    }
}

#[test]
fn unknown_low_flags_are_ignored_and_a_larger_stride_is_walked() {
    let mut desk = Desk::new();
    let library = desk.path("libodd.so");
    // Two entries of 64 bytes seen as one of 128.
    let options = [
        "-DODD_FLAGS=(1u<<9)",
        "-DODD_COUNT=1",
        "-DODD_STRIDE=(2*sizeof(wb_agent))",
    ];
    compile("odd.c", &library, &options);
    desk.hosts.watch(library);
    let agents = desk.probed().descriptor.agents;
    assert_eq!(agents.len(), 1);
    assert_eq!(agents[0].flags, 1 << 9);
}

#[test]
fn code_that_runs_at_opening_may_crash_leave_or_hang() {
    let text = refuse(&["-DODD_CONSTRUCTOR=abort()"]);
    assert!(text.contains("SIGABRT"), "{text}");
    let text = refuse(&["-DODD_CONSTRUCTOR=*(volatile int*)0=1"]);
    assert!(text.contains("SIGSEGV"), "{text}");
    let text = refuse(&["-DODD_CONSTRUCTOR=if(on)exit(0)"]);
    assert!(text.contains("exit(0)"), "{text}");
    let text = refuse(&["-DODD_INIT"]);
    assert!(text.contains("`init` failed: no licence here"), "{text}");
    let text = refuse(&["-DODD_UNDEFINED"]);
    assert!(text.contains("undefined symbol: not_there"), "{text}");

    let mut desk = Desk::with(|config| config.load_timeout = Duration::from_millis(300));
    let library = desk.path("libodd.so");
    compile("odd.c", &library, &["-DODD_CONSTRUCTOR=while(on){}"]);
    desk.hosts.watch(library);
    let (reason, _) = desk.rejected();
    assert!(reason.contains("took longer than 300ms"), "{reason}");
}

#[test]
fn files_that_are_not_whole_libraries_for_this_machine_are_refused_unopened() {
    let dir = tempfile::tempdir().unwrap();
    let good = good_file(dir.path());
    assert_eq!(refuse_file(b""), "the file is empty");
    assert!(refuse_file(&good[..64]).contains("cut off"));
    for percent in [10, 50, 99] {
        let cut = &good[..good.len() * percent / 100];
        assert!(refuse_file(cut).contains("cut off"), "{percent} %");
    }
    assert!(refuse_file(&vec![0; good.len()]).contains("no ELF header"));
    assert!(refuse_file(b"#!/bin/sh\n").contains("no ELF header"));
    let mut other = good.clone();
    other[18] ^= 0x55;
    assert!(refuse_file(&other).contains("another kind of machine"));
    let mut narrow = good.clone();
    narrow[4] = 1;
    assert!(refuse_file(&narrow).contains("32-bit"));
}

#[test]
fn damage_that_only_the_loader_meets_costs_a_probe() {
    let dir = tempfile::tempdir().unwrap();
    let good = good_file(dir.path());
    let section = |name: &str| {
        use object::read::elf::ElfFile64;
        use object::{Object, ObjectSection};
        let file = ElfFile64::<object::Endianness>::parse(good.as_slice()).unwrap();
        let (at, len) = file.section_by_name(name).unwrap().file_range().unwrap();
        at as usize..(at + len) as usize
    };
    let mut zeroed = good.clone();
    zeroed[section(".text")].fill(0);
    let mut random = good.clone();
    for (n, byte) in random[section(".dynamic")].iter_mut().enumerate() {
        *byte = (n * 31 + 7) as u8;
    }
    for content in [zeroed, random] {
        let reason = refuse_file(&content);
        assert!(
            reason.contains("failed") || reason.contains("cannot be opened"),
            "{reason}"
        );
    }
}

#[test]
fn a_bad_rebuild_leaves_the_last_good_build_active() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let library = desk.path("libhostile.so");
    let good = std::fs::read(&library).unwrap();
    std::fs::write(&library, &good[..good.len() / 2]).unwrap();
    let (reason, _) = desk.rejected();
    assert!(reason.contains("cut off"), "{reason}");
    desk.assert_next_task_runs(build);
    std::fs::remove_file(&library).unwrap();
    desk.wait(|event| matches!(event, HostEvent::Removed { .. }).then_some(()));
    // A fresh host opens the copy, not the file that is gone.
    let job = desk.start(build, "aborts", None);
    desk.done(job);
    desk.assert_next_task_runs(build);
}

#[test]
fn a_library_that_did_not_change_is_given_again_when_it_is_asked_for() {
    let mut desk = Desk::new();
    let build = desk.hostile();
    let library = desk.path("libhostile.so");
    desk.hosts.look_again(library.clone());
    let again = desk.probed();
    assert_eq!(again.library, library);
    desk.assert_next_task_runs(build);
}

#[test]
fn a_library_in_a_folder_is_found_when_it_appears() {
    let mut desk = Desk::new();
    let folder = desk.path("agents");
    desk.hosts.watch(folder.clone());
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("notes.txt"), "no library").unwrap();
    compile("hostile.c", &folder.join("libnew.so"), &[]);
    let probed = desk.probed();
    assert_eq!(probed.library, folder.join("libnew.so"));
    desk.hosts.activate(BuildId(1), &probed);
    assert_eq!(
        desk.run(BuildId(1), "answer"),
        outcome(r#"{"route":"one"}"#)
    );
}

#[test]
fn a_program_that_is_not_a_host_is_reported_and_not_restarted_for_ever() {
    let mut desk = Desk::with(|config| config.exe = "/bin/true".into());
    let library = desk.path("libodd.so");
    compile("odd.c", &library, &[]);
    desk.hosts.watch(library);
    let (reason, _) = desk.rejected();
    assert!(reason.contains("no process could be started"), "{reason}");
}
