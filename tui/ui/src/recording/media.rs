//! Pictures, texts and sounds in a recording: what people send with a report of a fault has none, unless they ask for it.

use crate::picture::{Medium, Shot, Sound, TextFile};
use crate::raster::Picture;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use image::{ExtendedColorType, ImageEncoder, ImageFormat};
use serde::de::Error as _;
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::Arc;

/// What is shown in place of a picture that is not in the recording.
pub const NOT_RECORDED: &str = "picture not recorded";

/// What the file of a task holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // as in `Medium`
pub enum RecordedMedium {
    Pictures(u64),
    Text(String),
    Sound {
        ms: u64,
        peaks: Vec<u8>,
        why: Option<String>,
    },
    Listed(String),
}

impl RecordedMedium {
    /// The medium; without `whole` nothing of what it shows.
    ///
    /// # Errors
    /// What is shown instead.
    pub fn of(medium: &Medium, whole: bool) -> Result<Self, String> {
        Ok(match medium {
            Medium::Pictures { count } => Self::Pictures(*count),
            Medium::Listed { why } => Self::Listed(why.clone()),
            Medium::Text(_) if !whole => return Err("text not recorded".into()),
            Medium::Sound(_) if !whole => return Err("sound not recorded".into()),
            Medium::Text(file) => Self::Text(file.text.as_ref().to_owned()),
            Medium::Sound(sound) => Self::Sound {
                ms: sound.ms,
                peaks: sound.peaks.clone(),
                why: sound.why.clone(),
            },
        })
    }
}

impl From<RecordedMedium> for Medium {
    fn from(medium: RecordedMedium) -> Self {
        match medium {
            RecordedMedium::Pictures(count) => Self::Pictures { count },
            RecordedMedium::Listed(why) => Self::Listed { why },
            RecordedMedium::Text(text) => Self::Text(TextFile { text: text.into() }),
            RecordedMedium::Sound { ms, peaks, why } => Self::Sound(Sound { ms, peaks, why }),
        }
    }
}

/// A decoded picture; in a file it is a PNG in base64.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordedShot {
    at_us: Option<i64>,
    #[serde(with = "png")]
    png: Arc<Picture>,
}

impl RecordedShot {
    /// The picture; without `whole` it is left out.
    ///
    /// # Errors
    /// What is shown instead.
    pub fn of(shot: &Shot, whole: bool) -> Result<Self, String> {
        match whole {
            false => Err(NOT_RECORDED.to_owned()),
            true => Ok(Self {
                at_us: shot.at_us,
                png: Arc::new(shot.picture.clone()),
            }),
        }
    }
}

impl From<RecordedShot> for Shot {
    fn from(shot: RecordedShot) -> Self {
        Self {
            picture: Arc::unwrap_or_clone(shot.png),
            at_us: shot.at_us,
        }
    }
}

/// Pixels as text.
mod png {
    use super::*;

    pub fn serialize<S: Serializer>(picture: &Arc<Picture>, to: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::new();
        let encoder = image::codecs::png::PngEncoder::new(&mut bytes);
        let (w, h) = (picture.width, picture.height);
        encoder
            .write_image(&picture.rgb, w, h, ExtendedColorType::Rgb8)
            .map_err(S::Error::custom)?;
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Arc<Picture>, D::Error> {
        let text = String::deserialize(from)?;
        let bytes = STANDARD.decode(text).map_err(D::Error::custom)?;
        let image = image::load_from_memory_with_format(&bytes, ImageFormat::Png);
        let image = image.map_err(D::Error::custom)?.into_rgb8();
        Ok(Arc::new(Picture {
            width: image.width(),
            height: image.height(),
            rgb: image.into_raw(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shot() -> Shot {
        Shot {
            picture: Picture {
                width: 2,
                height: 1,
                rgb: vec![1, 2, 3, 250, 0, 9],
            },
            at_us: Some(40_000),
        }
    }

    #[test]
    fn pictures_texts_and_sounds_are_left_out_unless_they_are_asked_for() {
        assert_eq!(RecordedShot::of(&shot(), false), Err(NOT_RECORDED.into()));
        let text = Medium::Text(TextFile {
            text: "of a customer".into(),
        });
        assert!(RecordedMedium::of(&text, false).is_err());
        let sound = Medium::Sound(Sound {
            ms: 1,
            peaks: vec![9],
            why: None,
        });
        assert!(RecordedMedium::of(&sound, false).is_err());
        for medium in [text, sound, Medium::Pictures { count: 7 }] {
            let json = serde_json::to_string(&RecordedMedium::of(&medium, true).unwrap()).unwrap();
            let again: RecordedMedium = serde_json::from_str(&json).unwrap();
            assert_eq!(Medium::from(again), medium);
        }
    }

    #[test]
    fn a_picture_comes_back_to_the_pixel() {
        let json = serde_json::to_string(&RecordedShot::of(&shot(), true).unwrap()).unwrap();
        let again: RecordedShot = serde_json::from_str(&json).unwrap();
        assert_eq!(Shot::from(again), shot());
    }
}
