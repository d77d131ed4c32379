//! Still pictures, image groups, and items without pictures.

use super::*;

/// The upright fixture is 40 by 24, shows the number 5 and the four patches.
fn is_upright(picture: &Picture) -> bool {
    let near = |x: u32, y: u32, wanted: [u8; 3]| {
        pixel(picture, x, y)
            .iter()
            .zip(wanted)
            .all(|(a, b)| a.abs_diff(b) < 40)
    };
    (picture.width, picture.height, picture.stride) == (40, 24, 120)
        && near(4, 4, [255, 255, 255])
        && near(12, 4, [0, 0, 0])
        && near(20, 4, [255, 255, 255])
        && near(5, 20, [255, 0, 0])
        && near(15, 20, [0, 255, 0])
        && near(25, 20, [0, 0, 255])
        && near(35, 20, [128, 128, 128])
}

fn still(name: &str) -> Picture {
    let mut source = open_alone(&fixture(name), "image").unwrap();
    assert_eq!(source.frame_count(), 1);
    assert_eq!(source.fps(), None);
    assert_eq!(source.frame(1).unwrap(), None);
    source.frame(0).unwrap().unwrap()
}

#[test]
fn every_kind_of_still_becomes_upright_rgb() {
    for name in [
        "exif6.jpg",
        "cmyk.jpg",
        "cmyk.tif",
        "alpha.webp",
        "two.gif",
        "plain.bmp",
    ] {
        let picture = still(name);
        assert!(is_upright(&picture), "{name}: {:?}", pixel(&picture, 5, 20));
    }
}

#[test]
fn every_exif_orientation_is_applied() {
    let original = std::fs::read(fixture("exif6.jpg")).unwrap();
    // Tag 0x0112, type SHORT, count 1, value 6.
    let big = [1, 0x12, 0, 3, 0, 0, 0, 1, 0, 6];
    let small = [0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0];
    let find = |tag: &[u8]| original.windows(10).position(|w| w == tag);
    let value = find(&big)
        .map(|at| at + 9)
        .or(find(&small).map(|at| at + 8))
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut seen = Vec::new();
    for orientation in 1..=8 {
        let mut bytes = original.clone();
        bytes[value] = orientation;
        let path = folder.path().join("a.jpg");
        std::fs::write(&path, bytes).unwrap();
        let picture = open_alone(&path, "image")
            .unwrap()
            .frame(0)
            .unwrap()
            .unwrap();
        let sideways = orientation >= 5;
        assert_eq!(
            (picture.width, picture.height),
            if sideways { (40, 24) } else { (24, 40) }
        );
        assert_eq!(is_upright(&picture), orientation == 6);
        assert!(
            !seen.contains(&picture),
            "orientation {orientation} does the same as another"
        );
        seen.push(picture);
    }
}

#[test]
fn sixteen_bit_grey_is_scaled_not_cut() {
    let picture = still("grey16.png");
    assert_eq!((picture.width, picture.height), (4, 1));
    let row: Vec<[u8; 3]> = (0..4).map(|x| pixel(&picture, x, 0)).collect();
    for (grey, wanted) in row.iter().zip([0u8, 128, 255, 102]) {
        assert!(grey.iter().all(|v| v.abs_diff(wanted) <= 1), "{row:?}");
    }
}

#[test]
fn photographs_decode() {
    for (name, size) in [("astronaut.jpg", (512, 512)), ("chelsea.jpg", (451, 300))] {
        let picture = open_alone(&real(name), "image")
            .unwrap()
            .frame(0)
            .unwrap()
            .unwrap();
        assert_eq!(
            picture.rgb.len(),
            (picture.stride * picture.height) as usize
        );
        assert!(
            picture.width <= size.0 && picture.height <= size.1,
            "{name}"
        );
        let mean =
            picture.rgb.iter().map(|v| u64::from(*v)).sum::<u64>() / picture.rgb.len() as u64;
        assert!((40..216).contains(&mean), "{name} has the mean {mean}");
    }
}

