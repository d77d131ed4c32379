//! kitty's graphics protocol (<https://sw.kovidgoyal.net/kitty/graphics-protocol/>): pictures are sent once under a
//! number, in parts of at most 4,096 bytes, and placed as often as needed. `q=2` keeps the terminal from answering
//! among the keys.

use super::Placement;
use wb_core::text::base64;

/// The letter that stands for a cell of a picture, where pictures are placed by letters.
pub const PLACEHOLDER: char = '\u{10eeee}';

/// Marks over that letter, each for one more row from the top: the first of kitty's table.
const ROWS: [char; 128] = [
    '\u{305}', '\u{30d}', '\u{30e}', '\u{310}', '\u{312}', '\u{33d}', '\u{33e}', '\u{33f}',
    '\u{346}', '\u{34a}', '\u{34b}', '\u{34c}', '\u{350}', '\u{351}', '\u{352}', '\u{357}',
    '\u{35b}', '\u{363}', '\u{364}', '\u{365}', '\u{366}', '\u{367}', '\u{368}', '\u{369}',
    '\u{36a}', '\u{36b}', '\u{36c}', '\u{36d}', '\u{36e}', '\u{36f}', '\u{483}', '\u{484}',
    '\u{485}', '\u{486}', '\u{487}', '\u{592}', '\u{593}', '\u{594}', '\u{595}', '\u{597}',
    '\u{598}', '\u{599}', '\u{59c}', '\u{59d}', '\u{59e}', '\u{59f}', '\u{5a0}', '\u{5a1}',
    '\u{5a8}', '\u{5a9}', '\u{5ab}', '\u{5ac}', '\u{5af}', '\u{5c4}', '\u{610}', '\u{611}',
    '\u{612}', '\u{613}', '\u{614}', '\u{615}', '\u{616}', '\u{617}', '\u{657}', '\u{658}',
    '\u{659}', '\u{65a}', '\u{65b}', '\u{65d}', '\u{65e}', '\u{6d6}', '\u{6d7}', '\u{6d8}',
    '\u{6d9}', '\u{6da}', '\u{6db}', '\u{6dc}', '\u{6df}', '\u{6e0}', '\u{6e1}', '\u{6e2}',
    '\u{6e4}', '\u{6e7}', '\u{6e8}', '\u{6eb}', '\u{6ec}', '\u{730}', '\u{732}', '\u{733}',
    '\u{735}', '\u{736}', '\u{73a}', '\u{73d}', '\u{73f}', '\u{740}', '\u{741}', '\u{743}',
    '\u{745}', '\u{747}', '\u{749}', '\u{74a}', '\u{7eb}', '\u{7ec}', '\u{7ed}', '\u{7ee}',
    '\u{7ef}', '\u{7f0}', '\u{7f1}', '\u{7f3}', '\u{816}', '\u{817}', '\u{818}', '\u{819}',
    '\u{81b}', '\u{81c}', '\u{81d}', '\u{81e}', '\u{81f}', '\u{820}', '\u{821}', '\u{822}',
    '\u{823}', '\u{825}', '\u{826}', '\u{827}', '\u{829}', '\u{82a}', '\u{82b}', '\u{82c}',
];

/// The letter of a row's first cell; the cells right of it count on by themselves.
pub fn placeholder(row: u16) -> Option<String> {
    let mark = ROWS.get(usize::from(row))?;
    // Column 0 has the same mark as row 0.
    Some([PLACEHOLDER, *mark, ROWS[0]].iter().collect())
}

/// Bytes of base64 in one command.
const PART: usize = 4_096;

/// Sends a PNG file.
pub fn send(id: u32, png: &[u8]) -> Vec<String> {
    let text = base64(png);
    let parts: Vec<&str> = (0..text.len().div_ceil(PART))
        .map(|n| &text[n * PART..text.len().min((n + 1) * PART)])
        .collect();
    let last = parts.len().saturating_sub(1);
    let part = |(n, part): (usize, &&str)| {
        let more = u8::from(n < last);
        match n {
            0 => format!("\x1b_Ga=t,t=d,f=100,i={id},q=2,m={more};{part}\x1b\\"),
            _ => format!("\x1b_Gq=2,m={more};{part}\x1b\\"),
        }
    };
    parts.iter().enumerate().map(part).collect()
}

/// A number for each place, so that one picture may be in several.
fn number(place: &Placement) -> u32 {
    u32::from(place.area.y) * 10_000 + u32::from(place.area.x) + 1
}

/// Places it where the cursor stands, which does not move.
pub fn place(new: &Placement) -> String {
    let (id, p, area) = (new.id, number(new), new.area);
    let (w, h) = (area.width, area.height);
    format!("\x1b_Ga=p,i={id},p={p},c={w},r={h},C=1,q=2\x1b\\")
}

/// Places it where its letters are.
pub fn place_by_letters(new: &Placement) -> String {
    let (id, area) = (new.id, new.area);
    let (w, h) = (area.width, area.height);
    format!("\x1b_Ga=p,U=1,i={id},c={w},r={h},q=2\x1b\\")
}

/// Takes it from its place; the pixels are kept.
pub fn remove(old: &Placement) -> String {
    format!("\x1b_Ga=d,d=i,i={},p={},q=2\x1b\\", old.id, number(old))
}

/// Forgets a picture.
pub fn free(id: u32) -> String {
    format!("\x1b_Ga=d,d=I,i={id},q=2\x1b\\")
}

/// Forgets all pictures.
pub fn free_all() -> String {
    "\x1b_Ga=d,d=A,q=2\x1b\\".to_owned()
}
