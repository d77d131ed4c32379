//! A terminal that reads what is written to it, and keeps the pixels that it shows.

use super::*;
use image::{ImageFormat, load_from_memory_with_format};
use std::collections::BTreeMap;

/// Pixels of a cell.
const CELL: (u16, u16) = (4, 8);

/// What a terminal keeps and shows of pictures.
#[derive(Default)]
struct Terminal {
    /// kitty: pictures by number.
    kept: BTreeMap<u32, Picture>,
    /// The command that is still being sent, and its text so far.
    sending: Option<(u32, String)>,
    /// Where pictures are: upper left cell, cells across and down.
    shown: BTreeMap<(u16, u16), ((u16, u16), Picture)>,
    /// kitty: which placement is where.
    places: BTreeMap<(u32, u32), (u16, u16)>,
    cursor: (u16, u16),
}

impl Terminal {
    /// Reads bytes, as a terminal would.
    fn read(&mut self, mut text: &str) {
        while let Some(rest) = text.strip_prefix('\x1b') {
            text = match rest.as_bytes()[0] {
                b'[' => {
                    let end = rest.find('H').unwrap();
                    let (y, x) = rest[1..end].split_once(';').unwrap();
                    self.cursor = (x.parse().unwrap(), y.parse().unwrap());
                    &rest[end + 1..]
                }
                b'_' => {
                    let (command, rest) = rest[2..].split_once("\x1b\\").unwrap();
                    assert!(command.len() <= 4_096 + 64, "a part is too long");
                    self.kitty(command);
                    rest
                }
                b']' => {
                    let (command, rest) = rest[1..].split_once('\x07').unwrap();
                    self.iterm(command);
                    rest
                }
                b'P' if rest.starts_with("Ptmux;") => {
                    let end = end_of_passthrough(rest);
                    let inner = rest[6..end].replace("\x1b\x1b", "\x1b");
                    self.read(&inner);
                    &rest[end + 2..]
                }
                b'P' => {
                    let (command, rest) = rest.split_once("\x1b\\").unwrap();
                    let (at, picture) = (self.cursor, decode_sixel(command));
                    let side = |pixels: u32, cell: u16| (pixels / u32::from(cell)) as u16;
                    let size = (side(picture.width, CELL.0), side(picture.height, CELL.1));
                    self.shown.insert(at, (size, picture));
                    rest
                }
                other => panic!("an unknown sequence {other}"),
            };
        }
        assert_eq!(text, "", "letters among the pixels");
    }

    fn kitty(&mut self, command: &str) {
        let (keys, payload) = command.split_once(';').unwrap_or((command, ""));
        let keys: BTreeMap<&str, &str> =
            keys.split(',').filter_map(|k| k.split_once('=')).collect();
        let number = |key: &str| keys.get(key).and_then(|v| v.parse::<u32>().ok());
        assert_eq!(keys["q"], "2", "it must not answer among the keys");
        match keys.get("a").copied() {
            Some("t") => {
                assert_eq!(keys["f"], "100");
                self.sending = Some((number("i").unwrap(), payload.to_owned()));
            }
            None => self.sending.as_mut().unwrap().1 += payload,
            Some("p") => {
                let size = [number("c").unwrap(), number("r").unwrap()].map(|n| n as u16);
                let id = number("i").unwrap();
                let at = if keys.contains_key("U") {
                    (0, 0)
                } else {
                    self.cursor
                };
                self.places.insert((id, number("p").unwrap_or(0)), at);
                self.shown
                    .insert(at, ((size[0], size[1]), self.kept[&id].clone()));
            }
            Some("d") => match keys["d"] {
                "i" => {
                    let which = (number("i").unwrap(), number("p").unwrap());
                    let at = self.places.remove(&which).expect("a place that it has");
                    self.shown.remove(&at);
                }
                "I" => assert!(self.kept.remove(&number("i").unwrap()).is_some()),
                "A" => *self = Self::default(),
                other => panic!("an unknown deletion {other}"),
            },
            other => panic!("an unknown action {other:?}"),
        }
        if let Some((id, text)) = self.sending.take_if(|_| keys.get("m") == Some(&"0")) {
            self.kept.insert(id, decode_png(&unbase64(&text)));
        }
    }

