//! What a screen starts with, as the settings and the terminal have it.

use super::{KEPT_BUILDS, Opening};
use crate::appearance::Appearance;
use crate::cli::Global;
use crate::terminal;
use wb_core::state::Options;
use wb_engine::config::Config;
use wb_engine::upstream;
use wb_ui::{Graphics, UiSettings};

/// Colours, keys and characters as settings and terminal have them.
pub fn ui_settings(global: &Global, appearance: &Appearance) -> UiSettings {
    let var = |name: &str| std::env::var(name).ok();
    let unicode = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|n| var(n).filter(|v| !v.is_empty()));
    UiSettings {
        styles: appearance.styles(global.plain),
        keymap: appearance.keymap().0,
        utc_offset_s: offset_s(),
        unicode: unicode.is_none_or(|l| l.to_uppercase().contains("UTF")),
        linear: terminal::is_linear(global.plain),
        graphics: Graphics::default(),
        seen_cards: None,
    }
}

/// What the state starts with: parts of the opening go there.
pub fn options(
    global: &Global,
    config: &Config,
    opening: &mut Opening,
    keeps_held: bool,
) -> Options {
    Options {
        keeps_held,
        upstream: std::mem::take(&mut opening.upstream.name),
        level: config.level.as_ref().map(|l| l.value),
        confirm: global.confirm.first().cloned(),
        read_only: opening.upstream.writer.is_none(),
        dry_run: true,
        agents: std::mem::take(&mut opening.named),
        specification: opening.specification.take(),
        screen: true,
        no_background: opening.no_background.take(),
        kept_builds: KEPT_BUILDS,
        timeout_ms: upstream::timeout_ms(None, config),
        rate: config.rate.as_ref().map(|r| r.value),
        on_duplicate: upstream::on_duplicate(None, config),
        ..Options::default()
    }
}

/// Seconds east of UTC, for the clock times on screen.
fn offset_s() -> i32 {
    jiff::ZonedDateTime::now().offset().seconds()
}
