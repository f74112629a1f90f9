//! Streamed moments against moments of all activations at once.

use burn::tensor::Tensor;
use ndarray::{Array2, Axis, concatenate};
use sixfold_linalg::{CrossMoments, Moments};
use sixfold_model::stats::{
    Duplicates, LayerMoments, MomentTap, NormTap, TokenClass, TokenFilter, classify,
};
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

/// The devices to test on.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let here = |name: &&str| *name != "cuda" && (*name != "wgpu" || sixfold_testkit::has_vulkan());
    sixfold_model::available_devices().into_iter().filter(here)
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
    for name in names() {
        let model = Transformer::new(&spec, Seed::new(3), &device(name).unwrap());
        let (mut tap, mut keep) = (MomentTap::new(), Keep::default());
        let mut sites = MomentTap::sites();
        let mut duplicates = Duplicates::new(true);
        let mut classes: Vec<TokenClass> = Vec::new();
        let mut groups: Vec<usize> = Vec::new();
        for (i, batch) in batches().iter().enumerate() {
            let of_batch = classify(batch, &[], &mut duplicates);
            let rows = [i % 3, (i + 1) % 3, 2];
            tap.begin(batch, &of_batch, &rows);
            model.forward_with(batch, &mut tap).unwrap();
            sites.begin(batch, &of_batch, &rows);
            model.forward_with(batch, &mut sites).unwrap();
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
                let alone = sites.select(filter, |group| Some(group) == left_out).unwrap();
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
                        (alone.directions[site].mean_norm().unwrap() - mean).abs() < 1e-5 * mean
                    );
                    close(&alone.sites[site].scatter(), &expected.scatter(), 1e-5);
                    assert_eq!(found.directions[site].count(), 0);
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

/// 40 sequences, as many a batch as asked for, all tokens in one cell or in those of two groups.
fn streamed(model: &Transformer, per_batch: usize, mut tap: MomentTap, groups: bool) -> MomentTap {
    let sequences: Vec<Vec<u32>> = (0..40_u32)
        .map(|i| (0..30 + i % 7).map(|j| (i * 31 + j * (7 + i % 5)) % 40).collect())
        .collect();
    for (n, chunk) in sequences.chunks(per_batch).enumerate() {
        let batch = Batch::pad(chunk, 0, PaddingSide::Right);
        match groups {
            false => tap.begin_all(&batch),
            true => {
                let classes = vec![TokenClass::default(); batch.n_tokens()];
                let of_rows: Vec<usize> =
                    (0..batch.rows()).map(|row| (n * per_batch + row) % 2).collect();
                tap.begin(&batch, &classes, &of_rows);
            }
        }
        model.forward_with(&batch, &mut tap).unwrap();
    }
    tap
}

fn same(found: &LayerMoments, expected: &LayerMoments) {
    assert_eq!(found.sites.len(), expected.sites.len());
    for (found, expected) in found.sites.iter().zip(&expected.sites) {
        assert_eq!(found.count(), expected.count());
        close(&found.scatter(), &expected.scatter(), 1e-5);
        let (a, b) = (found.mean().unwrap(), expected.mean().unwrap());
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-5));
    }
    for (found, expected) in found.transitions.iter().zip(&expected.transitions) {
        close(&found.cross_scatter(), &expected.cross_scatter(), 1e-5);
    }
    for (found, expected) in found.directions.iter().zip(&expected.directions) {
        // None where cross moments are counted.
        if found.count() == 0 || expected.count() == 0 {
            continue;
        }
        let of =
            |d: &sixfold_linalg::Directions| (d.mean_norm().unwrap(), d.mean_cosine().unwrap());
        let ((norm, cosine), (norm_, cosine_)) = (of(found), of(expected));
        assert!((norm / norm_ - 1.0).abs() < 1e-5 && (cosine - cosine_).abs() < 1e-5);
    }
}

/// More tokens than a buffer holds, and batches smaller and larger than it.
#[test]
fn batches_and_cells_change_nothing() {
    let spec = TransformerSpec::decoder(40, D, 2, 4);
    for name in names() {
        let model = Transformer::new(&spec, Seed::new(4), &device(name).unwrap());
        let mut whole = streamed(&model, 40, MomentTap::new(), false);
        let whole = whole.select(TokenFilter::All, |_| false).unwrap();
        assert_eq!((whole.sites.len(), whole.transitions.len()), (3, 2));
        assert_eq!(whole.sites[0].count(), (0..40).map(|i| 30 + i % 7).sum::<u64>());
        let mut small = streamed(&model, 3, MomentTap::new(), false);
        same(&small.select(TokenFilter::All, |_| false).unwrap(), &whole);
        let mut grouped = streamed(&model, 8, MomentTap::new(), true);
        same(&grouped.select(TokenFilter::All, |_| false).unwrap(), &whole);
        let halves = grouped.by_group(TokenFilter::All).unwrap();
        assert_eq!(halves.iter().map(|(group, _)| *group).collect::<Vec<_>>(), [0, 1]);
        for (group, half) in &halves {
            same(half, &grouped.select(TokenFilter::All, |other| other != *group).unwrap());
        }
        let mut sites = streamed(&model, 8, MomentTap::sites(), true);
        let sites = sites.select(TokenFilter::All, |_| false).unwrap();
        assert!(sites.transitions.is_empty());
        same(&sites, &LayerMoments { transitions: Vec::new(), ..whole });
        let mut once = streamed(&model, 40, MomentTap::sites(), false);
        same(&sites, &once.select(TokenFilter::All, |_| false).unwrap());
    }
}

/// A look at the moments in the middle of a text does not disturb the rest.
#[test]
fn a_look_in_between_changes_nothing() {
    let model = Transformer::new(
        &TransformerSpec::decoder(40, D, 2, 4),
        Seed::new(4),
        &device("flex").unwrap(),
    );
    let once = streamed(&model, 5, MomentTap::new(), true);
    let mut twice = streamed(&model, 5, streamed(&model, 5, MomentTap::new(), true), true);
    let mut looked = once;
    let before = looked.select(TokenFilter::All, |_| false).unwrap();
    let mut looked = streamed(&model, 5, looked, true);
    let (a, b) = (
        looked.select(TokenFilter::All, |_| false).unwrap(),
        twice.select(TokenFilter::All, |_| false).unwrap(),
    );
    assert_eq!(a.sites[0].count(), 2 * before.sites[0].count());
    same(&a, &b);
}

#[test]
fn a_value_that_is_not_finite_is_an_error() {
    let batch = Batch::pad(&[vec![1, 2, 3]], 0, PaddingSide::Right);
    let mut tap = MomentTap::sites();
    tap.begin_all(&batch);
    let mut values = vec![1.0_f32; 3 * D];
    values[D + 2] = f32::NAN;
    let data = burn::tensor::TensorData::new(values, [1, 3, D]);
    let x = Tensor::<3>::from_data(data, &device("flex").unwrap());
    tap.visit(Site::Embed, x);
    let error = tap.select(TokenFilter::All, |_| false).unwrap_err().to_string();
    assert!(error.contains("not finite"), "{error}");
}