    fn iterm(&mut self, command: &str) {
        let (head, payload) = command.split_once(':').unwrap();
        let keys: BTreeMap<&str, &str> = (head.trim_start_matches("1337;File=").split(';'))
            .filter_map(|k| k.split_once('='))
            .collect();
        let file = unbase64(payload);
        assert_eq!(keys["size"], file.len().to_string());
        assert_eq!((keys["inline"], keys["preserveAspectRatio"]), ("1", "0"));
        let size = (
            keys["width"].parse().unwrap(),
            keys["height"].parse().unwrap(),
        );
        self.shown.insert(self.cursor, (size, decode_png(&file)));
    }

    /// What `canvas` writes for these placements; letters that are drawn again erase what is no longer there.
    fn show(&mut self, canvas: &mut Canvas, wanted: &[Placement]) -> usize {
        let change = canvas.show(wanted);
        self.read(&change.erase);
        for area in &change.cells {
            self.shown.remove(&(area.x + 1, area.y + 1));
        }
        self.read(&change.show);
        change.show.len()
    }
}

/// tmux ends the command at an ESC that is not doubled.
fn end_of_passthrough(text: &str) -> usize {
    let bytes = text.as_bytes();
    let mut at = 6;
    loop {
        match (bytes[at], bytes[at + 1]) {
            (0x1b, 0x1b) => at += 2,
            (0x1b, b'\\') => return at,
            _ => at += 1,
        }
    }
}

fn unbase64(text: &str) -> Vec<u8> {
    let value = |c: u8| match c {
        b'A'..=b'Z' => c - b'A',
        b'a'..=b'z' => c - b'a' + 26,
        b'0'..=b'9' => c - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        other => panic!("not base64: {other}"),
    };
    let (mut out, mut bits, mut have) = (Vec::new(), 0u32, 0);
    for c in text.bytes().filter(|c| *c != b'=') {
        bits = bits << 6 | u32::from(value(c));
        have += 6;
        if have >= 8 {
            have -= 8;
            out.push((bits >> have & 0xff) as u8);
        }
    }
    out
}

fn decode_png(file: &[u8]) -> Picture {
    let image = load_from_memory_with_format(file, ImageFormat::Png).unwrap();
    let rgb = image.to_rgb8();
    Picture {
        width: rgb.width(),
        height: rgb.height(),
        rgb: rgb.into_raw(),
    }
}

/// `P…q"1;1;w;h`, then colours, and bands of six rows.
fn decode_sixel(command: &str) -> Picture {
    let data = command.split_once("q\"1;1;").expect("square pixels").1;
    let mut numbers = data.splitn(2, ';');
    let width: usize = numbers.next().unwrap().parse().unwrap();
    let rest = numbers.next().unwrap();
    let end = rest.find('#').unwrap();
    let height: usize = rest[..end].parse().unwrap();
    let mut picture = vec![None; width * height];
    let mut colours: BTreeMap<usize, [u8; 3]> = BTreeMap::new();
    let (mut x, mut band, mut colour, mut times) = (0, 0, 0, 1);
    let mut bytes = rest[end..].bytes().peekable();
    while let Some(byte) = bytes.next() {
        let mut number = || {
            let mut n = 0;
            while let Some(digit) = bytes.next_if(u8::is_ascii_digit) {
                n = n * 10 + usize::from(digit - b'0');
            }
            (n, bytes.next_if_eq(&b';').is_some())
        };
        match byte {
            b'#' => {
                let (n, more) = number();
                colour = n;
                if more {
                    assert_eq!(number().0, 2, "as RGB");
                    let [r, g, b] = [number().0, number().0, number().0];
                    colours.insert(n, [r, g, b].map(|share| (share * 255 / 100) as u8));
                }
            }
            b'!' => times = number().0,
            b'$' => x = 0,
            b'-' => (x, band) = (0, band + 1),
            b'?'..=b'~' => {
                for row in (0..6).filter(|row| (byte - 63) >> row & 1 == 1) {
                    for at in x..x + times {
                        picture[(band * 6 + row) * width + at] = Some(colours[&colour]);
                    }
                }
                (x, times) = (x + times, 1);
            }
            other => panic!("not sixel: {other}"),
        }
    }
    let rgb = picture
        .into_iter()
        .flat_map(|pixel| pixel.expect("every pixel is drawn"));
    Picture {
        width: width as u32,
        height: height as u32,
        rgb: rgb.collect(),
    }
}

/// A picture with edges and a run of colours.
fn picture(seed: u8) -> Picture {
    let (width, height) = (40, 32);
    let pixel = |x: u32, y: u32| match (x / 10 + y / 8) % 3 {
        0 => [seed, (x * 6) as u8, (y * 7) as u8],
        1 => [200, 20, seed],
        _ => [10, 220, 90],
    };
    let rgb = (0..height).flat_map(|y| (0..width).flat_map(move |x| pixel(x, y)));
    Picture {
        width,
        height,
        rgb: rgb.collect(),
    }
}

