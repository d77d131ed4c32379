//! The bytes of storage items: photographs and their crops, the clip, generated text, audio and PDF, local
//! files, and uploaded files. Access to them is controlled in `routes`.
//!
//! A media source is stored as a short text: `photo/0/17` (crop 17 of photograph 0),
//! `clip`, `clip/74`, `text/5`, `wav/5`, `mp3/5`, `pdf/2`, `file/<path>`, or `uploaded/<uuid>`.

mod made;
mod photos;
mod probe;
pub(crate) mod sequence;
pub(crate) mod upload;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use uuid::Uuid;

pub(crate) use photos::{CROPS, PHOTOS, is_dark, picture_size};

/// The clip: 320×180 pixels, 75 frames at 25 frames/s.
static CLIP: &[u8] = include_bytes!("../../media/bigbuckbunny-3s.mp4");
/// The same without its last frame, for code that steps through videos two frames at a time.
static EVEN_CLIP: &[u8] = include_bytes!("../../media/bigbuckbunny-74.mp4");

/// Prefix of partial uploads.
pub(crate) const PART: &str = ".part-";

/// Where an item's bytes come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum MediaSource {
    /// Photograph and crop; crop 0 is the whole photograph as it was taken.
    Photo(usize, u16),
    /// The short video.
    Clip,
    /// The short video with an even number of frames.
    EvenClip,
    /// A generated text, by number.
    Text(u64),
    /// A generated tone, by number.
    Wav(u64),
    /// Silence as MP3, by number of seconds.
    Mp3(u64),
    /// A generated PDF, by number of pages.
    Pdf(u64),
    /// A local file.
    File(PathBuf),
    /// An uploaded file, stored next to the database under this name.
    Uploaded(Uuid),
}

impl MediaSource {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once('/').unwrap_or((text, ""));
        let number = || rest.parse().ok();
        match kind {
            "photo" => {
                let (photo, crop) = rest.split_once('/')?;
                let photo = photo.parse().ok().filter(|p| *p < PHOTOS.len())?;
                let crop = crop.parse().ok().filter(|c| *c <= CROPS)?;
                Some(Self::Photo(photo, crop))
            }
            "clip" => match rest {
                "" => Some(Self::Clip),
                "74" => Some(Self::EvenClip),
                _ => None,
            },
            "text" => number().map(Self::Text),
            "wav" => number().map(Self::Wav),
            "mp3" => number().map(Self::Mp3),
            "pdf" => number().map(Self::Pdf),
            "file" => Some(Self::File(PathBuf::from(rest))),
            "uploaded" => Uuid::parse_str(rest).ok().map(Self::Uploaded),
            _ => None,
        }
    }

    pub(crate) fn spell(&self) -> String {
        match self {
            Self::Photo(photo, crop) => format!("photo/{photo}/{crop}"),
            Self::Clip => "clip".to_owned(),
            Self::EvenClip => "clip/74".to_owned(),
            Self::Text(n) => format!("text/{n}"),
            Self::Wav(n) => format!("wav/{n}"),
            Self::Mp3(n) => format!("mp3/{n}"),
            Self::Pdf(n) => format!("pdf/{n}"),
            Self::File(path) => format!("file/{}", path.display()),
            Self::Uploaded(uuid) => format!("uploaded/{uuid}"),
        }
    }
}

/// Properties of a media file. Durations in seconds, sizes in pixels.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Facts {
    pub width: Option<u32>,
    pub height: Option<u32>,
    pub frames: Option<u32>,
    pub fps: Option<f64>,
    pub duration: Option<f64>,
    pub sample_rate: Option<u32>,
}

impl Facts {
    /// A picture of this size.
    pub(crate) fn picture(width: u32, height: u32) -> Self {
        Self {
            width: Some(width),
            height: Some(height),
            ..Self::default()
        }
    }

    /// A video of this size.
    pub(crate) fn video(width: u32, height: u32, frames: u32, seconds: f64) -> Self {
        let fps = (seconds > 0.0).then(|| f64::from(frames) / seconds);
        Self {
            frames: Some(frames),
            fps: fps.map(|f| (f * 1000.0).round() / 1000.0),
            duration: Some(seconds),
            ..Self::picture(width, height)
        }
    }

    /// Sound of this length, with this many samples per second.
    pub(crate) fn sound(seconds: f64, rate: u32) -> Self {
        Self {
            duration: Some(seconds),
            sample_rate: Some(rate),
            ..Self::default()
        }
    }

    /// A document of this many pages.
    pub(crate) fn pages(pages: u32) -> Self {
        Self {
            frames: Some(pages),
            ..Self::default()
        }
    }
}

/// Generates media on request and caches crops. Bounded: there are only so many crops, and the rest is cheap
/// to generate again.
#[derive(Default)]
pub(crate) struct MediaLibrary {
    photos: photos::Decoded,
    crops: Mutex<HashMap<(usize, u16), Bytes>>,
    uploads: PathBuf,
}

impl MediaLibrary {
    /// A library that finds uploaded files in this folder.
    pub(crate) fn with_uploads(folder: PathBuf) -> Self {
        Self {
            uploads: folder,
            ..Self::default()
        }
    }

    /// Where the bytes of an upload are, or will be.
    pub(crate) fn upload(&self, uuid: Uuid) -> PathBuf {
        self.uploads.join(uuid.to_string())
    }

