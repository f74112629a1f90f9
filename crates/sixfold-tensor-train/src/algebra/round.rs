//! Rounding: a train to one of smaller ranks.

use ndarray::s;
use sixfold_linalg::{Svd, svd};

use super::train::{Core, Train};
use crate::decompose::{Decomposition, Rules, Target, cut};
use crate::{Cores, Error, Result};

pub(super) fn round(cores: &Cores, target: &Target) -> Result<Decomposition> {
    let shape = cores.shape();
    let mut train = Train::new(cores)?;
    if let Some(at) = cores.values().iter().position(|x| !x.is_finite()) {
        return Err(Error::NotFinite { what: "the cores", row: 0, column: at });
    }
    let rules = Rules::new(shape, target)?;
    if let Target::Ranks(ranks) = target {
        for (bond, (rank, attainable)) in ranks.iter().zip(shape.ranks()).enumerate() {
            if rank > attainable {
                return Err(Error::Rank { bond, rank: *rank, attainable: *attainable });
            }
        }
    }
    train.orthogonalise()?;
    let energy = train.cores[0].values.iter().map(|x| x * x).sum::<f64>();
    let bonds = train.cores.len() - 1;
    let mut discarded = Vec::with_capacity(bonds);
    for k in 0..bonds {
        let this = &train.cores[k];
        let Svd { u, s, vt } = svd(this.down())?;
        let squares: Vec<f64> = s.iter().map(|s| s * s).collect();
        let rule = rules.at(k + 1, energy, discarded.iter().sum(), bonds - k);
        let (rank, out) = cut(&squares, rule);
        discarded.push(out);
        let kept = u.slice(s![.., ..rank]).to_owned();
        train.cores[k] = Core::of(&kept, this.left, this.size, rank);
        let mut rest = vt.slice(s![..rank, ..]).to_owned();
        rest.outer_iter_mut().zip(&s).for_each(|(mut row, s)| row *= *s);
        train.multiply(k + 1, rest.view());
    }
    Ok(Decomposition::new(train.into_cores(shape)?, energy.sqrt(), discarded))
}
