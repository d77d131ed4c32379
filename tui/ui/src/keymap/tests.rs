//! Patches, sets, clashes and unknown names.

use super::*;

fn patch(screen: Option<&str>, action: &str, keys: &[&str]) -> Patch {
    let screen_part = screen.map_or_else(String::new, |s| format!("{s}."));
    Patch {
        place: format!("w.toml: keys.{screen_part}{action}"),
        screen: screen.map(str::to_owned),
        action: action.to_owned(),
        keys: keys.iter().map(|k| (*k).to_owned()).collect(),
    }
}

#[test]
fn no_set_gives_a_key_two_actions_in_one_place() {
    for (name, _) in SETS {
        let (map, warnings) = Keymap::new(Some((name, "w.toml")), &[]);
        assert_eq!(warnings, [""; 0]);
        for a in &map.bindings {
            for b in &map.bindings {
                let same = a.scope == b.scope && a.key == b.key;
                assert!(!same || a.action == b.action, "{name}: {a:?} and {b:?}");
            }
        }
    }
}

#[test]
fn a_screens_key_takes_precedence_over_the_same_key_elsewhere() {
    let map = Keymap::default();
    let scopes = [Scope::Task, Scope::List, Scope::Global];
    assert_eq!(map.find("s", &scopes), Some(Action::StepOn));
    assert_eq!(map.find("q", &scopes), Some(Action::Quit));
    assert_eq!(map.find("ü", &scopes), None);
}

#[test]
fn a_patch_replaces_the_keys_of_an_action_and_nothing_else() {
    let patches = [patch(None, "review", &["f9"]), patch(None, "quit", &[])];
    let (map, warnings) = Keymap::new(None, &patches);
    assert_eq!(warnings, [""; 0]);
    assert_eq!(map.keys_of(Action::Review), ["F9"]);
    assert_eq!(map.find("v", &[Scope::Global]), None);
    assert_eq!(map.keys_of(Action::Quit), [""; 0]);
    assert_eq!(map.keys_of(Action::Builds), ["b"]);
}

#[test]
fn a_screens_table_adds_a_key_on_that_screen() {
    let (map, warnings) = Keymap::new(None, &[patch(Some("queue"), "review", &["F9"])]);
    assert_eq!(warnings, [""; 0]);
    let on = |scope| map.find("F9", &[scope, Scope::List, Scope::Global]);
    assert_eq!(
        (on(Scope::Queue), on(Scope::Flow)),
        (Some(Action::Review), None)
    );
    assert_eq!(map.keys_of(Action::Review), ["v"]);
}

#[test]
fn the_more_important_patch_counts() {
    let patches = [
        patch(None, "review", &["F9"]),
        patch(None, "review", &["F8"]),
    ];
    let (map, _) = Keymap::new(None, &patches);
    assert_eq!(map.keys_of(Action::Review), ["F9"]);
}

#[test]
fn unknown_names_are_warned_about_with_the_nearest_one() {
    let patches = [
        patch(None, "reveiw", &["F9"]),
        patch(Some("queu"), "review", &["F9"]),
        patch(None, "review", &["Strg-x"]),
    ];
    let (map, warnings) = Keymap::new(Some(("vimm", "w.toml: keys.set")), &patches);
    assert_eq!(
        warnings[0],
        "w.toml: keys.set: unknown set of keys \"vimm\"; did you mean \"vim\"?"
    );
    assert!(warnings[1].ends_with("unknown action \"reveiw\"; did you mean \"review\"?"));
    assert!(warnings[2].ends_with("unknown screen \"queu\"; did you mean \"queue\"?"));
    assert!(warnings[3].contains("unknown key \"Strg-x\""));
    assert_eq!(map.keys_of(Action::Review), ["v"]);
}

#[test]
fn a_clash_names_both_places() {
    let patches = [
        patch(None, "review", &["b"]),
        patch(None, "messages", &["F7"]),
        patch(None, "journal", &["F7"]),
    ];
    let (map, warnings) = Keymap::new(None, &patches);
    assert_eq!(
        warnings,
        [
            "w.toml: keys.journal: F7 is also the key of \"messages\" (w.toml: keys.messages)",
            "w.toml: keys.review: b is also the key of \"builds\" (default keys: builds)",
            "w.toml: keys.review: b is also the key of \"pause-point\" (default keys: pause-point)",
        ]
    );
    assert_eq!(map.find("b", &[Scope::Global]), Some(Action::Review));
}
