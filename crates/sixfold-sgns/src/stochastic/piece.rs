//! The pairs of a piece of text, and the draws on the way.

use std::ops::Range;

use pulp::{Simd, WithSimd};
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::noise::Alias;
use super::update::{LANES, Tables};
use crate::counting::Sides;

/// Which pairs and negatives there are.
#[derive(Debug)]
pub(super) struct Draws {
    pub(super) noise: Alias,
    pub(super) negatives: usize,
    pub(super) collisions: bool,
    pub(super) window: usize,
    pub(super) dynamic: bool,
    pub(super) sides: Sides,
    /// What stands where no word counts.
    pub(super) nothing: u32,
}

/// A piece of a text that is laid out for windows.
#[derive(Debug)]
pub(super) struct Piece<'a, T> {
    pub(super) tables: &'a mut T,
    pub(super) draws: &'a Draws,
    pub(super) laid: &'a [u32],
    /// The words whose windows are gone through.
    pub(super) range: Range<usize>,
    pub(super) random: ChaCha8Rng,
    pub(super) rate: f32,
}

impl<T: Tables> WithSimd for Piece<'_, T> {
    /// Whether all numbers were finite, as far as it was seen.
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> bool {
        let Self { tables, draws, laid, range, mut random, rate } = self;
        let mut targets = Vec::with_capacity(1 + draws.negatives);
        let mut x = vec![0.0; (1 + draws.negatives).next_multiple_of(LANES)];
        let mut slopes = 0.0;
        for at in range {
            let word = laid[at];
            if word == draws.nothing {
                continue;
            }
            for place in draws.contexts(at, laid.len(), &mut random) {
                let context = laid[place];
                if place == at || context == draws.nothing {
                    continue;
                }
                targets.clear();
                targets.push(context);
                for _ in 0..draws.negatives {
                    let negative = draws.noise.draw(&mut random);
                    if draws.collisions || negative != context {
                        targets.push(negative);
                    }
                }
                tables.update(simd, word, &targets, &mut x, rate);
                slopes += x[0];
            }
        }
        slopes.is_finite()
    }
}

impl Draws {
    /// The window around a place; the place itself may be in it.
    #[inline(always)]
    fn contexts(&self, at: usize, len: usize, random: &mut ChaCha8Rng) -> Range<usize> {
        let reach = match self.dynamic {
            true => 1 + ((u64::from(random.next_u32()) * self.window as u64) >> 32) as usize,
            false => self.window,
        };
        let start = if self.sides == Sides::Right { at } else { at.saturating_sub(reach) };
        let end = if self.sides == Sides::Left { at } else { (at + reach + 1).min(len) };
        start..end
    }
}
