//! Hashes that never change: findings depend on them, so they must be equal on every machine and in every version.

/// FNV-1a over 64 bits (<http://www.isthe.com/chongo/tech/comp/fnv/>), its weak low bits mixed.
pub fn fnv(bytes: &[u8]) -> u64 {
    mix(bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)))
}

/// The finaliser of SplitMix64 (Steele, Lea, Flood, 2014): a bijection that spreads every bit over all the others.
pub fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_pinned() {
        // The first output of SplitMix64 seeded with 0, from its authors' reference code.
        assert_eq!(mix(0), 0xe220_a839_7b1d_cdaf);
        // FNV-1a of nothing is its offset basis; of "a" 0xaf63dc4c8601ec8c (test vectors on the page above).
        assert_eq!(fnv(b""), mix(0xcbf2_9ce4_8422_2325));
        assert_eq!(fnv(b"a"), mix(0xaf63_dc4c_8601_ec8c));
    }
}
