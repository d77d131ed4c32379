//! `workbench new NAME --project-hash UUID`: stubs and names of a project, what the compiler makes of a name that the
//! project does not have, and what happens when the project changes.

use crate::support::{Server, command, root};
use serde_json::{Value, json};
use std::path::Path;
use std::process::{Command, Output};

fn text(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

fn in_crate(dir: &Path, server: &Server, args: &[&str]) -> Output {
    let output = command(dir).args(args).envs(server.env()).output();
    output.unwrap()
}

fn cargo(dir: &Path, goal: &str) -> Output {
    let mut cargo = Command::new("cargo");
    cargo.args([goal, "--offline", "--quiet"]).current_dir(dir);
    cargo.output().unwrap()
}

/// The finding about generated names in `check --json`.
fn names_of(check: &Output, file: &str) -> Value {
    let report: Value =
        serde_json::from_slice(&check.stdout).unwrap_or_else(|e| panic!("{e}: {}", text(check)));
    let mut findings = report["findings"].as_array().unwrap().iter();
    let about = |f: &&Value| f["check"] == "names" && f["message"].as_str().unwrap().contains(file);
    findings
        .find(about)
        .cloned()
        .unwrap_or_else(|| panic!("{report}"))
}

const AGENT: &str = "use crate::{ontology, pathways};
use agent_abi::prelude::*;

#[stage(\"Pre-label\")]
pub fn pre_label(labels: &mut LabelRow) -> Result<Route> {
    let all = labels.ontology();
    let vehicle = all.object(ontology::VEHICLE_VEHICLE1)?.bounding_box(0.1, 0.1, 0.2, 0.2)?;
    let vehicle = vehicle
        .answer(ontology::vehicle_vehicle1::COLOUR, ontology::vehicle_vehicle1::colour::RED)?
        .answer(ontology::vehicle_vehicle1::colour::red::SHADE, ontology::vehicle_vehicle1::colour::red::shade::DARK)?;
    labels.add(vehicle)?;
    labels.classify(ontology::WEATHER, ontology::weather::SUNNY)?;
    Ok(Route::to(pathways::pre_label::CHECK))
}
";

#[test]
fn a_crate_for_a_project_knows_its_names_and_what_is_misspelt_does_not_compile() {
    let parent = tempfile::tempdir().unwrap();
    let world = root().join("tests/fixtures/six_stages.json");
    let server = Server::start(&["--scenario-file", world.to_str().unwrap()]);
    let project = server.project();
    let made = in_crate(
        parent.path(),
        &server,
        &["new", "street", "--project-hash", &project],
    );
    assert!(made.status.success(), "{}", text(&made));
    let dir = parent.path().join("street");
    for file in [
        "pre_label",
        "quality_check_2",
        "ontology_60110000",
        "type_",
        "prüfung",
        "priority",
    ] {
        assert!(
            dir.join(format!("src/{file}.rs")).is_file(),
            "{file}: {}",
            text(&made)
        );
    }
    // As it comes: it passes its tests, builds without a warning, and loads.
    for goal in ["test", "build"] {
        let output = cargo(&dir, goal);
        assert!(output.status.success(), "{goal}: {}", text(&output));
        assert!(!text(&output).contains("warning"), "{}", text(&output));
    }
    let check = in_crate(&dir, &server, &["check", "--json"]);
    assert_eq!(check.status.code(), Some(0), "{}", text(&check));
    for file in ["ontology.rs", "pathways.rs"] {
        assert_eq!(names_of(&check, file)["ok"], true);
    }
    // Its names are what the agent's functions take.
    std::fs::write(dir.join("src/pre_label.rs"), AGENT).unwrap();
    let output = cargo(&dir, "build");
    assert!(output.status.success(), "{}", text(&output));
    let run = in_crate(
        &dir,
        &server,
        &[
            "run",
            "--dry-run",
            "--stage",
            "Pre-label",
            "--progress",
            "none",
        ],
    );
    assert_eq!(run.status.code(), Some(0), "{}", text(&run));
    // A misspelt option, class or pathway is an error of the compiler, with the nearest name.
    for (right, wrong) in [
        ("colour::RED", "colour::RDE"),
        ("ontology::WEATHER", "ontology::WHETHER"),
        ("pre_label::CHECK", "pre_label::CHEKC"),
    ] {
        std::fs::write(dir.join("src/pre_label.rs"), AGENT.replace(right, wrong)).unwrap();
        let output = cargo(&dir, "build");
        assert!(!output.status.success());
        let (_, wrong) = wrong.split_once("::").unwrap();
        let error = text(&output);
        assert!(
            error.contains(&format!("cannot find value `{wrong}`")),
            "{error}"
        );
    }
    std::fs::write(dir.join("src/pre_label.rs"), AGENT).unwrap();
    drifts(&dir, &server);
}

/// The project changes, and the crate follows.
fn drifts(dir: &Path, server: &Server) {
    let renamed = server.post(
        "/local/rename",
        &json!({"id": "Red00001", "name": "Crimson"}),
    );
    assert_eq!(renamed["renamed"], 1);
    let check = in_crate(dir, server, &["check", "--json"]);
    assert_eq!(check.status.code(), Some(3), "{}", text(&check));
    let finding = names_of(&check, "ontology.rs");
    assert_eq!(finding["ok"], false);
    let now = "vehicle_vehicle1::colour::RED (\"Red\") is now ontology::vehicle_vehicle1::colour::CRIMSON (\"Crimson\")";
    assert!(
        finding["details"]
            .to_string()
            .replace('\\', "")
            .contains(now),
        "{finding}"
    );
    assert!(
        finding["fix"]
            .as_str()
            .unwrap()
            .contains("--refresh-ontology")
    );
    // From a folder within the crate too.
    let refreshed = in_crate(
        &dir.join("src"),
        server,
        &["new", "--refresh-ontology", "--config", "../workbench.toml"],
    );
    assert!(refreshed.status.success(), "{}", text(&refreshed));
    for line in [
        now,
        "src/ontology.rs: 1 renamed",
        "src/pathways.rs: up to date",
    ] {
        assert!(
            text(&refreshed).contains(line),
            "{line}: {}",
            text(&refreshed)
        );
    }
    let check = in_crate(dir, server, &["check", "--json"]);
    assert_eq!(names_of(&check, "ontology.rs")["ok"], true);
    let output = cargo(dir, "build");
    assert!(
        text(&output).contains("cannot find value `RED`"),
        "{}",
        text(&output)
    );
    // What somebody wrote is not replaced.
    std::fs::write(dir.join("src/ontology.rs"), "pub const MINE: u8 = 1;").unwrap();
    let refused = in_crate(dir, server, &["new", "--refresh-ontology"]);
    assert_eq!(refused.status.code(), Some(8), "{}", text(&refused));
    let kept = std::fs::read_to_string(dir.join("src/ontology.rs")).unwrap();
    assert_eq!(kept, "pub const MINE: u8 = 1;");
}
