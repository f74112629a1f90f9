//! Streamed moments against moments of all activations at once.

use burn::tensor::Tensor;
use ndarray::{Array2, Axis, concatenate};
use sixfold_linalg::{CrossMoments, Moments};
use sixfold_model::stats::{Duplicates, MomentTap, NormTap, TokenClass, TokenFilter, classify};
use sixfold_model::{Batch, PaddingSide, Seed, Site, Tap, Transformer, TransformerSpec, device};

const D: usize = 16;

/// Keeps all activations: what the library never does, for an oracle.
#[derive(Default)]
struct Keep {
    tokens: Vec<usize>,
    sites: Vec<Vec<Array2<f64>>>,
}

impl Tap for Keep {
    fn wants(&self, site: Site) -> bool {
        site.residual_index().is_some()
    }

    fn visit(&mut self, site: Site, x: Tensor<3>) -> Tensor<3> {
        let values: Vec<f32> = x.clone().into_data().iter::<f32>().collect();
        let rows: Vec<f64> = self
            .tokens
            .iter()
            .flat_map(|&token| values[token * D..(token + 1) * D].iter().map(|&v| f64::from(v)))
            .collect();
        let site = site.residual_index().unwrap();
        self.sites.resize_with(self.sites.len().max(site + 1), Vec::new);
        self.sites[site].push(Array2::from_shape_vec((self.tokens.len(), D), rows).unwrap());
        x
    }
}

fn batches() -> Vec<Batch> {
    use rand::Rng;
    let mut rng = Seed::new(5).stream("tokens");
    let mut sequence = |len: usize| -> Vec<u32> {
        std::iter::once(1).chain((1..len).map(|_| (rng.next_u64() % 38) as u32 + 2)).collect()
    };
    (0..6)
        .map(|i| {
            let rows = [sequence(20), sequence(7 + i), sequence(13)];
            Batch::pad(&rows, 0, if i % 2 == 0 { PaddingSide::Left } else { PaddingSide::Right })
        })
        .collect()
}

fn close(found: &Array2<f64>, expected: &Array2<f64>, tolerance: f64) {
    let scale = expected.iter().fold(0.0_f64, |scale, value| scale.max(value.abs()));
    let error = found.iter().zip(expected).fold(0.0_f64, |e, (a, b)| e.max((a - b).abs()));
    assert!(error <= tolerance * scale, "{error} of {scale}");
}

#[test]
fn streamed_moments_are_those_of_all_activations() {
    let mut spec = TransformerSpec::decoder(40, D, 2, 4);
    // Larger weights than at the start of training: the sites differ.
    spec.mlp.d_hidden = 64;
    for name in sixfold_model::available_devices() {
        if name == "cuda" || name == "wgpu" && !sixfold_testkit::has_vulkan() {
            continue;
        }
        let model = Transformer::new(&spec, Seed::new(3), &device(name).unwrap());
        let (mut tap, mut keep) = (MomentTap::new(), Keep::default());
        let mut duplicates = Duplicates::new(true);
        let mut classes: Vec<TokenClass> = Vec::new();
        let mut groups: Vec<usize> = Vec::new();
        for (i, batch) in batches().iter().enumerate() {
            let of_batch = classify(batch, &[], &mut duplicates);
            let rows = [i % 3, (i + 1) % 3, 2];
            tap.begin(batch, &of_batch, &rows);
            model.forward_with(batch, &mut tap).unwrap();
            keep.tokens = batch.token_indices();
            model.forward_with(batch, &mut keep).unwrap();
            groups.extend(batch.token_indices().iter().map(|token| rows[token / batch.len()]));
            classes.extend(of_batch);
        }
        assert_eq!(tap.groups(), [0, 1, 2]);
        let all: Vec<Array2<f64>> = keep
            .sites
            .iter()
            .map(|blocks| {
                let views: Vec<_> = blocks.iter().map(|block| block.view()).collect();
                concatenate(Axis(0), &views).unwrap()
            })
            .collect();
        assert_eq!(all.len(), 3);
        for filter in [TokenFilter::All, TokenFilter::NoFirst, TokenFilter::NoDuplicates] {
            for left_out in [None, Some(1)] {
                let found = tap.select(filter, |group| Some(group) == left_out).unwrap();
                let kept: Vec<usize> = (0..classes.len())
                    .filter(|&i| filter.keeps(classes[i]) && Some(groups[i]) != left_out)
                    .collect();
                for site in 0..3 {
                    let x = all[site].select(Axis(0), &kept);
                    let mut expected = Moments::new(D);
                    expected.update(x.view()).unwrap();
                    assert_eq!(found.sites[site].count(), kept.len() as u64);
                    close(&found.sites[site].scatter(), &expected.scatter(), 1e-5);
                    let norms = x.map_axis(Axis(1), |row| row.dot(&row).sqrt());
                    let mean = norms.mean().unwrap();
                    assert!(
                        (found.directions[site].mean_norm().unwrap() - mean).abs() < 1e-5 * mean
                    );
                    if site > 0 {
                        let before = all[site - 1].select(Axis(0), &kept);
                        let mut expected = CrossMoments::new(D, D);
                        expected.update(before.view(), x.view()).unwrap();
                        let found = found.transitions[site - 1].cross_scatter();
                        close(&found, &expected.cross_scatter(), 1e-5);
                    }
                }
            }
        }
    }
}

#[test]
fn norms_are_those_of_the_tokens() {
    let spec = TransformerSpec::decoder(40, D, 1, 4);
    let model = Transformer::new(&spec, Seed::new(3), &device("flex").unwrap());
    let (mut norms, mut keep) = (NormTap::new(), Keep::default());
    for batch in batches() {
        norms.begin(&batch);
        model.forward_with(&batch, &mut norms).unwrap();
        keep.tokens = batch.token_indices();
        model.forward_with(&batch, &mut keep).unwrap();
    }
    for site in 0..2 {
        let expected: Vec<f64> = keep.sites[site]
            .iter()
            .flat_map(|x| x.map_axis(Axis(1), |row| row.dot(&row).sqrt()).to_vec())
            .collect();
        assert_eq!(norms.at(site).len(), expected.len());
        for (found, expected) in norms.at(site).iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 1e-5 * expected);
        }
    }
    assert!(norms.outliers(1.0).contains(&true) && !norms.outliers(1e6).contains(&true));
}
