//! Builds with the real cargo and shell, and what is watched for them.

use super::source::{dependencies, with_messages};
use super::*;
use crate::library::Library;
use wb_core::event::{BuildEvent, CompileFailure};

fn write(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

#[test]
fn names_with_blanks_in_dep_info_are_one_file() {
    let text = "/t/lib a.so: /src/my\\ agents/lib.rs /src/b.rs\n\n/src/b.rs:\n";
    let files = ["/src/my agents/lib.rs", "/src/b.rs"].map(PathBuf::from);
    assert_eq!(dependencies(text), files);
}

#[test]
fn a_saved_source_is_a_change_and_build_output_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    write(&at("Cargo.toml"), "[package]");
    write(&at("src/lib.rs"), "");
    write(&at("elsewhere/other.rs"), "");
    write(
        &at("target/debug/libx.d"),
        &format!("x: {}\n", at("elsewhere/other.rs").display()),
    );
    let library = Library {
        path: at(&format!("target/debug/libx.{}", crate::library::ENDING)),
        package: Some("x".into()),
        twins: Vec::new(),
    };
    let paths = [dir.path().to_owned(), at("src")];
    let sources = Source::among(&BuildSetting::Cargo, None, &paths, &[library]);
    assert_eq!(
        sources.len(),
        1,
        "a folder without a manifest is not a crate"
    );
    let first = sources[0].scan().stamps;
    write(&at("target/debug/build/out.rs"), "x");
    write(&at(".workbench/x.toml"), "x");
    write(&at("workbench.toml"), "rate = 1");
    assert_eq!(sources[0].scan().stamps, first);
    for file in [
        "src/lib.rs",
        "elsewhere/other.rs",
        "Cargo.toml",
        "src/new.rs",
    ] {
        write(&at(file), "// longer than before");
        assert_ne!(sources[0].scan().stamps, first, "{file}");
    }
}

#[test]
fn manifests_of_path_dependencies_and_the_workspace_are_watched() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    for name in ["Cargo.toml", "agents/Cargo.toml", "helper/Cargo.toml"] {
        write(&at(name), "[package]");
    }
    write(&at("helper/src/lib.rs"), "");
    write(&at("helper/prompt.txt"), "");
    let files = ["helper/src/lib.rs", "helper/prompt.txt"].map(at);
    let [lib, prompt] = files.each_ref().map(|path| path.display());
    write(&at("target/debug/libx.d"), &format!("x: {lib} {prompt}\n"));
    let library = Library {
        path: at(&format!("target/debug/libx.{}", crate::library::ENDING)),
        package: Some("x".into()),
        twins: Vec::new(),
    };
    let sources = Source::among(&BuildSetting::Cargo, None, &[at("agents")], &[library]);
    let scan = sources[0].scan();
    for name in ["Cargo.toml", "helper/Cargo.toml", "helper/prompt.txt"] {
        assert!(scan.stamps.contains_key(&at(name)), "{name}");
    }
    for name in ["", "agents", "helper", "helper/src"] {
        let folder = dir.path().join(name);
        assert!(scan.folders.iter().any(|f| *f == folder), "{name}");
    }
    assert!(!scan.folders.contains(&at("target/debug")));
}

#[tokio::test]
async fn a_file_that_replaces_another_wakes_the_watcher_and_reading_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    write(&at("lib.rs"), "old");
    let mut watcher = FileWatcher::start();
    let folders = BTreeSet::from([dir.path().to_owned()]);
    assert!(watcher.watch(folders.clone()));
    assert!(!watcher.watch(folders), "the same folders");
    std::fs::read(at("lib.rs")).unwrap();
    assert!(watcher.changes.try_recv().is_err());
    // As editors save: a new file takes the place of the old one.
    write(&at("lib.rs~"), "new");
    std::fs::rename(at("lib.rs~"), at("lib.rs")).unwrap();
    assert_eq!(watcher.changes.recv().await, Some(()));
}

async fn compiled(events: &mut Receiver<Event>) -> Result<u64, CompileFailure> {
    let deadline = Duration::from_secs(60);
    loop {
        let event = timeout(deadline, events.recv()).await.unwrap().unwrap();
        if let Event::Build(BuildEvent::Compiled { result }) = event {
            return result;
        }
    }
}

