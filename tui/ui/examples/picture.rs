//! The screen on a made-up project as SVG: `cargo run -p wb-ui --example picture -- --theme light`.
//!
//! Options: `--theme NAME`, `--size 120x36`, `--screen flow|queue|task|run`, and `--key ACTION=KEY` for
//! each key that differs from the default keymap. `UPDATE_README=1 cargo test -p wb-ui readme` writes the
//! pictures of the documentation.

#[allow(dead_code, missing_docs, clippy::unwrap_used)]
#[path = "../src/fixture/mod.rs"]
mod fixture;

use fixture::picture::{Shown, picture};
use wb_ui::{Keymap, Patch, Screen, Theme, Ui, UiSettings, svg};

fn main() -> Result<(), String> {
    let mut shown = Shown::default();
    let mut patches = Vec::new();
    let mut words = std::env::args().skip(1);
    while let Some(option) = words.next() {
        let value = words.next().ok_or(format!("{option} needs a value"))?;
        let wrong = || format!("{option} {value}: not a value of this option");
        match option.as_str() {
            "--theme" => shown.theme = Theme::from_name(&value).ok_or_else(wrong)?,
            "--size" => {
                let (w, h) = value.split_once('x').ok_or_else(wrong)?;
                let number = |text: &str| text.parse().map_err(|_| wrong());
                shown.size = (number(w)?, number(h)?);
            }
            "--screen" => {
                shown.screen = match value.as_str() {
                    "flow" => Screen::Flow,
                    "queue" => Screen::Queue,
                    "task" => Screen::Task,
                    "run" => Screen::Run,
                    _ => return Err(wrong()),
                }
            }
            "--key" => {
                let (action, key) = value.split_once('=').ok_or_else(wrong)?;
                patches.push(fixture::picture::key(action, key));
            }
            _ => return Err(format!("unknown option {option}")),
        }
    }
    let (keymap, warnings) = Keymap::new(None, &patches);
    if let Some(warning) = warnings.into_iter().next() {
        return Err(warning);
    }
    print!("{}", picture(&shown, keymap));
    Ok(())
}
