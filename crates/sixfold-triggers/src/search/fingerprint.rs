//! What tells one search from another.

use sha2::{Digest, Sha256};

use super::clean::Clean;
use super::config::SearchConfig;
use super::state::Fingerprint;
use crate::{Error, Example, Result};

pub(super) fn fingerprint(
    config: &SearchConfig,
    examples: &[Example],
    seats: &[usize],
    clean: &Clean,
    allowed: &[bool],
) -> Fingerprint {
    // Neither decides what an update does, only whether there is another one.
    let config = SearchConfig { updates: 1, budget: None, ..config.clone() };
    let mut data = Sha256::new();
    for ((example, seat), class) in examples.iter().zip(seats).zip(&clean.classes) {
        let ids = &example.clean().ids;
        for number in [ids.len(), *seat, *class] {
            data.update((number as u64).to_le_bytes());
        }
        for number in ids.iter().chain(&example.clean().token_types) {
            data.update(number.to_le_bytes());
        }
    }
    let allowed: Vec<u8> = allowed.iter().copied().map(u8::from).collect();
    Fingerprint {
        config: hexadecimal(Sha256::digest(format!("{config:?}"))),
        data: hexadecimal(data.finalize()),
        allowed: hexadecimal(Sha256::digest(allowed)),
    }
}

fn hexadecimal(digest: impl IntoIterator<Item = u8>) -> String {
    digest.into_iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Fingerprint {
    /// Refuses a state of another search.
    pub(super) fn check(&self, found: &Self) -> Result<()> {
        let parts = [
            ("the search's settings, by hash", &self.config, &found.config),
            ("the search's data, by hash", &self.data, &found.data),
            ("the search's allowed tokens, by hash", &self.allowed, &found.allowed),
        ];
        match parts.into_iter().find(|(_, expected, found)| expected != found) {
            Some((what, expected, found)) => {
                Err(Error::Mismatch { what, expected: expected.clone(), found: found.clone() })
            }
            None => Ok(()),
        }
    }
}