#[test]
fn frame_n_of_a_group_is_its_nth_child() {
    let children = [
        fixture("plain.bmp"),
        fixture("grey16.png"),
        fixture("exif6.jpg"),
    ];
    let none = std::path::Path::new("");
    for word in ["image_group", "IMG_GROUP"] {
        let mut source = Source::open(none, None, word, &children).unwrap();
        assert_eq!(source.frame_count(), 3);
        for index in [2, 0, 1] {
            let picture = source.frame(index).unwrap().unwrap();
            assert_eq!(picture.index, index);
            assert_eq!(picture.width, if index == 1 { 4 } else { 40 });
        }
        assert_eq!(source.frame(3).unwrap(), None);
    }
}

#[test]
fn a_missing_child_loses_only_its_own_frame() {
    let children = [
        fixture("plain.bmp"),
        fixture("gone.png"),
        fixture("plain.bmp"),
    ];
    let none = std::path::Path::new("");
    let mut source = Source::open(none, None, "image_group", &children).unwrap();
    assert!(matches!(source.frame(1), Err(MediaError::Io { .. })));
    assert!(is_upright(&source.frame(2).unwrap().unwrap()));
}

#[test]
fn items_without_pictures_are_refused() {
    for (word, mime) in [
        ("audio", None),
        ("plain_text", None),
        ("", Some("audio/mpeg")),
    ] {
        let error = Source::open(&fixture("cfr.mp4"), mime, word, &[]).unwrap_err();
        assert!(
            matches!(error, MediaError::NoPictures { .. }),
            "{word}: {error}"
        );
    }
}

#[test]
fn the_content_decides_the_format_not_the_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("really-a-bitmap.jpg");
    std::fs::copy(fixture("plain.bmp"), &path).unwrap();
    let mut source =
        Source::open_with(&path, Some("image/jpeg"), "image", &[], no_tools()).unwrap();
    assert!(is_upright(&source.frame(0).unwrap().unwrap()));
}

#[test]
fn a_decompression_bomb_is_refused_before_decoding() {
    // A PNG header that claims 100,000 by 100,000 pixels.
    let mut bomb = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    bomb.extend_from_slice(&[0, 1, 0x86, 0xa0, 0, 1, 0x86, 0xa0, 8, 2, 0, 0, 0]);
    bomb.extend_from_slice(&crc32(&bomb[12..29]).to_be_bytes());
    bomb.extend_from_slice(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bomb.png");
    std::fs::write(&path, bomb).unwrap();
    let error = open_alone(&path, "image").unwrap().frame(0).unwrap_err();
    assert!(
        matches!(error, MediaError::TooLarge { width: 100_000, .. }),
        "{error}"
    );
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 }
        })
    })
}