#[tokio::test]
async fn a_saved_file_is_built_and_its_error_has_a_place() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    write(
        &at("Cargo.toml"),
        "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n",
    );
    write(&at("src/lib.rs"), "pub fn a() {}");
    let sources = Source::among(&BuildSetting::Cargo, None, &[dir.path().to_owned()], &[]);
    let (news, mut events) = channel(1000);
    let builder = Builder::start(sources, news);
    assert!(compiled(&mut events).await.is_ok());
    write(&at("src/lib.rs~"), "pub fn a() -> u8 { \"\" }");
    std::fs::rename(at("src/lib.rs~"), at("src/lib.rs")).unwrap();
    let failure = compiled(&mut events).await.unwrap_err();
    let first = failure.first.as_deref();
    assert_eq!(first, Some("src/lib.rs:1:20: mismatched types"));
    assert!(
        failure.messages.contains("could not compile"),
        "{failure:?}"
    );
    builder.stop().await;
}

#[test]
fn cargo_in_a_command_is_asked_for_its_messages_where_they_reach_us() {
    let flags = " --color never --message-format json";
    for (line, with) in [
        (
            "cargo build --release",
            format!("cargo build{flags} --release"),
        ),
        (
            " cargo +nightly b && strip x",
            format!(" cargo +nightly b{flags} && strip x"),
        ),
        (
            "RUSTFLAGS=-g cargo build",
            format!("RUSTFLAGS=-g cargo build{flags}"),
        ),
    ] {
        assert_eq!(with_messages(line), with);
    }
    for line in [
        "make",
        "cargo",
        "cargo test build",
        "echo cargo build",
        "cargo build | tee log",
        "cargo build > log",
        "cargo build --message-format short",
        "A='x y' cargo build",
    ] {
        assert_eq!(with_messages(line), line);
    }
}

/// A folder with a Makefile, and a build command that runs in it.
fn made(
    makefile: &str,
    files: &[&str],
    watch: Option<&[&str]>,
) -> (tempfile::TempDir, Vec<Source>) {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("Makefile"), makefile);
    for file in files {
        write(&dir.path().join(file), "");
    }
    let setting = BuildSetting::new(BuildWord::Command("make -s".into()), dir.path());
    let patterns = watch.map(|all| all.iter().map(|p| (*p).to_owned()).collect());
    let globs = patterns.map(|all| WatchGlobs::new(all, dir.path()).unwrap());
    let sources = Source::among(&setting, globs.as_ref(), &[dir.path().to_owned()], &[]);
    (dir, sources)
}

#[tokio::test]
async fn a_command_runs_in_its_folder_whenever_a_watched_file_is_saved() {
    let makefile = "all:\n\t@echo in $$(pwd)\n\tcat src/a.c\n\t@test ! -s src/a.c\n";
    let (dir, sources) = made(makefile, &["src/a.c", "src/a.txt"], Some(&["src/*.c"]));
    let (news, mut events) = channel(1000);
    let builder = Builder::start(sources, news);
    assert!(compiled(&mut events).await.is_ok());
    write(&dir.path().join("src/a.txt"), "nobody watches this");
    write(&dir.path().join("src/a.c"), "a.c:3:7: error: no\u{e9}!\n");
    let failure = compiled(&mut events).await.unwrap_err();
    assert_eq!(failure.first.as_deref(), Some("a.c:3:7: no\u{e9}!"));
    let folder = dir.path().canonicalize().unwrap();
    for text in [
        format!("in {}\n", folder.display()),
        "`make -s` ended with exit status: 2\n".to_owned(),
    ] {
        assert!(failure.messages.contains(&text), "{}", failure.messages);
    }
    builder.stop().await;
}

#[tokio::test]
async fn a_watched_file_that_the_build_writes_itself_does_not_start_it_for_ever() {
    let makefile = "all:\n\tdate +%N >> log\n\techo 1 > src/made.c\n";
    let (dir, sources) = made(makefile, &["src/made.c"], Some(&["src/*.c"]));
    let (news, mut events) = channel(1000);
    let builder = Builder::start(sources, news);
    for _ in 0..2 {
        assert!(compiled(&mut events).await.is_ok());
    }
    // What a person saves is still built: it is the third build, not one of an endless row.
    write(&dir.path().join("src/new.c"), "");
    assert!(compiled(&mut events).await.is_ok());
    let builds = std::fs::read_to_string(dir.path().join("log")).unwrap();
    assert_eq!(builds.lines().count(), 3, "{builds}");
    builder.stop().await;
}

