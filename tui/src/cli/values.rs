//! How values are written on the command line: durations, rates, limits. Each refusal says what to write.

use crate::journal::Keep;
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::time::Duration;
use wb_core::run::FailureLimit;
use wb_core::span;

/// `10` or `5%`.
pub(super) fn failures(text: &str) -> Result<FailureLimit, String> {
    let wrong = || "write a number of tasks, at least 1, or a percentage, e.g. 5%".to_owned();
    match text.strip_suffix('%') {
        Some(share) => match share.trim().parse::<f64>() {
            Ok(share) if share > 0.0 && share <= 100.0 => Ok(FailureLimit::Percent(share)),
            _ => Err(wrong()),
        },
        None => match text.parse() {
            Ok(n) if n > 0 => Ok(FailureLimit::Count(n)),
            _ => Err(wrong()),
        },
    }
}

pub(super) fn positive(text: &str) -> Result<usize, String> {
    match text.parse::<usize>() {
        Ok(0) => Err("must be at least 1".into()),
        Ok(n) => Ok(n),
        Err(_) => Err("must be a whole number, at least 1".into()),
    }
}

/// `250ms`, `30s`, `5m`, `1h30m`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    span::read(text).map(Duration::from_millis)
}

/// `2h`: a limit, or a time after which a command stops.
pub fn some_time(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("must be greater than zero, e.g. 30s".into()),
        time => Ok(time),
    }
}

/// `2GB`, `512MB`, `1.5GiB`; `none` is no limit.
pub fn size(text: &str) -> Result<u64, String> {
    if text.eq_ignore_ascii_case("none") {
        return Ok(u64::MAX);
    }
    let wrong = || "write a size such as 2GB or 512MB, or none".to_owned();
    let digits = text.trim_end_matches(char::is_alphabetic);
    let number: f64 = digits.trim_end().parse().map_err(|_| wrong())?;
    let unit = match text[digits.len()..].to_ascii_uppercase().as_str() {
        "MB" | "M" => 1e6,
        "GB" | "G" => 1e9,
        "TB" | "T" => 1e12,
        "MIB" => 1024.0 * 1024.0,
        "GIB" => 1024.0 * 1024.0 * 1024.0,
        "" => return Err(format!("write the unit: {text}GB or {text}MB, or none")),
        _ => return Err(wrong()),
    };
    let bytes = number * unit;
    if !(1e6..=1e18).contains(&bytes) {
        return Err("must be at least 1MB; to lift the limit: none".into());
    }
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // in range, as just seen
    Ok(bytes as u64)
}

/// `20` operations, or `30d`.
pub(super) fn keep(text: &str) -> Result<Keep, String> {
    let wrong = || "write how many are kept, e.g. 20, or their age, e.g. 30d or 12h".to_owned();
    if let Ok(n) = text.parse() {
        return Ok(Keep::Newest(n));
    }
    duration(text).map(Keep::Within).map_err(|_| wrong())
}

/// Paths with colons between them, as in `PATH`. A part that exists with its colons is one path, the longest
/// first; `\:` is a colon whatever exists.
pub fn paths(value: &Path) -> Vec<PathBuf> {
    let bytes = value.as_os_str().as_bytes();
    let (mut parts, mut part) = (Vec::new(), Vec::new());
    let mut left = bytes;
    while let Some((&first, rest)) = left.split_first() {
        left = rest;
        match (first, rest.first()) {
            (b'\\', Some(b':')) => {
                part.push(b':');
                left = &rest[1..];
            }
            (b':', _) => parts.push(std::mem::take(&mut part)),
            (byte, _) => part.push(byte),
        }
    }
    parts.push(part);
    let path = |parts: &[Vec<u8>]| PathBuf::from(OsString::from_vec(parts.join(&b':')));
    let mut found = Vec::new();
    let mut left = parts.as_slice();
    while !left.is_empty() {
        let several = (2..=left.len()).rev().find(|n| path(&left[..*n]).exists());
        let n = several.unwrap_or(1);
        found.push(path(&left[..n]));
        left = &left[n..];
    }
    found.retain(|path| !path.as_os_str().is_empty());
    found
}

pub(super) fn rate(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches("/s");
    match number.parse::<f64>() {
        Ok(n) if n > 0.0 && n.is_finite() => Ok(n),
        _ => Err("write requests a second, e.g. 20/s".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colon_parts_paths_unless_it_is_in_one_that_exists() {
        let dir = tempfile::tempdir().unwrap();
        let with = dir.path().join("a:b");
        std::fs::create_dir(&with).unwrap();
        std::fs::write(with.join("lib:x.so"), "").unwrap();
        let library = with.join("lib:x.so");
        let other = dir.path().join("other");
        let joined = |paths: &[&Path]| {
            let texts: Vec<_> = paths.iter().map(|p| p.to_str().unwrap()).collect();
            PathBuf::from(texts.join(":"))
        };
        assert_eq!(paths(&with), std::slice::from_ref(&with));
        assert_eq!(paths(&library), std::slice::from_ref(&library));
        assert_eq!(
            paths(&joined(&[&other, &library, &with])),
            [other.clone(), library, with]
        );
        assert_eq!(
            paths(Path::new("x:y")),
            [PathBuf::from("x"), PathBuf::from("y")]
        );
        assert_eq!(
            paths(Path::new("x\\:y:z")),
            [PathBuf::from("x:y"), PathBuf::from("z")]
        );
        assert_eq!(
            paths(Path::new("x::y:")),
            [PathBuf::from("x"), PathBuf::from("y")]
        );
    }

    #[test]
    fn sizes_and_limits_want_their_unit() {
        assert_eq!(size("2GB"), Ok(2_000_000_000));
        assert_eq!(size("1.5 GiB"), Ok(1_610_612_736));
        assert_eq!(size("512m"), Ok(512_000_000));
        assert_eq!(size("none"), Ok(u64::MAX));
        for text in [
            "2", "", "GB", "-1GB", "nan GB", "1e30GB", "10kB", "0GB", "2 apples",
        ] {
            assert!(size(text).is_err(), "{text}");
        }
        assert_eq!(some_time("5m"), Ok(Duration::from_secs(300)));
        assert!(some_time("30").unwrap_err().contains("30s"));
        assert!(some_time("0s").is_err());
    }

    #[test]
    fn durations_have_units_and_limits() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert!(some_time("0s").is_err() && some_time("1ms").is_ok());
        assert!(some_time("30").unwrap_err().contains("30s"));
        assert_eq!(keep("20"), Ok(Keep::Newest(20)));
        let days = Duration::from_secs(30 * 86400);
        assert_eq!(keep("30d"), Ok(Keep::Within(days)));
        assert!(keep("1.5").is_err() && keep("-1").is_err() && keep("soon").is_err());
        assert!(duration("2 fortnights").is_err() && duration("-1s").is_err());
    }
}
