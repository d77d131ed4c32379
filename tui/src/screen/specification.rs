//! The workflow specification of the settings: a file with the edges that the API does not report.

use wb_core::error::{Error, ErrorKind};
use wb_engine::config::Config;

/// Largest workflow specification, in bytes.
const SPECIFICATION: u64 = 64 << 20;

/// Reads the workflow specification, if one is named. Trailing commas are allowed.
///
/// # Errors
/// It cannot be read, or is not JSON.
pub fn specification(config: &Config) -> Result<Option<serde_json::Value>, Error> {
    let Some(value) = &config.workflow else {
        return Ok(None);
    };
    let path = &value.value;
    let bad = |why: String| {
        Error::new(
            ErrorKind::Settings,
            format!(
                "the workflow specification {} is not readable: {why}",
                path.display()
            ),
        )
    };
    let text = wb_host::read_named_text(path, SPECIFICATION).map_err(|e| bad(e.to_string()))?;
    serde_json::from_str(&wb_core::workflow::without_trailing_commas(&text))
        .map(Some)
        .map_err(|e| bad(e.to_string()))
}
