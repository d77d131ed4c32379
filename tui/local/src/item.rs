//! The types of items and their names in the three vocabularies of the API.

use serde::{Deserialize, Serialize};

/// The type of an item. Append only: the order is the number in the database.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ItemKind {
    /// One picture.
    #[default]
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

/// `itemType`, `data_type` in lower and upper case, and the MIME type of generated media.
struct KindNames(
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
);

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
        self as i64
    }

    pub(crate) fn from_code(code: i64) -> Self {
        let known = Self::ALL.into_iter().find(|kind| kind.code() == code);
        known.unwrap_or(Self::Image)
    }

    const fn names(self) -> KindNames {
        match self {
            Self::Image => KindNames("image", "image", "IMAGE", Some("image/jpeg")),
            Self::Video => KindNames("video", "video", "VIDEO", Some("video/mp4")),
            Self::ImageGroup => KindNames("imageGroup", "img_group", "IMG_GROUP", None),
            Self::ImageSequence => {
                KindNames("imageSequence", "img_group", "IMG_GROUP", Some("video/mp4"))
            }
            Self::Audio => KindNames("audio", "audio", "AUDIO", Some("audio/wav")),
            Self::PlainText => {
                KindNames("plainText", "plain_text", "PLAIN_TEXT", Some("text/plain"))
            }
            Self::Pdf => KindNames("pdf", "pdf", "PDF", Some("application/pdf")),
            Self::Group => KindNames("group", "group", "GROUP", None),
        }
    }

    /// `itemType` of a storage item.
    pub(crate) fn item_type(self) -> &'static str {
        self.names().0
    }

    /// The kind with this `itemType`.
    pub(crate) fn of_item_type(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.item_type() == name)
    }

    /// `data_type` of a label row, as the row itself spells it.
    pub(crate) fn data_type(self) -> &'static str {
        self.names().1
    }

    /// `data_type` of row metadata and data rows.
    pub(crate) fn upper_data_type(self) -> &'static str {
        self.names().2
    }

    /// The MIME type of generated media.
    pub(crate) fn default_mime(self) -> Option<&'static str> {
        self.names().3
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
