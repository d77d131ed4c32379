//! What is shown of files without pictures: texts and sounds.

use super::bad::Bad;
use agent_abi::wire::AssetDoc;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use wb_media::{SoundError, waveform};
use wb_ui::{Medium, Sound, TextFile};

/// Bytes of a text that are shown.
const SHOWN: u64 = 128 << 10;

/// What the file holds, when it holds no pictures.
pub fn medium(asset: &AssetDoc) -> Result<Option<Medium>, Bad> {
    let mime = asset.mime_type.as_deref().unwrap_or_default();
    let path = Path::new(&asset.path);
    Ok(Some(match asset.item_type.to_ascii_lowercase().as_str() {
        "plaintext" | "text" => text(path, mime)?,
        "html" => text(path, "text/html")?,
        "audio" => Medium::Sound(sound(path)?),
        _ => return Ok(None),
    }))
}

fn bad(path: &Path, error: &std::io::Error) -> Bad {
    Bad {
        why: format!("cannot read {}: {error}", path.display()),
        file: Some(path.to_owned()),
    }
}

fn text(path: &Path, mime: &str) -> Result<Medium, Bad> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| bad(path, &error))?;
    let size = file.metadata().map_or(0, |facts| facts.len());
    let read = file.take(SHOWN).read_to_end(&mut bytes);
    read.map_err(|error| bad(path, &error))?;
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if mime.starts_with("text/html") {
        text = of_html(&text);
    }
    if size > SHOWN {
        text.push_str(&format!("\n… the first {} kB are shown", SHOWN >> 10));
    }
    Ok(Medium::Text(TextFile { text: text.into() }))
}

fn sound(path: &Path) -> Result<Sound, Bad> {
    match waveform(path) {
        Ok(sound) => Ok(Sound {
            ms: sound.ms,
            peaks: sound.peaks,
            why: None,
        }),
        Err(SoundError::Io { source, .. }) => Err(bad(path, &source)),
        // The ranges are shown all the same.
        Err(error) => Ok(Sound {
            ms: 0,
            peaks: Vec::new(),
            why: Some(error.to_string()),
        }),
    }
}

/// What a person reads of a page: without tags, scripts and styles; blocks begin on new lines.
fn of_html(page: &str) -> String {
    const BLOCKS: [&str; 14] = [
        "p", "div", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "section",
        "title",
    ];
    let mut out = String::new();
    let mut rest = page;
    while let Some(at) = rest.find('<') {
        words(&rest[..at], &mut out);
        let tag = &rest[at + 1..];
        let name: String = tag
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_lowercase())
            .collect();
        let end = if tag.starts_with("!--") {
            tag.find("-->").map(|end| end + 3)
        } else if ["script", "style"].contains(&name.as_str()) && !tag.starts_with('/') {
            let close = format!("</{name}");
            tag.to_ascii_lowercase().find(&close)
        } else {
            tag.find('>').map(|end| end + 1)
        };
        if BLOCKS.contains(&name.as_str()) && !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        rest = end.map_or("", |end| &tag[end..]);
    }
    words(rest, &mut out);
    out
}

/// Blanks of a page are one, and its entities are characters.
fn words(text: &str, out: &mut String) {
    let text = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (entity, letter)| {
        text.replace(entity, letter)
    });
    for letter in text.chars() {
        match letter.is_whitespace() {
            true if out.is_empty() || out.ends_with([' ', '\n']) => {}
            true => out.push(' '),
            false => out.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asset(path: &Path, item_type: &str) -> AssetDoc {
        AssetDoc {
            path: path.to_string_lossy().into_owned(),
            mime_type: None,
            item_type: item_type.to_owned(),
            title: "file".to_owned(),
            children: Vec::new(),
        }
    }

    #[test]
    fn a_page_is_read_as_text() {
        let page = "<!doctype html><title>Gate</title><style>p { color: red }</style>\n<p>5 &lt; 6\n  cars<br>and &amp;lt;<script>if (a < b) {}</script></p><!-- <p>not this -->.";
        assert_eq!(of_html(page), "Gate\n5 < 6 cars\nand &lt;\n.");
        assert_eq!(of_html("cut <b"), "cut ");
    }

    #[test]
    fn long_texts_are_cut_and_missing_files_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("long.txt");
        std::fs::write(&path, "x".repeat(200_000)).unwrap();
        let Ok(Some(Medium::Text(file))) = medium(&asset(&path, "plainText")) else {
            panic!("not a text");
        };
        assert!(file.text.len() < 140_000);
        assert!(file.text.ends_with("the first 128 kB are shown"));
        let missing = medium(&asset(&dir.path().join("none"), "plainText"));
        assert!(missing.is_err_and(|bad| bad.why.contains("none") && bad.file.is_some()));
    }

    #[test]
    fn a_sound_that_cannot_be_decoded_still_has_its_time_axis() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sound.mp3");
        std::fs::write(&path, "not a sound").unwrap();
        let Ok(Some(Medium::Sound(sound))) = medium(&asset(&path, "audio")) else {
            panic!("not a sound");
        };
        assert!(sound.peaks.is_empty() && sound.why.is_some());
    }
}
