//! Precedence of settings, and settings that are refused.

use super::*;

#[test]
fn a_flag_takes_precedence_over_a_file_and_paths_are_relative_to_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("workbench.toml");
    std::fs::write(
        &path,
        "project = \"from file\"\nagents = [\"agents\"]\n[params.pre-label]\nthreshold = 0.5\n",
    )
    .unwrap();
    let mut flags = Flags {
        config: Some(path),
        ..Flags::default()
    };
    let config = Config::load(&flags).unwrap();
    assert_eq!(config.project.unwrap().value, "from file");
    assert_eq!(config.agents.value, [dir.path().join("agents")]);
    assert_eq!(config.params["pre-label"]["threshold"], 0.5);
    flags.project_hash = Some("from flag".into());
    assert_eq!(
        Config::load(&flags).unwrap().project.unwrap().value,
        "from flag"
    );
}

#[test]
fn an_unknown_setting_is_named_with_its_line() {
    let error = parse(Path::new("w.toml"), "projct = \"x\"").unwrap_err();
    assert!(error.cause.as_ref().unwrap().contains("projct"));
}

#[test]
fn a_settings_file_that_is_there_and_cannot_be_read_is_never_passed_over() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("workbench.toml");
    std::fs::write(&path, b"level = \"protected\"\n# \xff\xfe\n").unwrap();
    for must in [true, false] {
        let error = read(&path, must).unwrap_err();
        assert!(error.summary.contains("workbench.toml"), "{error:?}");
    }
    assert!(read(&dir.path().join("none"), false).unwrap().is_none());
    assert!(read(&dir.path().join("none"), true).is_err());
}

#[test]
fn a_limit_that_limits_nothing_is_refused_with_its_file() {
    for line in ["rate = 0", "rate = nan"] {
        let error = parse(Path::new("w.toml"), line).unwrap_err();
        assert!(error.summary.starts_with("w.toml: "), "{error:?}");
    }
    let error = parse(Path::new("w.toml"), "timeout = 0.0").unwrap_err();
    assert!(error.summary.contains("w.toml"), "{error:?}");
    assert!(error.cause.as_ref().unwrap().contains("not a limit"));
    assert!(parse(Path::new("w.toml"), "rate = 0.5\ntimeout = 30").is_ok());
}