fn placed(protocol: Protocol, id: u32, x: u16) -> Placement {
    Placement {
        id,
        area: Rect::new(x, 2, 10, 4),
        data: protocol.encode(&picture(id as u8)),
    }
}

/// The mean difference of two pictures of one size, per channel.
fn difference(a: &Picture, b: &Picture) -> f64 {
    assert_eq!((a.width, a.height), (b.width, b.height));
    let sum: u64 = a
        .rgb
        .iter()
        .zip(&b.rgb)
        .map(|(a, b)| u64::from(a.abs_diff(*b)))
        .sum();
    sum as f64 / a.rgb.len() as f64
}

#[test]
fn pictures_arrive_where_they_belong_with_their_pixels() {
    for protocol in [Protocol::Kitty, Protocol::Iterm2, Protocol::Sixel] {
        let (mut canvas, mut terminal) = (Canvas::new(protocol), Terminal::default());
        let wanted = [placed(protocol, 1, 5), placed(protocol, 2, 30)];
        terminal.show(&mut canvas, &wanted);
        assert_eq!(
            terminal.shown.keys().collect::<Vec<_>>(),
            [&(6, 3), &(31, 3)]
        );
        for (id, at) in [(1, (6, 3)), (2, (31, 3))] {
            let (size, shown) = &terminal.shown[&at];
            assert_eq!(*size, (10, 4), "{protocol:?}");
            let off = difference(shown, &picture(id));
            let most = if protocol == Protocol::Sixel {
                4.0
            } else {
                0.0
            };
            assert!(off <= most, "{protocol:?}: {off}");
        }
        // What stays is not written again; what goes is gone.
        assert_eq!(terminal.show(&mut canvas, &wanted), 0);
        terminal.show(&mut canvas, &wanted[1..]);
        assert_eq!(terminal.shown.keys().collect::<Vec<_>>(), [&(31, 3)]);
        // The terminal was cleared: it is placed again.
        canvas.cleared();
        terminal.shown.clear();
        assert!(terminal.show(&mut canvas, &wanted[1..]) > 0);
        assert_eq!(terminal.shown.len(), 1);
    }
}

#[test]
fn kitty_is_sent_each_picture_once_and_forgets_the_oldest() {
    let protocol = Protocol::Kitty;
    let (mut canvas, mut terminal) = (Canvas::new(protocol), Terminal::default());
    let first = placed(protocol, 1, 0);
    let sent = terminal.show(&mut canvas, std::slice::from_ref(&first));
    terminal.show(&mut canvas, &[]);
    let again = terminal.show(&mut canvas, std::slice::from_ref(&first));
    assert!(again < 100 && again < sent, "{again} of {sent} bytes");
    for id in 2..=60 {
        terminal.show(&mut canvas, &[placed(protocol, id, 0)]);
    }
    assert!(terminal.kept.len() <= 50, "{}", terminal.kept.len());
    assert!(!terminal.kept.contains_key(&1) && terminal.kept.contains_key(&60));
    terminal.read(&protocol.free_all());
    assert!(terminal.kept.is_empty() && terminal.shown.is_empty());
}

#[test]
fn what_stays_on_the_screen_is_never_forgotten() {
    let protocol = Protocol::Kitty;
    let (mut canvas, mut terminal) = (Canvas::new(protocol), Terminal::default());
    let stays = placed(protocol, 1, 0);
    for id in 2..=60 {
        terminal.show(&mut canvas, &[stays.clone(), placed(protocol, id, 30)]);
    }
    assert!(terminal.kept.contains_key(&1), "{:?}", terminal.kept.keys());
}

#[test]
fn tmux_hands_commands_on_and_letters_hold_the_place() {
    let protocol = Protocol::KittyInTmux;
    let (mut canvas, mut terminal) = (Canvas::new(protocol), Terminal::default());
    let change = canvas.show(&[placed(protocol, 7, 5)]);
    assert!(
        !change.show.contains("\x1b["),
        "tmux places letters, not us"
    );
    terminal.read(&change.show);
    assert_eq!(difference(&terminal.kept[&7], &picture(7)), 0.0);
    assert_eq!(placeholder(0).unwrap(), "\u{10eeee}\u{305}\u{305}");
    assert_eq!(placeholder(2).unwrap(), "\u{10eeee}\u{30e}\u{305}");
}
