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
    /// A still picture for ffmpeg, with its article.
    OtherStill(&'static str),
    /// A video for ffmpeg.
    OtherVideo(&'static str),
    /// A still picture that nothing here decodes, with its article.
    Undecodable(&'static str),
    /// Something else in place of a picture.
    Document(&'static str),
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

/// What a file is that begins as a text.
fn text(head: &[u8]) -> Option<Kind> {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let lower = text.trim_ascii_start().to_ascii_lowercase();
    let starts = |marks: &[&[u8]]| marks.iter().any(|mark| lower.starts_with(mark));
    let holds = |mark: &[u8]| lower.windows(mark.len()).any(|part| part == mark);
    if starts(&[b"#extm3u", b"ffconcat", b"<mpd", b"<smil", b"[playlist]"]) {
        return Some(Kind::Playlist);
    }
    if starts(&[b"<!doctype html", b"<html", b"<head", b"<body", b"<script"]) {
        return Some(Kind::Document("a web page (HTML)"));
    }
    let markup = starts(&[b"<?xml", b"<!--", b"<!doctype svg"]);
    if starts(&[b"<svg"]) || markup && holds(b"<svg") {
        return Some(Kind::Undecodable("an SVG drawing"));
    }
    if markup && holds(b"<html") {
        return Some(Kind::Document("a web page (HTML)"));
    }
    if markup && (holds(b"<mpd") || holds(b"<smil")) {
        return Some(Kind::Playlist);
    }
    if starts(&[b"<?xml", b"<error"]) {
        return Some(Kind::Document("an XML document"));
    }
    let printable = lower
        .iter()
        .all(|b| !b.is_ascii_control() || b.is_ascii_whitespace());
    (printable && starts(&[b"{", b"["])).then_some(Kind::Document("a JSON document"))
}

/// What an ISO file is, by the brands at its beginning: the major one, then the compatible ones. Pictures have
/// the form of videos.
fn by_brand(head: &[u8], item: Item) -> Kind {
    let size = head.get(..4).and_then(|size| size.try_into().ok());
    let size = size.map_or(0, |size| u32::from_be_bytes(size) as usize);
    let compatible = head
        .get(16..size.clamp(16, head.len().max(16)))
        .unwrap_or_default();
    let major = head.get(8..12).unwrap_or_default();
    let known = |brand: &[u8]| match brand {
        b"avif" | b"avis" => Some("an AVIF picture"),
        b"heic" | b"heix" | b"heim" | b"heis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" => {
            Some("a HEIC picture")
        }
        b"crx " => Some("a raw picture of a camera (CR3)"),
        _ => None,
    };
    // General brands of pictures name their coding among the compatible ones.
    let general = matches!(major, b"mif1" | b"mif2" | b"msf1" | b"miaf" | b"heif");
    let coding = known(major).or_else(|| {
        let coded = compatible.chunks_exact(4).find_map(known);
        general.then(|| coded.unwrap_or("a HEIF picture"))
    });
    let moves = matches!(
        major,
        b"avis" | b"hevc" | b"hevx" | b"hevm" | b"hevs" | b"msf1"
    );
    match coding {
        None => Kind::Mp4,
        Some(_) if item == Item::Video && moves => {
            Kind::OtherVideo("a sequence of pictures (HEIF)")
        }
        Some(name @ "an AVIF picture") => Kind::OtherStill(name),
        // ffmpeg gives the first of its tiles, which would be a wrong picture.
        Some(name) => Kind::Undecodable(name),
    }
}

/// Looks at the first bytes of a file (64 or more, unless it is shorter).
pub(super) fn sniff(head: &[u8], item: Item) -> Kind {
    let at = |from: usize, what: &[u8]| head.get(from..).is_some_and(|rest| rest.starts_with(what));
    if let Some(kind) = text(head) {
        return kind;
    }
    if at(4, b"ftyp") {
        return by_brand(head, item);
    }
    for (mark, name) in [
        (&b"\0\0\0\x0cJXL "[..], "a JPEG XL picture"),
        (b"\xff\x0a", "a JPEG XL picture"),
        (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
        (b"\xff\x4f\xff\x51", "a JPEG 2000 picture"),
        (b"8BPS", "a Photoshop picture"),
    ] {
        if at(0, mark) {
            return Kind::Undecodable(name);
        }
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
        Ok(ImageFormat::Pnm) => Kind::OtherStill("a PNM picture"),
        Ok(ImageFormat::OpenExr) => Kind::OtherStill("an OpenEXR picture"),
        Ok(ImageFormat::Hdr) => Kind::OtherStill("a Radiance HDR picture"),
        Ok(ImageFormat::Dds) => Kind::OtherStill("a DDS picture"),
        _ => Kind::Unknown,
    }
}
