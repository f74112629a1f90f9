//! The sample of tokens that neighbour statistics are made of.

use burn::tensor::Tensor;
use sixfold_model::stats::{SampleTap, TokenClass, TokenFilter};
use sixfold_model::{Batch, PaddingSide, Seed, Site, Tap, Transformer, TransformerSpec, device};

use crate::stats::names;

const D: usize = 16;

/// Documents in reading order: the number of each one's first token, its ids, and the classes.
fn documents() -> Vec<(u64, Vec<u32>, Vec<TokenClass>)> {
    let mut first = 0;
    (0..30_u32)
        .map(|i| {
            let ids: Vec<u32> = (0..5 + i * 7 % 11).map(|j| (i * 13 + j * 5) % 40).collect();
            let classes = (0..ids.len()).map(|j| TokenClass {
                first: j == 0,
                outlier: j == 3,
                duplicate: i % 3 == 0,
            });
            let document = (first, ids.clone(), classes.collect());
            first += ids.len() as u64;
            document
        })
        .collect()
}

/// Reads the documents in this order, so many a batch.
fn sampled(
    model: &Transformer,
    mut tap: SampleTap,
    order: &[usize],
    per_batch: usize,
) -> SampleTap {
    let documents = documents();
    for (n, chunk) in order.chunks(per_batch).enumerate() {
        let ids: Vec<Vec<u32>> = chunk.iter().map(|&i| documents[i].1.clone()).collect();
        let side = if n % 2 == 0 { PaddingSide::Left } else { PaddingSide::Right };
        let batch = Batch::pad(&ids, 0, side);
        let classes: Vec<TokenClass> =
            chunk.iter().flat_map(|&i| documents[i].2.iter().copied()).collect();
        let first: Vec<u64> = chunk.iter().map(|&i| documents[i].0).collect();
        tap.begin(&batch, &classes, &first);
        model.forward_with(&batch, &mut tap).unwrap();
    }
    tap
}

#[test]
fn every_filter_gets_as_many_tokens_whatever_the_batches() {
    let spec = TransformerSpec::decoder(40, D, 2, 4);
    let documents = documents();
    let forward: Vec<usize> = (0..documents.len()).collect();
    let backward: Vec<usize> = forward.iter().rev().copied().collect();
    for name in names() {
        let model = Transformer::new(&spec, Seed::new(3), &device(name).unwrap());
        let new = |n| SampleTap::new(n, &TokenFilter::ALL, 9);
        let a = sampled(&model, new(40), &forward, 4);
        let b = sampled(&model, new(40), &backward, 7);
        let smaller = sampled(&model, new(25), &forward, 30);
        assert_eq!(a.n_sites(), 3);
        for filter in TokenFilter::ALL {
            let tokens = a.tokens(filter);
            assert_eq!(tokens.len(), 40, "{filter}");
            assert_eq!(tokens, b.tokens(filter));
            assert!(smaller.tokens(filter).iter().all(|token| tokens.contains(token)));
            for token in &tokens {
                let of = documents.iter().rev().find(|(first, ..)| *first <= token.number);
                let (first, ids, classes) = of.unwrap();
                let position = (token.number - first) as usize;
                assert_eq!((token.position as usize, token.id), (position, ids[position]));
                assert!(filter.keeps(classes[position]));
            }
            for site in 0..3 {
                let (a, b) = (a.rows(filter, site), b.rows(filter, site));
                assert_eq!(a.dim(), (40, D));
                let error = (&a - &b).iter().fold(0.0_f32, |m, e| m.max(e.abs()));
                assert!(error < 1e-4, "{name}: {error}");
            }
        }
        // The rows are those of the tokens: site 0 is the embedding, the same for an id and a
        // position whatever else the batch holds.
        let rows = a.rows(TokenFilter::All, 0);
        let tokens = a.tokens(TokenFilter::All);
        let (ids, at): (Vec<u32>, usize) = {
            let token = tokens[17];
            let of = documents.iter().rev().find(|(first, ..)| *first <= token.number).unwrap();
            (of.1.clone(), token.position as usize)
        };
        let mut keep = Last(None);
        model.forward_with(&Batch::pad(&[ids], 0, PaddingSide::Right), &mut keep).unwrap();
        let state: Vec<f32> = keep.0.unwrap().into_data().iter::<f32>().collect();
        for (found, expected) in rows.row(17).iter().zip(&state[at * D..][..D]) {
            assert!((found - expected).abs() < 1e-5);
        }
    }
}

/// Keeps the embedding.
struct Last(Option<Tensor<3>>);

impl Tap for Last {
    fn wants(&self, site: Site) -> bool {
        site == Site::Embed
    }

    fn visit(&mut self, _: Site, x: Tensor<3>) -> Tensor<3> {
        self.0 = Some(x.clone());
        x
    }
}

#[test]
fn fewer_tokens_than_asked_for_are_all_kept() {
    let spec = TransformerSpec::decoder(40, D, 1, 4);
    let model = Transformer::new(&spec, Seed::new(3), &device("flex").unwrap());
    let documents = documents();
    let all: usize = documents.iter().map(|(_, ids, _)| ids.len()).sum();
    let order: Vec<usize> = (0..documents.len()).collect();
    let tap = SampleTap::new(100_000, &[TokenFilter::All, TokenFilter::NoFirst], 1);
    let tap = sampled(&model, tap, &order, 8);
    assert_eq!(tap.tokens(TokenFilter::All).len(), all);
    assert_eq!(tap.rows(TokenFilter::NoFirst, 1).nrows(), all - documents.len());
    // In reading order.
    assert!(tap.tokens(TokenFilter::All).iter().enumerate().all(|(i, t)| t.number == i as u64));
    // Not asked for.
    assert_eq!(tap.rows(TokenFilter::NoSinks, 1).nrows(), 0);
    assert_eq!(tap.rows(TokenFilter::All, 9).dim(), (0, 0));
    assert!(SampleTap::new(0, &[TokenFilter::All], 1).tokens(TokenFilter::All).is_empty());
}
