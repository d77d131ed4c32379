//! Manifests of this workspace rewritten to stand alone, as `cargo package` does it: what a package inherits is
//! written out. What only its tests need is left out, so that it is neither resolved nor downloaded.

use toml::{Table, Value};
use wb_core::error::{Error, ErrorKind};

/// The manifest of a package whose folder is `package` in the workspace.
///
/// # Errors
/// The manifests cannot be read: the program file is damaged.
pub fn standalone(text: &str, workspace: &str, package: &str) -> Result<String, Error> {
    let (manifest, _) = inherited(text, workspace, package)?;
    Ok(written(&manifest))
}

/// The same as the root of a workspace of its own, with the profile for developing agents. Optional dependencies are
/// left out: cargo resolves them whether or not they are asked for, and then needs the network.
///
/// # Errors
/// As [`standalone`].
pub fn standalone_root(text: &str, workspace: &str, package: &str) -> Result<String, Error> {
    let (mut manifest, mut workspace) = inherited(text, workspace, package)?;
    if let Some(Value::Table(dependencies)) = manifest.get_mut("dependencies") {
        dependencies.retain(|_, d| d.get("optional").is_none());
    }
    let mut left_out = Vec::new();
    if let Some(Value::Table(features)) = manifest.get_mut("features") {
        features.retain(|name, needs| {
            let needs = needs.as_array().into_iter().flatten();
            let optional = needs
                .filter_map(Value::as_str)
                .any(|n| n.starts_with("dep:"));
            if optional {
                left_out.push(format!("{name:?}"));
            }
            !optional
        });
    }
    // The sources still ask for the features that are left out.
    let check = format!("cfg(feature, values({}))", left_out.join(", "));
    let lint = Table::from_iter([
        ("level".to_owned(), Value::from("warn")),
        ("check-cfg".to_owned(), Value::from(vec![check])),
    ]);
    let rust = Table::from_iter([("unexpected_cfgs".to_owned(), Value::Table(lint))]);
    let lints = Table::from_iter([("rust".to_owned(), Value::Table(rust))]);
    manifest.insert("lints".to_owned(), Value::Table(lints));
    manifest.insert("workspace".to_owned(), Value::Table(Table::new()));
    if let Some(Value::Table(mut profiles)) = workspace.remove("profile") {
        profiles.retain(|name, _| name == "dev");
        let packages = profiles
            .get_mut("dev")
            .and_then(|dev| dev.get_mut("package"));
        if let Some(Value::Table(packages)) = packages {
            packages.retain(|name, _| ["*", "serde_json"].contains(&name));
        }
        manifest.insert("profile".to_owned(), Value::Table(profiles));
    }
    Ok(written(&manifest))
}

/// The manifest with what it inherits, and that of the workspace.
fn inherited(text: &str, workspace: &str, package: &str) -> Result<(Table, Table), Error> {
    let parse = |text: &str| {
        text.parse::<Table>().map_err(|error| {
            let text = format!("the manifest of {package} in this program cannot be read: {error}");
            Error::new(ErrorKind::Settings, text)
        })
    };
    let (mut manifest, workspace) = (parse(text)?, parse(workspace)?);
    for left_out in ["dev-dependencies", "example", "bench", "lints"] {
        manifest.remove(left_out);
    }
    let shared = |table: &str| workspace.get("workspace").and_then(|w| w.get(table));
    if let Some(Value::Table(own)) = manifest.get_mut("package") {
        for (key, value) in own {
            if inherits(value)
                && let Some(found) = shared("package").and_then(|p| p.get(key))
            {
                *value = found.clone();
            }
        }
    }
    if let Some(Value::Table(own)) = manifest.get_mut("dependencies") {
        for (name, value) in own {
            if inherits(value)
                && let Some(found) = shared("dependencies").and_then(|d| d.get(name))
            {
                *value = dependency(value, found, package);
            }
        }
    }
    Ok((manifest, workspace))
}

fn inherits(value: &Value) -> bool {
    value.get("workspace").and_then(Value::as_bool) == Some(true)
}

/// A dependency as the workspace has it, with what the package adds; its path seen from the package.
fn dependency(own: &Value, shared: &Value, package: &str) -> Value {
    let mut merged = match shared {
        Value::Table(table) => table.clone(),
        version => Table::from_iter([("version".to_owned(), version.clone())]),
    };
    for (key, value) in own.as_table().into_iter().flatten() {
        match (key.as_str(), merged.get_mut(key), value) {
            ("workspace", ..) => {}
            ("features", Some(Value::Array(all)), Value::Array(more)) => {
                all.extend(more.iter().cloned());
            }
            _ => {
                merged.insert(key.clone(), value.clone());
            }
        }
    }
    if let Some(Value::String(path)) = merged.get_mut("path") {
        let inside = path.strip_prefix(package).and_then(|p| p.strip_prefix('/'));
        *path = match inside {
            Some(inside) => inside.to_owned(),
            None => format!("{}{path}", "../".repeat(package.split('/').count())),
        };
    }
    Value::Table(merged)
}

fn written(manifest: &Table) -> String {
    format!(
        "# Written by workbench {}, from the manifest of this crate in its workspace.\n{manifest}",
        super::VERSION
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_package_inherits_is_written_out() {
        let workspace = "[workspace.package]\nversion = \"1.2.3\"\n[workspace.dependencies]\n\
                         a = \"1\"\nb = { version = \"2\", features = [\"x\"] }\nc = { path = \"p/c\" }\n\
                         d = { path = \"d\" }\n[profile.dev.package.\"*\"]\ndebug = false\n[profile.dev.package.zip]\nopt-level = 1\n";
        let package = "[package]\nname = \"p\"\nversion.workspace = true\n[lints]\nworkspace = true\n\
                       [dependencies]\na.workspace = true\nb = { workspace = true, features = [\"y\"] }\nc.workspace = true\n\
                       d.workspace = true\ne = { version = \"5\", optional = true }\n[features]\nall = []\nhttp = [\"all\", \"dep:e\"]\n\
                       [dev-dependencies]\nz = \"1\"\n";
        let table: Table = standalone(package, workspace, "p")
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(table["package"]["version"].as_str(), Some("1.2.3"));
        let dependencies = &table["dependencies"];
        assert_eq!(dependencies["a"]["version"].as_str(), Some("1"));
        assert_eq!(dependencies["b"]["features"], Value::from(vec!["x", "y"]));
        assert_eq!(dependencies["c"]["path"].as_str(), Some("c"));
        assert_eq!(dependencies["d"]["path"].as_str(), Some("../d"));
        assert_eq!(dependencies["e"]["optional"].as_bool(), Some(true));
        assert!(!table.contains_key("lints") && !table.contains_key("dev-dependencies"));

        let root: Table = standalone_root(package, workspace, "p")
            .unwrap()
            .parse()
            .unwrap();
        assert!(root.contains_key("workspace"));
        assert_eq!(
            root["features"]
                .as_table()
                .unwrap()
                .keys()
                .collect::<Vec<_>>(),
            ["all"]
        );
        assert!(root["dependencies"].get("e").is_none());
        let packages = root["profile"]["dev"]["package"].as_table().unwrap();
        assert_eq!(packages.keys().collect::<Vec<_>>(), ["*"]);
        let check = &root["lints"]["rust"]["unexpected_cfgs"]["check-cfg"];
        assert_eq!(check, &Value::from(vec!["cfg(feature, values(\"http\"))"]));
    }
}
