//! UUIDs (version 5) and numbers derived from the seed: the same seed gives the same ones on every machine.

use std::fmt::Display;

use uuid::Uuid;

/// A source of reproducible names.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names {
    base: Uuid,
    seed: u64,
}

impl Names {
    pub(crate) fn new(seed: u64) -> Self {
        let root = Uuid::new_v5(&Uuid::NAMESPACE_OID, b"encord local project");
        Self {
            base: Uuid::new_v5(&root, &seed.to_be_bytes()),
            seed,
        }
    }

    /// The UUID for `name` within a `kind`.
    pub(crate) fn uuid(&self, kind: &str, name: impl Display) -> Uuid {
        Uuid::new_v5(&self.base, format!("{kind}/{name}").as_bytes())
    }

    /// An evenly distributed number for the `n`th element of a kind (`salt`).
    pub(crate) fn number(&self, salt: u64, n: u64) -> u64 {
        mix(self.seed ^ mix(salt ^ mix(n)))
    }
}

/// The UUID of the `n`th child of `parent`.
pub(crate) fn below(parent: Uuid, kind: &str, n: impl Display) -> Uuid {
    Uuid::new_v5(&parent, format!("{kind}/{n}").as_bytes())
}

/// Maps the UUIDs of one kind to those of another and back: the version and variant bits stay, the others
/// are flipped by a fixed pattern. A UUID derived by a mask needs no column and no index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mask(u128);

impl Mask {
    /// Storage items behind data hashes.
    pub(crate) const ITEM: Self = Self(0x5c1d_83a6_4be7_09d2_0f36_92c8_71ae_b54d & Self::FLIPPED);
    /// All bits except version and variant.
    const FLIPPED: u128 = !(0xf << 76 | 0x3 << 62);

    /// The mask that belongs to `parent`.
    pub(crate) fn of(parent: Uuid, kind: &str) -> Self {
        Self(Uuid::new_v5(&parent, kind.as_bytes()).as_u128() & Self::FLIPPED)
    }

    /// The other UUID of the pair.
    pub(crate) fn flip(self, uuid: Uuid) -> Uuid {
        Uuid::from_u128(uuid.as_u128() ^ self.0)
    }
}

/// splitmix64: distributes neighbouring numbers over the whole range.
pub(crate) fn mix(n: u64) -> u64 {
    let mut z = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// A number in 0..1 from a mixed one.
pub(crate) fn unit(n: u64) -> f64 {
    // The upper 53 bits are exactly what an f64 holds.
    (n >> 11) as f64 / (1u64 << 53) as f64
}

/// Eight base64 characters, the form of feature and object hashes.
pub(crate) fn short_hash(n: u64) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    (0..8)
        .map(|i| char::from(ALPHABET[(n >> (i * 6)) as usize & 63]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_depend_on_the_seed() {
        assert_eq!(Names::new(7).uuid("data", 3), Names::new(7).uuid("data", 3));
        assert_ne!(Names::new(7).uuid("data", 3), Names::new(8).uuid("data", 3));
        assert_ne!(Names::new(7).uuid("data", 3), Names::new(7).uuid("item", 3));
        assert_ne!(Names::new(7).number(1, 2), Names::new(7).number(2, 1));
    }

    #[test]
    fn a_mask_is_its_own_inverse_and_keeps_version_and_variant() {
        let data = Names::new(7).uuid("data", 3);
        for mask in [Mask::ITEM, Mask::of(data, "task")] {
            let other = mask.flip(data);
            assert_ne!(other, data);
            assert_eq!(mask.flip(other), data);
            assert_eq!(other.get_version_num(), data.get_version_num());
            assert_eq!(other.get_variant(), data.get_variant());
        }
    }

    #[test]
    fn spread_numbers_fill_the_unit_interval() {
        let mean = (0..10_000).map(|n| unit(mix(n))).sum::<f64>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
    }
}
