//! Clouds of all residual sites of a model, in one pass over a text.

use burn::tensor::Tensor;
use sixfold_model::stats::{LayerMoments, MomentTap, TokenClass, TokenFilter};
use sixfold_model::{Batch, Site, Tap};

use crate::Result;
use crate::cloud::{Cloud, RowNorm};

/// A tap that streams every residual site of a model into [`Cloud`]s.
///
/// Nothing else is kept: memory does not grow with the text. Tokens may be split by class and by
/// group of documents, so that one pass gives the clouds of every [`TokenFilter`] and the groups
/// that intervals need ([`spread_of_groups`](crate::cloud::spread_of_groups)).
///
/// ```
/// use sixfold_geometry::CloudTap;
/// use sixfold_model::{Batch, PaddingSide, Seed, Transformer, TransformerSpec, device};
///
/// let spec = TransformerSpec::decoder(40, 16, 2, 4);
/// let model = Transformer::new(&spec, Seed::new(0), &device("flex")?);
/// let mut tap = CloudTap::new();
/// for sequence in [vec![1, 5, 6, 7], vec![1, 9, 3]] {
///     let batch = Batch::pad(&[sequence], 0, PaddingSide::Right);
///     tap.begin_all(&batch);
///     model.forward_with(&batch, &mut tap)?;
/// }
/// for cloud in tap.clouds()? {
///     assert_eq!(cloud.count(), 7);
///     assert!(cloud.anisotropy()? < 1.0);
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct CloudTap {
    moments: MomentTap,
}

impl Default for CloudTap {
    fn default() -> Self {
        Self::new()
    }
}

impl CloudTap {
    /// Starts without any token.
    pub fn new() -> Self {
        Self { moments: MomentTap::sites() }
    }

    /// Says which batch comes next, all of whose tokens count alike.
    pub fn begin_all(&mut self, batch: &Batch) {
        self.moments.begin_all(batch);
    }

    /// Says which batch comes next: the class of each of its tokens (padding left out, row by
    /// row, as [`classify`](sixfold_model::stats::classify) gives them), and the group of each
    /// row.
    ///
    /// # Panics
    /// If there is not one class a token and one group a row.
    pub fn begin(&mut self, batch: &Batch, classes: &[TokenClass], groups: &[usize]) {
        self.moments.begin(batch, classes, groups);
    }

    /// The clouds of all tokens, by site.
    ///
    /// # Errors
    /// The first error of the pass, such as a state that is not finite.
    pub fn clouds(&mut self) -> Result<Vec<Cloud>> {
        self.clouds_of(TokenFilter::All)
    }

    /// The clouds of the tokens that `filter` keeps, by site.
    ///
    /// # Errors
    /// As [`clouds`](Self::clouds).
    pub fn clouds_of(&mut self, filter: TokenFilter) -> Result<Vec<Cloud>> {
        clouds(self.moments.select(filter, |_| false)?)
    }

    /// The same, by site and then by group: what [`spread_of_groups`] takes, and whose merge
    /// [`clouds_of`](Self::clouds_of) is.
    ///
    /// # Errors
    /// As [`clouds`](Self::clouds).
    ///
    /// [`spread_of_groups`]: crate::cloud::spread_of_groups
    pub fn groups_of(&mut self, filter: TokenFilter) -> Result<Vec<Vec<Cloud>>> {
        let mut sites: Vec<Vec<Cloud>> = Vec::new();
        for (_, moments) in self.moments.by_group(filter)? {
            for (site, cloud) in clouds(moments)?.into_iter().enumerate() {
                if sites.len() == site {
                    sites.push(Vec::new());
                }
                sites[site].push(cloud);
            }
        }
        Ok(sites)
    }
}

impl Tap for CloudTap {
    fn wants(&self, site: Site) -> bool {
        self.moments.wants(site)
    }

    fn visit(&mut self, site: Site, x: Tensor<3>) -> Tensor<3> {
        self.moments.visit(site, x)
    }
}

fn clouds(moments: LayerMoments) -> Result<Vec<Cloud>> {
    let LayerMoments { sites, directions, .. } = moments;
    let pairs = sites.into_iter().zip(directions);
    pairs.map(|(site, of_site)| Cloud::from_streamed(site, of_site, RowNorm::None)).collect()
}
