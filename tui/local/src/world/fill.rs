//! Adds a scenario's items to a dataset.

use uuid::Uuid;

use crate::error::LocalError;
use crate::ids::below;
use crate::item::ItemKind;
use crate::media::{CROPS, MediaSource, PHOTOS, is_dark};
use crate::store::items::site;
use crate::store::units::{NewItem, UnitPlace};
use crate::world::build::Builder;
use crate::world::{ItemSpec, import};

/// Adds items to one dataset.
pub(super) struct Filler<'a> {
    pub builder: &'a Builder<'a>,
    pub uuid: Uuid,
    pub salt: u64,
    pub number: u64,
    pub pictures: u64,
}

impl Filler<'_> {
    pub(super) fn add(
        &mut self,
        spec: &ItemSpec,
        copy: usize,
        place: UnitPlace,
    ) -> Result<(), LocalError> {
        let n = self.number;
        self.number += 1;
        let nth = |id: Uuid| match copy {
            0 => id,
            _ => below(id, "copy", copy),
        };
        let hash = spec.id.map_or_else(|| below(self.uuid, "data", n), nth);
        let source = match &spec.media {
            Some(text) => MediaSource::parse(text),
            None => self.made(spec.kind, n),
        };
        let title = match &spec.title {
            Some(title) if spec.count > 1 => numbered(title, copy),
            Some(title) => title.clone(),
            None => believable_title(spec.kind, source.as_ref(), hash, n),
        };
        let facts = source.as_ref().map(|s| self.builder.library.facts(s));
        let mut facts = facts.unwrap_or_default();
        if !spec.children.is_empty() {
            let children: usize = spec.children.iter().map(|c| c.count).sum();
            facts.frames = u32::try_from(children).ok();
        }
        let made_mime = || mime_of(spec.kind, source.as_ref()).map(str::to_owned);
        let size = match &source {
            Some(file @ MediaSource::File(_)) => self.builder.library.size(file),
            _ => None,
        };
        let item = NewItem {
            uuid: spec.item_id.map(nth),
            hash,
            kind: spec.kind,
            title,
            description: spec.description.clone(),
            mime: spec.mime_type.clone().or_else(made_mime),
            source,
            facts,
            size,
            metadata: spec.client_metadata.clone(),
            children: Vec::new(),
        };
        let id = item.insert_row(&self.builder.tx(), place)?;
        let children = spec.children.iter();
        let copies = children.flat_map(|child| (0..child.count).map(move |copy| (child, copy)));
        for (position, (child, copy)) in copies.enumerate() {
            self.add(child, copy, place.below(id, position))?;
        }
        Ok(())
    }

    /// Generated media for a type of item. Images are the photographs first, then crops of them.
    fn made(&mut self, kind: ItemKind, n: u64) -> Option<MediaSource> {
        let draw = self.builder.names.number(self.salt, n);
        Some(match kind {
            ItemKind::Image => {
                self.pictures += 1;
                if self.pictures <= PHOTOS.len() as u64 {
                    return Some(MediaSource::Photo(self.pictures as usize - 1, 0));
                }
                let photos = PHOTOS.len() as u64;
                MediaSource::Photo(
                    (draw % photos) as usize,
                    1 + (draw / photos % u64::from(CROPS)) as u16,
                )
            }
            ItemKind::Video | ItemKind::ImageSequence => MediaSource::EvenClip,
            ItemKind::Audio => MediaSource::Wav(draw % 100),
            ItemKind::PlainText => MediaSource::Text(draw % 100),
            ItemKind::Pdf => MediaSource::Pdf(2),
            ItemKind::ImageGroup | ItemKind::Group => return None,
        })
    }
}

fn mime_of(kind: ItemKind, source: Option<&MediaSource>) -> Option<&'static str> {
    match source {
        Some(MediaSource::Mp3(_)) => Some("audio/mpeg"),
        Some(MediaSource::File(path)) => {
            import::mime(&import::extension(path)).or_else(|| kind.default_mime())
        }
        _ => kind.default_mime(),
    }
}

/// Replaces a run of `#` by the number, padded to the same length.
fn numbered(title: &str, n: usize) -> String {
    let Some(start) = title.find('#') else {
        return title.to_owned();
    };
    let digits = title[start..].chars().take_while(|c| *c == '#').count();
    format!(
        "{}{n:0digits$}{}",
        &title[..start],
        &title[start + digits..]
    )
}

/// A realistic file name.
fn believable_title(kind: ItemKind, source: Option<&MediaSource>, hash: Uuid, n: u64) -> String {
    match source {
        Some(MediaSource::File(path)) if path.file_name().is_some() => {
            let name = path.file_name().unwrap_or_default();
            name.to_string_lossy().into_owned()
        }
        Some(MediaSource::Photo(photo, 0)) => format!("{}.jpg", PHOTOS[*photo].name),
        Some(MediaSource::Photo(photo, crop)) => {
            let light = if is_dark(*crop) { "night" } else { "day" };
            if crop % 4 == 1 {
                format!("{}_{light}_{n:06}.jpg", PHOTOS[*photo].shows)
            } else {
                format!("{}_{light}_{n:06}.jpg", site(hash))
            }
        }
        _ => {
            let ending = match kind {
                _ if matches!(source, Some(MediaSource::Mp3(_))) => ".mp3",
                ItemKind::Video | ItemKind::ImageSequence => ".mp4",
                ItemKind::Audio => ".wav",
                ItemKind::PlainText => ".txt",
                ItemKind::Pdf => ".pdf",
                ItemKind::Image | ItemKind::ImageGroup | ItemKind::Group => "",
            };
            format!("{}_{n:06}{ending}", kind.data_type())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_hashes_are_replaced_by_padded_numbers() {
        assert_eq!(numbered("img-####.jpg", 12), "img-0012.jpg");
        assert_eq!(numbered("a#b", 123), "a123b");
        assert_eq!(numbered("plain", 3), "plain");
    }
}
