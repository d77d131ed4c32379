//! Identifies files by their first bytes, never by name, and Encord's item types.
//! Leaves to others: reading the file.

use std::fs::File;
use std::io::{self, Read};

use image::ImageFormat;

/// What a file is, and so which reader opens it. Names include their article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FileKind {
    /// A still picture for `still`.
    Still,
    /// MP4 or MOV, for `mp4` first.
    Mp4,
    /// A still picture for ffmpeg.
    OtherStill(&'static str),
    /// A video for ffmpeg.
    OtherVideo(&'static str),
    /// A still picture that neither this crate nor ffmpeg decodes.
    Undecodable(&'static str),
    /// A document in place of a picture, such as a login page.
    Document(&'static str),
    /// A list of other files or addresses; never followed.
    Playlist,
    /// Not recognised.
    Unknown,
}

/// How the pictures of an Encord item are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ItemKind {
    Image,
    Video,
    Group,
    /// The item type is not given or unknown.
    Any,
    /// An item without pictures; what to call it in messages.
    Without(&'static str),
}

/// Parses an item or data type in any of the spellings that Encord's API and SDK use.
pub(super) fn item(item_type: &str, mime: Option<&str>) -> ItemKind {
    let word: String = item_type
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    match word.as_str() {
        "image" => ItemKind::Image,
        "video" | "imagesequence" => ItemKind::Video,
        "imagegroup" | "imggroup" => ItemKind::Group,
        "audio" => ItemKind::Without("an audio file"),
        "plaintext" | "text" | "html" => ItemKind::Without("a text"),
        "pdf" => ItemKind::Without("a PDF"),
        "dicom" | "dicomfile" | "dicomseries" => ItemKind::Without("a DICOM series"),
        "nifti" => ItemKind::Without("a NIfTI volume"),
        "timeseries" => ItemKind::Without("a time series"),
        "group" | "datagroup" => ItemKind::Without("a data group"),
        "scene" => ItemKind::Without("a scene"),
        _ => match mime.and_then(|m| m.split('/').next()) {
            Some("image") => ItemKind::Image,
            Some("video") => ItemKind::Video,
            Some("audio") => ItemKind::Without("an audio file"),
            Some("text") => ItemKind::Without("a text"),
            _ => ItemKind::Any,
        },
    }
}

/// Identifies playlists, web pages and other text files.
fn text_file(head: &[u8]) -> Option<FileKind> {
    let text = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let lower = text.trim_ascii_start().to_ascii_lowercase();
    let starts = |marks: &[&[u8]]| marks.iter().any(|mark| lower.starts_with(mark));
    let holds = |mark: &[u8]| lower.windows(mark.len()).any(|part| part == mark);
    if starts(&[b"#extm3u", b"ffconcat", b"<mpd", b"<smil", b"[playlist]"]) {
        return Some(FileKind::Playlist);
    }
    if starts(&[b"<!doctype html", b"<html", b"<head", b"<body", b"<script"]) {
        return Some(FileKind::Document("a web page (HTML)"));
    }
    let markup = starts(&[b"<?xml", b"<!--", b"<!doctype svg"]);
    if starts(&[b"<svg"]) || markup && holds(b"<svg") {
        return Some(FileKind::Undecodable("an SVG drawing"));
    }
    if markup && holds(b"<html") {
        return Some(FileKind::Document("a web page (HTML)"));
    }
    if markup && (holds(b"<mpd") || holds(b"<smil")) {
        return Some(FileKind::Playlist);
    }
    if starts(&[b"<?xml", b"<error"]) {
        return Some(FileKind::Document("an XML document"));
    }
    let printable = lower
        .iter()
        .all(|b| !b.is_ascii_control() || b.is_ascii_whitespace());
    (printable && starts(&[b"{", b"["])).then_some(FileKind::Document("a JSON document"))
}

/// Identifies an ISO base media file by its brands, first the major one, then the compatible ones: HEIF and AVIF
/// pictures use the same container as MP4.
fn iso_file(head: &[u8], item: ItemKind) -> FileKind {
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
    // The generic picture brands name the codec among the compatible brands.
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
        None => FileKind::Mp4,
        Some(_) if item == ItemKind::Video && moves => {
            FileKind::OtherVideo("a sequence of pictures (HEIF)")
        }
        Some(name @ "an AVIF picture") => FileKind::OtherStill(name),
        // ffmpeg would decode only the first of its tiles.
        Some(name) => FileKind::Undecodable(name),
    }
}

/// Signatures: where in the file, which bytes, what it is. The first that matches counts.
const SIGNATURES: &[(usize, &[u8], FileKind)] = &[
    (
        0,
        b"\0\0\0\x0cJXL ",
        FileKind::Undecodable("a JPEG XL picture"),
    ),
    (0, b"\xff\x0a", FileKind::Undecodable("a JPEG XL picture")),
    (
        0,
        b"\0\0\0\x0cjP  ",
        FileKind::Undecodable("a JPEG 2000 picture"),
    ),
    (
        0,
        b"\xff\x4f\xff\x51",
        FileKind::Undecodable("a JPEG 2000 picture"),
    ),
    (0, b"8BPS", FileKind::Undecodable("a Photoshop picture")),
    (4, b"moov", FileKind::Mp4),
    (4, b"mdat", FileKind::Mp4),
    (4, b"free", FileKind::Mp4),
    (4, b"skip", FileKind::Mp4),
    (4, b"wide", FileKind::Mp4),
    (4, b"moof", FileKind::Mp4),
    (4, b"styp", FileKind::Mp4),
    (4, b"pnot", FileKind::Mp4),
    (
        0,
        b"\x1a\x45\xdf\xa3",
        FileKind::OtherVideo("Matroska or WebM"),
    ),
    (
        0,
        b"\0\0\x01\xba",
        FileKind::OtherVideo("an MPEG program stream"),
    ),
    (0, b"FLV\x01", FileKind::OtherVideo("Flash video")),
    (0, b"OggS", FileKind::OtherVideo("Ogg")),
    (
        0,
        b"\x30\x26\xb2\x75",
        FileKind::OtherVideo("Windows Media"),
    ),
    (0, b"\x06\x0e\x2b\x34", FileKind::OtherVideo("MXF")),
];

/// The first bytes of a file, enough to identify it.
pub(super) fn read_head(file: &mut File) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file.take(256).read_to_end(&mut head)?;
    Ok(head)
}

/// Identifies a file by its first bytes (64 or more, unless it is shorter).
pub(super) fn identify(head: &[u8], item: ItemKind) -> FileKind {
    let at = |from: usize, what: &[u8]| head.get(from..).is_some_and(|rest| rest.starts_with(what));
    if let Some(kind) = text_file(head) {
        return kind;
    }
    if at(4, b"ftyp") {
        return iso_file(head, item);
    }
    let signature = SIGNATURES.iter().find(|(from, bytes, _)| at(*from, bytes));
    if let Some((_, _, kind)) = signature {
        return *kind;
    }
    if at(0, b"RIFF") && at(8, b"AVI ") {
        return FileKind::OtherVideo("AVI");
    }
    // GIF begins with the same byte as a transport stream.
    if at(0, b"G") && !at(0, b"GIF8") && head.get(188).is_none_or(|byte| *byte == b'G') {
        return FileKind::OtherVideo("an MPEG transport stream");
    }
    still_file(head, item)
}

/// The formats that the `image` crate identifies; only some of them are built in.
fn still_file(head: &[u8], item: ItemKind) -> FileKind {
    match image::guess_format(head) {
        Ok(ImageFormat::Gif) if item == ItemKind::Video => FileKind::OtherVideo("an animated GIF"),
        Ok(
            ImageFormat::Jpeg
            | ImageFormat::Png
            | ImageFormat::Gif
            | ImageFormat::WebP
            | ImageFormat::Bmp
            | ImageFormat::Tiff,
        ) => FileKind::Still,
        Ok(ImageFormat::Pnm) => FileKind::OtherStill("a PNM picture"),
        Ok(ImageFormat::OpenExr) => FileKind::OtherStill("an OpenEXR picture"),
        Ok(ImageFormat::Hdr) => FileKind::OtherStill("a Radiance HDR picture"),
        Ok(ImageFormat::Dds) => FileKind::OtherStill("a DDS picture"),
        _ => FileKind::Unknown,
    }
}