    /// The file with the bytes, if there is one.
    pub(crate) fn file(&self, source: &MediaSource) -> Option<PathBuf> {
        match source {
            MediaSource::File(path) => Some(path.clone()),
            MediaSource::Uploaded(uuid) => Some(self.upload(*uuid)),
            _ => None,
        }
    }

    /// The bytes, generated if necessary. Errors come from reading files.
    pub(crate) fn bytes(&self, source: &MediaSource) -> std::io::Result<Bytes> {
        match source {
            MediaSource::Photo(photo, 0) => Ok(Bytes::from_static(PHOTOS[*photo].bytes)),
            MediaSource::Photo(photo, crop) => Ok(self.crop(*photo, *crop)),
            MediaSource::Clip => Ok(Bytes::from_static(CLIP)),
            MediaSource::EvenClip => Ok(Bytes::from_static(EVEN_CLIP)),
            MediaSource::Text(n) => Ok(made::text(*n).into()),
            MediaSource::Wav(n) => Ok(made::wav(*n).into()),
            MediaSource::Mp3(n) => Ok(made::mp3(*n).into()),
            MediaSource::Pdf(n) => Ok(made::pdf(*n).into()),
            MediaSource::File(path) => std::fs::read(path).map(Bytes::from),
            MediaSource::Uploaded(uuid) => std::fs::read(self.upload(*uuid)).map(Bytes::from),
        }
    }

    /// The length in bytes.
    pub(crate) fn size(&self, source: &MediaSource) -> Option<u64> {
        match source {
            MediaSource::File(_) | MediaSource::Uploaded(_) => {
                let path = self.file(source)?;
                std::fs::metadata(path).ok().map(|m| m.len())
            }
            other => self.bytes(other).ok().map(|b| b.len() as u64),
        }
    }

    fn crop(&self, photo: usize, crop: u16) -> Bytes {
        let key = (photo, crop);
        let crops = || self.crops.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = crops().get(&key) {
            return bytes.clone();
        }
        // Generated outside the lock: two requests may create the same crop, with the same bytes.
        let bytes = Bytes::from(self.photos.crop(photo, crop));
        crops().entry(key).or_insert(bytes).clone()
    }

    /// The properties of a source.
    pub(crate) fn facts(&self, source: &MediaSource) -> Facts {
        match source {
            MediaSource::Photo(photo, crop) => {
                let (width, height) = picture_size(*photo, *crop);
                Facts::picture(width, height)
            }
            MediaSource::Clip => Facts::video(320, 180, 75, 3.0),
            MediaSource::EvenClip => Facts::video(320, 180, 74, 2.96),
            MediaSource::Wav(n) => Facts::sound(made::wav_seconds(*n), made::WAV_RATE),
            MediaSource::Mp3(n) => Facts::sound(made::mp3_seconds(*n), made::MP3_RATE),
            MediaSource::Pdf(n) => Facts::pages(made::pdf_pages(*n)),
            MediaSource::Text(_) => Facts::default(),
            MediaSource::File(path) => probe::facts(path),
            MediaSource::Uploaded(uuid) => probe::facts(&self.upload(*uuid)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_round_trip() {
        for text in [
            "photo/3/17",
            "clip",
            "clip/74",
            "text/5",
            "wav/1",
            "mp3/2",
            "pdf/2",
            "file//a b/c.jpg",
            "uploaded/03a107bf-0000-4000-8000-000000000001",
        ] {
            assert_eq!(MediaSource::parse(text).unwrap().spell(), text);
        }
        assert_eq!(MediaSource::parse("clip/75"), None);
        assert_eq!(MediaSource::parse("photo/99/1"), None);
        assert_eq!(MediaSource::parse("photo/1/97"), None);
        assert_eq!(MediaSource::parse("nothing"), None);
    }

    #[test]
    fn images_have_their_documented_size() {
        let library = MediaLibrary::default();
        for source in [
            MediaSource::Photo(0, 0),
            MediaSource::Photo(4, 9),
            MediaSource::Photo(9, CROPS),
        ] {
            let facts = library.facts(&source);
            let picture = image::load_from_memory(&library.bytes(&source).unwrap()).unwrap();
            assert_eq!(
                (Some(picture.width()), Some(picture.height())),
                (facts.width, facts.height),
                "{source:?}"
            );
        }
    }

    #[test]
    fn crops_are_the_same_every_time() {
        let (one, two) = (MediaLibrary::default(), MediaLibrary::default());
        let source = MediaSource::Photo(2, 33);
        assert_eq!(one.bytes(&source).unwrap(), two.bytes(&source).unwrap());
        assert_ne!(
            one.bytes(&source).unwrap(),
            one.bytes(&MediaSource::Photo(2, 34)).unwrap()
        );
    }

    #[test]
    fn generated_media_have_their_format() {
        let library = MediaLibrary::default();
        let wav = library.bytes(&MediaSource::Wav(3)).unwrap();
        assert!(wav.starts_with(b"RIFF") && &wav[8..12] == b"WAVE");
        assert!(
            library
                .bytes(&MediaSource::Pdf(2))
                .unwrap()
                .starts_with(b"%PDF-")
        );
        assert!(
            library
                .bytes(&MediaSource::Mp3(1))
                .unwrap()
                .starts_with(&[0xff, 0xfb])
        );
        assert!(
            String::from_utf8(library.bytes(&MediaSource::Text(1)).unwrap().to_vec())
                .unwrap()
                .len()
                > 100
        );
    }
}
