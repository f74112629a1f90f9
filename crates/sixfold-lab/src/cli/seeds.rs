//! `--seeds 0,1,2` and `--seeds 0..3`.

use std::str::FromStr;

/// Most seeds of one run; more is a slip of the keyboard.
const MOST: u64 = 10_000;

/// A list of root seeds without repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seeds(pub(crate) Vec<u64>);

impl FromStr for Seeds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| -> Result<u64, String> {
            // TOML and JSON readers keep whole numbers up to 2^63 - 1.
            let seed = part.trim().parse::<u64>().ok().filter(|seed| i64::try_from(*seed).is_ok());
            seed.ok_or_else(|| format!("`{part}` is no seed: write 0,1,2 or 0..3"))
        };
        let mut seeds = Vec::new();
        for part in text.split(',') {
            match part.split_once("..") {
                None => seeds.push(number(part)?),
                Some((first, end)) => {
                    let (first, end) = (number(first)?, number(end)?);
                    if first >= end || end - first > MOST {
                        return Err(format!("`{part}` holds no seed, or more than {MOST}"));
                    }
                    seeds.extend(first..end);
                }
            }
        }
        let mut sorted = seeds.clone();
        sorted.sort_unstable();
        sorted.dedup();
        if sorted.len() != seeds.len() {
            return Err("a seed stands twice".to_owned());
        }
        Ok(Self(seeds))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_ranges_and_what_is_neither() {
        assert_eq!("0..3".parse(), Ok(Seeds(vec![0, 1, 2])));
        assert_eq!("7, 1,3..5".parse(), Ok(Seeds(vec![7, 1, 3, 4])));
        for wrong in
            ["", "a", "3..3", "0..", "1,1", "0..3,2", "-1", "0..99999", "9223372036854775808"]
        {
            assert!(wrong.parse::<Seeds>().is_err(), "{wrong}");
        }
    }
}
