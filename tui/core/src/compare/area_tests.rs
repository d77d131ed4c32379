//! Areas with figures that are computed by hand, and by counting a fine grid.

use super::*;

fn close(found: f64, wanted: f64) {
    assert!(
        (found - wanted).abs() < 1e-12,
        "{found} instead of {wanted}"
    );
}

fn square([l, t, r, b]: [f64; 4]) -> Vec<PicturePlace> {
    vec![[l, t], [r, t], [r, b], [l, b]]
}

#[test]
fn boxes_share_their_common_rectangle() {
    // 0.2 × 0.2 each, moved by half: 0.02 of 0.06.
    let one = Area::of_box([0.1, 0.1, 0.2, 0.2]);
    let two = Area::of_box([0.2, 0.1, 0.2, 0.2]);
    let shared = one.shared(&two).unwrap();
    close(shared.both, 0.02);
    close(shared.either, 0.06);
    close(shared.overlap(), 1.0 / 3.0);
    let apart = Area::of_box([0.8, 0.8, 0.1, 0.1]);
    close(one.shared(&apart).unwrap().overlap(), 0.0);
    close(one.shared(&one).unwrap().overlap(), 1.0);
    let nothing = Area::of_box([0.1, 0.1, 0.0, 0.0]);
    close(nothing.shared(&nothing).unwrap().overlap(), 0.0);
}

#[test]
fn polygons_share_what_boxes_would_and_holes_do_not_count() {
    let boxed = Area::of_box([0.2, 0.1, 0.2, 0.2]);
    let drawn = Area::Polygons(vec![vec![square([0.1, 0.1, 0.3, 0.3])]]);
    close(boxed.shared(&drawn).unwrap().overlap(), 1.0 / 3.0);
    // 0.4 × 0.4 with a hole of 0.2 × 0.2 in the middle, against what fills the hole and half of its right.
    let ring = Area::Polygons(vec![vec![
        square([0.0, 0.0, 0.4, 0.4]),
        square([0.1, 0.1, 0.3, 0.3]),
    ]]);
    close(ring.size(), 0.12);
    let filling = Area::of_box([0.1, 0.1, 0.25, 0.2]);
    let shared = ring.shared(&filling).unwrap();
    close(shared.both, 0.01);
    close(shared.either, 0.16);
}

#[test]
fn sides_that_cross_are_cut_where_they_cross() {
    // A square and the same turned by 45 degrees about its centre: an octagon of 8(√2 − 1) a², a is half a side.
    let (centre, half) = ([0.5, 0.5], 0.2);
    let far = half * 2f64.sqrt();
    let turned = vec![
        [centre[0], centre[1] - far],
        [centre[0] + far, centre[1]],
        [centre[0], centre[1] + far],
        [centre[0] - far, centre[1]],
    ];
    let turned = Area::Polygons(vec![vec![turned]]);
    close(turned.size(), 0.16);
    let upright = Area::of_box([0.3, 0.3, 0.4, 0.4]);
    let octagon = 8.0 * (2f64.sqrt() - 1.0) * half * half;
    let shared = turned.shared(&upright).unwrap();
    close(shared.both, octagon);
    close(shared.either, 0.32 - octagon);
    // A bow tie covers its two triangles: each has a base of 0.4 and a height of 0.2.
    let bow = Area::Polygons(vec![vec![vec![
        [0.0, 0.0],
        [0.4, 0.4],
        [0.4, 0.0],
        [0.0, 0.4],
    ]]]);
    close(bow.size(), 0.08);
}

#[test]
fn polygons_of_one_label_that_overlap_count_once() {
    let two = Area::Polygons(vec![
        vec![square([0.0, 0.0, 0.2, 0.2])],
        vec![square([0.1, 0.0, 0.3, 0.2])],
    ]);
    close(two.size(), 0.06);
    let whole = Area::of_box([0.0, 0.0, 0.3, 0.2]);
    close(two.shared(&whole).unwrap().overlap(), 1.0);
}

#[test]
fn masks_share_their_pixels() {
    let mask = |rows: [&str; 3]| {
        let set: Vec<bool> = rows.concat().bytes().map(|b| b == b'#').collect();
        Area::of_pixels([4, 3], &set).unwrap()
    };
    let one = mask(["##..", "##..", "...#"]);
    let two = mask([".##.", "####", "#..#"]);
    // 5 and 8 of 12 pixels, 4 of them the same.
    let shared = one.shared(&two).unwrap();
    close(shared.both, 4.0 / 12.0);
    close(shared.either, 9.0 / 12.0);
    close(one.size(), 5.0 / 12.0);
    assert_eq!(one.bounds(), Some([0.0, 0.0, 1.0, 1.0]));
    let other = Area::of_pixels([2, 2], &[true; 4]).unwrap();
    assert_eq!(one.shared(&other), None);
    assert_eq!(Area::of_pixels([2, 2], &[true; 3]), None);
}

#[test]
fn areas_of_random_polygons_are_those_of_a_fine_grid() {
    // A generator with a fixed beginning: the figures are the same on each run.
    let mut seed = 7_u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        f64::from(u32::try_from(seed >> 33).unwrap()) / f64::from(1_u32 << 31)
    };
    for _ in 0..20 {
        let mut ring = || -> Vec<PicturePlace> { (0..9).map(|_| [next(), next()]).collect() };
        let (a, b) = (ring(), ring());
        let odd = |ring: &[PicturePlace], [x, y]: PicturePlace| {
            let mut inside = false;
            for (p, q) in ring.iter().zip(ring.iter().cycle().skip(1)) {
                if (p[1] > y) != (q[1] > y) && x < (q[0] - p[0]) * (y - p[1]) / (q[1] - p[1]) + p[0]
                {
                    inside = !inside;
                }
            }
            inside
        };
        let (mut both, mut either) = (0.0, 0.0);
        for place in 0..250_000 {
            let at = [f64::from(place % 500) + 0.5, f64::from(place / 500) + 0.5];
            let at = at.map(|n| n / 500.0);
            let (in_a, in_b) = (odd(&a, at), odd(&b, at));
            both += if in_a && in_b { 4e-6 } else { 0.0 };
            either += if in_a || in_b { 4e-6 } else { 0.0 };
        }
        let polygon = |ring: Vec<PicturePlace>| Area::Polygons(vec![vec![ring]]);
        let shared = polygon(a).shared(&polygon(b)).unwrap();
        assert!((shared.both - both).abs() < 2e-3, "{} {both}", shared.both);
        assert!(
            (shared.either - either).abs() < 2e-3,
            "{} {either}",
            shared.either
        );
    }
}
