//! The types of items and their names in the three vocabularies of the API.

use serde::{Deserialize, Serialize};

/// The type of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ItemKind {
    /// One picture.
    Image,
    /// A video file.
    Video,
    /// Pictures that are labelled together, each with its own hash.
    ImageGroup,
    /// Pictures packed into one video file.
    ImageSequence,
    /// Sound.
    Audio,
    /// Plain text.
    PlainText,
    /// A PDF document.
    Pdf,
    /// A data group: items of any kind under one task.
    Group,
}

impl ItemKind {
    const ALL: [Self; 8] = [
        Self::Image,
        Self::Video,
        Self::ImageGroup,
        Self::ImageSequence,
        Self::Audio,
        Self::PlainText,
        Self::Pdf,
        Self::Group,
    ];

    /// Its number in the database.
    pub(crate) fn code(self) -> i64 {
        Self::ALL
            .iter()
            .position(|k| *k == self)
            .unwrap_or_default() as i64
    }

    pub(crate) fn from_code(code: i64) -> Self {
        usize::try_from(code)
            .ok()
            .and_then(|c| Self::ALL.get(c))
            .copied()
            .unwrap_or(Self::Image)
    }

    /// `itemType` of a storage item.
    pub(crate) fn item_type(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::ImageGroup => "imageGroup",
            Self::ImageSequence => "imageSequence",
            Self::Audio => "audio",
            Self::PlainText => "plainText",
            Self::Pdf => "pdf",
            Self::Group => "group",
        }
    }

    /// The kind with this `itemType`.
    pub(crate) fn of_item_type(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.item_type() == name)
    }

    /// `data_type` of a label row, as the row itself spells it.
    pub(crate) fn data_type(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::ImageGroup | Self::ImageSequence => "img_group",
            Self::Audio => "audio",
            Self::PlainText => "plain_text",
            Self::Pdf => "pdf",
            Self::Group => "group",
        }
    }

    /// `data_type` of row metadata and data rows.
    pub(crate) fn upper_data_type(self) -> &'static str {
        match self {
            Self::Image => "IMAGE",
            Self::Video => "VIDEO",
            Self::ImageGroup | Self::ImageSequence => "IMG_GROUP",
            Self::Audio => "AUDIO",
            Self::PlainText => "PLAIN_TEXT",
            Self::Pdf => "PDF",
            Self::Group => "GROUP",
        }
    }

    /// The MIME type of generated media.
    pub(crate) fn default_mime(self) -> Option<&'static str> {
        match self {
            Self::Image => Some("image/jpeg"),
            Self::Video | Self::ImageSequence => Some("video/mp4"),
            Self::Audio => Some("audio/wav"),
            Self::PlainText => Some("text/plain"),
            Self::Pdf => Some("application/pdf"),
            Self::ImageGroup | Self::Group => None,
        }
    }

    /// Whether the item is bytes of its own, so that it can be downloaded.
    pub(crate) fn has_media(self) -> bool {
        self.default_mime().is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_back() {
        for kind in ItemKind::ALL {
            assert_eq!(ItemKind::from_code(kind.code()), kind);
        }
    }
}