#[tokio::test]
async fn a_command_without_watch_warns_which_files_are_watched() {
    let (dir, sources) = made("all:\n\t@true\n", &["src/a.c", "src/a.o"], None);
    let files: Vec<_> = sources[0].scan().stamps.into_keys().collect();
    assert_eq!(
        files,
        ["Makefile", "src/a.c"].map(|file| dir.path().join(file))
    );
    let (news, mut events) = channel(1000);
    let builder = Builder::start(sources, news);
    let Some(Event::Build(BuildEvent::Warning(text))) = events.recv().await else {
        panic!("no warning");
    };
    assert!(text.contains("*.c") && text.contains("watch = ["), "{text}");
    builder.stop().await;
}

#[tokio::test]
async fn a_build_that_is_stopped_ends_with_all_that_it_started() {
    let makefile = "all:\n\tsh -c 'trap \"\" TERM; echo begun; exec sleep 1000' & wait\n";
    let (_dir, sources) = made(makefile, &["a.c"], Some(&["a.c"]));
    let (news, mut events) = channel(1000);
    let builder = Builder::start(sources, news);
    let deadline = Duration::from_secs(60);
    loop {
        let event = timeout(deadline, events.recv()).await.unwrap().unwrap();
        if matches!(&event, Event::Build(BuildEvent::Compiling { line }) if line == "begun") {
            break;
        }
    }
    builder.stop().await;
    // Its output is closed only when everything that could write to it is gone.
    assert_eq!(timeout(deadline, events.recv()).await, Ok(None));
}

#[tokio::test]
async fn cargo_in_a_command_reports_errors_with_their_place_and_where_libraries_are() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    write(
        &at("Cargo.toml"),
        "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n\
         [features]\nx = []\n[workspace]\n[profile.fast]\ninherits = \"dev\"\n",
    );
    write(
        &at("src/lib.rs"),
        "#[cfg(not(feature = \"x\"))] compile_error!(\"no x\");",
    );
    let line = "cargo build --profile fast --features x --target-dir ../elsewhere";
    let line = line.replace(
        "../elsewhere",
        at("else where")
            .to_str()
            .unwrap()
            .replace(' ', "\\ ")
            .as_str(),
    );
    let setting = BuildSetting::new(BuildWord::Command(line), dir.path());
    let paths = [dir.path().to_owned()];
    let libraries = crate::library::find(&paths).unwrap();
    let sources = Source::among(&setting, None, &paths, &libraries);
    let (news, mut events) = channel(1000);
    let builder = Builder::start(sources, news);
    let name = format!(
        "{}a.{}",
        std::env::consts::DLL_PREFIX,
        crate::library::ENDING
    );
    loop {
        let event = timeout(Duration::from_secs(60), events.recv())
            .await
            .unwrap()
            .unwrap();
        match event {
            Event::Build(BuildEvent::Written { library, place }) => {
                assert_eq!(library, libraries[0].path);
                assert_eq!(place, at("else where/fast").join(&name));
                break;
            }
            Event::Build(BuildEvent::Compiled { result }) => assert!(result.is_ok(), "{result:?}"),
            _ => {}
        }
    }
    write(&at("src/lib.rs"), "fn a() -> u8 { \"\" }");
    let failure = compiled(&mut events).await.unwrap_err();
    assert_eq!(
        failure.first.as_deref(),
        Some("src/lib.rs:1:16: mismatched types")
    );
    builder.stop().await;
}

#[tokio::test]
async fn a_crate_is_found_where_its_own_settings_have_it_built() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name);
    let rustc = std::process::Command::new("rustc").arg("-vV").output();
    let facts = String::from_utf8(rustc.unwrap().stdout).unwrap();
    let host = facts.lines().find_map(|line| line.strip_prefix("host: "));
    write(
        &at(".cargo/config.toml"),
        &format!(
            "[build]\ntarget = \"{}\"\ntarget-dir = \"out\"\n",
            host.unwrap()
        ),
    );
    write(
        &at("Cargo.toml"),
        "[package]\nname = \"a\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[lib]\ncrate-type = [\"cdylib\"]\n[workspace]\n",
    );
    write(&at("src/lib.rs"), "");
    let paths = [dir.path().to_owned()];
    let libraries = crate::library::find(&paths).unwrap();
    assert!(!libraries[0].path.exists());
    let sources = Source::among(&BuildSetting::Cargo, None, &paths, &libraries);
    let (news, mut events) = channel(1000);
    let builder = Builder::start(sources, news);
    assert!(compiled(&mut events).await.is_ok());
    assert!(libraries[0].path.is_file(), "{libraries:?}");
    builder.stop().await;
}
