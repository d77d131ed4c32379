//! What a file is, by its first bytes; names and media types only where bytes say nothing.
//! Leaves to others: reading it.

use image::ImageFormat;

/// Which reader a file goes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A still picture for `still`.
    Still,
    /// MP4 or MOV, for `mp4` first.
    Mp4,
    /// A still picture for ffmpeg.
    OtherStill(&'static str),
    /// A video for ffmpeg.
    OtherVideo(&'static str),
    /// Names other files; is never followed.
    Playlist,
    /// Not recognised.
    Unknown,
}

/// Whether an item is taken as pictures at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Image,
    Video,
    Group,
    /// Nothing said.
    Any,
    /// No pictures; the word for people.
    Without(&'static str),
}

/// Reads Encord's item and data types in all their spellings.
pub(super) fn item(item_type: &str, mime: Option<&str>) -> Item {
    let word: String = item_type
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    match word.as_str() {
        "image" => Item::Image,
        "video" | "imagesequence" => Item::Video,
        "imagegroup" | "imggroup" => Item::Group,
        "audio" => Item::Without("an audio file"),
        "plaintext" | "text" | "html" => Item::Without("a text"),
        "pdf" => Item::Without("a PDF"),
        "dicom" | "dicomfile" | "dicomseries" => Item::Without("a DICOM series"),
        "nifti" => Item::Without("a NIfTI volume"),
        "timeseries" => Item::Without("a time series"),
        "group" | "datagroup" => Item::Without("a data group"),
        "scene" => Item::Without("a scene"),
        _ => match mime.and_then(|m| m.split('/').next()) {
            Some("image") => Item::Image,
            Some("video") => Item::Video,
            Some("audio") => Item::Without("an audio file"),
            Some("text") => Item::Without("a text"),
            _ => Item::Any,
        },
    }
}

/// Looks at the first bytes of a file (64 or more, unless it is shorter).
pub(super) fn sniff(head: &[u8], item: Item) -> Kind {
    let at = |from: usize, what: &[u8]| head.get(from..).is_some_and(|rest| rest.starts_with(what));
    let text = head
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(head)
        .trim_ascii_start();
    if [
        &b"#EXTM3U"[..],
        b"ffconcat",
        b"<?xml",
        b"<MPD",
        b"<smil",
        b"[playlist]",
    ]
    .iter()
    .any(|mark| text.starts_with(mark))
    {
        return Kind::Playlist;
    }
    if at(4, b"ftyp") {
        return match head.get(8..12) {
            Some(b"avif" | b"avis") => Kind::OtherStill("AVIF"),
            Some(b"heic" | b"heix" | b"mif1" | b"msf1" | b"hevc") => Kind::OtherStill("HEIC"),
            _ => Kind::Mp4,
        };
    }
    if [
        &b"moov"[..],
        b"mdat",
        b"free",
        b"skip",
        b"wide",
        b"moof",
        b"styp",
        b"pnot",
    ]
    .iter()
    .any(|mark| at(4, mark))
    {
        return Kind::Mp4;
    }
    if at(0, &[0x1a, 0x45, 0xdf, 0xa3]) {
        return Kind::OtherVideo("Matroska or WebM");
    }
    if at(0, b"RIFF") && at(8, b"AVI ") {
        return Kind::OtherVideo("AVI");
    }
    if at(0, &[0x47]) && (head.len() < 189 || head[188] == 0x47) {
        // GIF begins with the same letter as a transport stream.
        if !at(0, b"GIF8") {
            return Kind::OtherVideo("an MPEG transport stream");
        }
    }
    for (mark, name) in [
        (&[0, 0, 1, 0xba][..], "an MPEG program stream"),
        (b"FLV\x01", "Flash video"),
        (b"OggS", "Ogg"),
        (&[0x30, 0x26, 0xb2, 0x75], "Windows Media"),
        (&[0x06, 0x0e, 0x2b, 0x34], "MXF"),
    ] {
        if at(0, mark) {
            return Kind::OtherVideo(name);
        }
    }
    match image::guess_format(head) {
        Ok(ImageFormat::Gif) if item == Item::Video => Kind::OtherVideo("an animated GIF"),
        Ok(
            ImageFormat::Jpeg
            | ImageFormat::Png
            | ImageFormat::Gif
            | ImageFormat::WebP
            | ImageFormat::Bmp
            | ImageFormat::Tiff,
        ) => Kind::Still,
        Ok(ImageFormat::Pnm) => Kind::OtherStill("PNM"),
        Ok(ImageFormat::OpenExr) => Kind::OtherStill("OpenEXR"),
        Ok(ImageFormat::Hdr) => Kind::OtherStill("Radiance HDR"),
        Ok(ImageFormat::Dds) => Kind::OtherStill("DDS"),
        _ => Kind::Unknown,
    }
}