#[test]
fn a_truncated_still_is_an_error_that_names_the_file() {
    let bytes = std::fs::read(real("coffee.jpg")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("half.png");
    let png = {
        let mut out = std::io::Cursor::new(Vec::new());
        let image = image::load_from_memory(&bytes).unwrap();
        image.write_to(&mut out, image::ImageFormat::Png).unwrap();
        out.into_inner()
    };
    std::fs::write(&path, &png[..png.len() / 2]).unwrap();
    let error = open_alone(&path, "image").unwrap().frame(0).unwrap_err();
    assert!(matches!(error, MediaError::StillDamaged { .. }), "{error}");
    assert!(error.to_string().contains("half.png"));
}

/// The beginning of an ISO file with these brands.
fn iso(major: &[u8; 4], compatible: &[&[u8; 4]]) -> Vec<u8> {
    let size = 16 + 4 * u32::try_from(compatible.len()).unwrap();
    let mut bytes = size.to_be_bytes().to_vec();
    bytes.extend(b"ftyp");
    bytes.extend(major);
    bytes.extend([0; 4]);
    compatible.iter().for_each(|brand| bytes.extend(*brand));
    bytes.extend([0, 0, 0, 8]);
    bytes.extend(b"mdat");
    bytes
}

#[test]
fn pictures_in_the_form_of_videos_are_called_what_they_are() {
    let folder = tempfile::tempdir().unwrap();
    for (bytes, name) in [
        (
            iso(b"avif", &[b"avif", b"mif1", b"miaf"]),
            "is an AVIF picture",
        ),
        (iso(b"mif1", &[b"mif1", b"avif"]), "is an AVIF picture"),
        (iso(b"avis", &[b"avis", b"msf1"]), "is an AVIF picture"),
        (iso(b"heic", &[b"mif1", b"heic"]), "is a HEIC picture"),
        (iso(b"heix", &[]), "is a HEIC picture"),
        (
            iso(b"mif1", &[b"mif1", b"heic", b"MiHE"]),
            "is a HEIC picture",
        ),
        (iso(b"mif1", &[]), "is a HEIF picture"),
        (iso(b"msf1", &[b"hevc"]), "is a HEIC picture"),
        (iso(b"crx ", &[b"isom"]), "is a raw picture of a camera"),
        (b"\0\0\0\x0cJXL \r\n\x87\n".to_vec(), "is a JPEG XL picture"),
        (b"\xff\x0a\x00".to_vec(), "is a JPEG XL picture"),
        (
            b"\0\0\0\x0cjP  \r\n\x87\n".to_vec(),
            "is a JPEG 2000 picture",
        ),
        (b"<svg xmlns='x'/>".to_vec(), "is an SVG drawing"),
    ] {
        let path = folder.path().join("x.jpg");
        std::fs::write(&path, bytes).unwrap();
        // Alone, under any type, and in a group.
        let mut errors = vec![
            open_alone(&path, "image").unwrap_err(),
            open_alone(&path, "anything").unwrap_err(),
        ];
        let group = [path.clone()];
        let mut source = Source::open(&path, None, "imageGroup", &group).unwrap();
        errors.push(source.frame(0).unwrap_err());
        for error in errors {
            let message = error.to_string();
            assert!(message.contains(name), "{name}: {message}");
            assert!(message.contains("upload it as JPEG, PNG"), "{message}");
            assert!(!message.contains("video"), "{message}");
            assert_eq!(
                error.doubtful_file(),
                None,
                "another download would be the same"
            );
        }
    }
    for major in [b"isom", b"mp42", b"qt  ", b"M4V "] {
        let path = folder.path().join("x.mp4");
        std::fs::write(&path, iso(major, &[b"isom", b"avc1"])).unwrap();
        let error = open_alone(&path, "video").unwrap_err();
        assert!(matches!(error, MediaError::VideoDamaged { .. }), "{error}");
    }
}

#[test]
fn documents_in_place_of_a_picture_are_called_what_they_are_and_their_file_is_doubtful() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.png");
    for (bytes, name) in [
        (&b"<!DOCTYPE html><title>Log in"[..], "a web page (HTML)"),
        (b" \n<HTML>", "a web page (HTML)"),
        (b"<?xml version=\"1.0\"?><Error>", "an XML document"),
        (b"{\"error\":1}", "a JSON document"),
        (b"", "an empty file"),
        (b"\x89PNG\r\n\x1a\n cut", "damaged"),
    ] {
        std::fs::write(&path, bytes).unwrap();
        let mut errors = vec![];
        match open_alone(&path, "image") {
            Ok(mut source) => errors.push(source.frame(0).unwrap_err()),
            Err(error) => errors.push(error),
        }
        let group = [path.clone()];
        let mut source = Source::open(&path, None, "imageGroup", &group).unwrap();
        errors.push(source.frame(0).unwrap_err());
        for error in errors {
            assert!(error.to_string().contains(name), "{name}: {error}");
            assert_eq!(error.doubtful_file(), Some(&*path), "{error}");
        }
    }
}
