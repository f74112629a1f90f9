//! Taps, splitting, and cutting in.

use burn::tensor::Tensor;
use sixfold_model::{
    Batch, BlockForm, BlockSite, PaddingSide, Seed, Site, Tap, Transformer, TransformerSpec,
};
use sixfold_testkit::max_abs_error;

fn model(form: BlockForm) -> Transformer {
    let device = sixfold_model::device("flex").unwrap();
    let mut spec = TransformerSpec::decoder(40, 16, 3, 4);
    spec.block = form;
    Transformer::new(&spec, Seed::new(4), &device)
}

fn batch() -> Batch {
    Batch::pad(&[vec![1, 2, 3, 4], vec![5, 6]], 0, PaddingSide::Right)
}

fn values(x: Tensor<3>) -> Vec<f32> {
    x.into_data().iter::<f32>().collect()
}

/// Notes the order of sites and keeps the tensors.
#[derive(Default)]
struct Recorder(Vec<(Site, Vec<f32>)>);

impl Tap for Recorder {
    fn visit(&mut self, site: Site, x: Tensor<3>) -> Tensor<3> {
        self.0.push((site, values(x.clone())));
        x
    }
}

/// Puts zeros in the place of one site.
struct Zero(Site);

impl Tap for Zero {
    fn wants(&self, site: Site) -> bool {
        site == self.0
    }

    fn visit(&mut self, _: Site, x: Tensor<3>) -> Tensor<3> {
        x.zeros_like()
    }
}

#[test]
fn every_site_is_visited_once_in_order() {
    for form in [BlockForm::PreNorm, BlockForm::PostNorm, BlockForm::Parallel] {
        let mut recorder = Recorder::default();
        let model = model(form);
        let with = values(model.forward_with(&batch(), &mut recorder).unwrap());
        let names: Vec<String> = recorder.0.iter().map(|(site, _)| site.to_string()).collect();
        let mut expected = vec!["embed".to_owned()];
        for block in 0..3 {
            for at in ["resid_pre", "attn_out", "mlp_out", "resid_post"] {
                expected.push(format!("blocks.{block}.hook_{at}"));
            }
        }
        expected.push("final_norm".to_owned());
        assert_eq!(names, expected);
        assert_eq!(
            with,
            values(model.forward(&batch()).unwrap()),
            "a tap that looks changes nothing"
        );
        assert_eq!(recorder.0[0].1, recorder.0[1].1, "the first block reads the embeddings");
    }
}

#[test]
fn what_enters_plus_what_is_added_leaves() {
    let mut recorder = Recorder::default();
    model(BlockForm::PreNorm).forward_with(&batch(), &mut recorder).unwrap();
    let at = |at| {
        let site = Site::Block { index: 1, at };
        &recorder.0.iter().find(|(s, _)| *s == site).unwrap().1
    };
    let sum: Vec<f32> = at(BlockSite::ResidPre)
        .iter()
        .zip(at(BlockSite::AttnOut))
        .zip(at(BlockSite::MlpOut))
        .map(|((x, a), m)| x + a + m)
        .collect();
    assert!(max_abs_error(&sum, at(BlockSite::ResidPost)) < 1e-6);
}

#[test]
fn a_tap_that_replaces_takes_effect() {
    let model = model(BlockForm::PreNorm);
    let mut off = Zero(Site::Block { index: 0, at: BlockSite::AttnOut });
    let without = values(model.forward_with(&batch(), &mut off).unwrap());
    assert_ne!(without, values(model.forward(&batch()).unwrap()));
    let silent = values(model.forward_with(&batch(), &mut Zero(Site::FinalNorm)).unwrap());
    assert!(silent.iter().all(|&value| value == 0.0));
}

#[test]
fn a_split_forward_is_the_forward() {
    let model = model(BlockForm::PreNorm);
    let whole = values(model.forward(&batch()).unwrap());
    for layer in 0..=3 {
        let state = model.forward_to(layer, &batch()).unwrap();
        assert_eq!(state.layer, layer);
        assert_eq!(values(model.forward_from(state)), whole);
    }
    let table = model.embed.tokens.weight.val();
    let ids = batch();
    let rows = ids.ids_on(&model.device()).reshape([8]);
    let vectors = table.select(0, rows).reshape([2, 4, 16]);
    let state = model.embed_vectors(&ids, vectors).unwrap();
    assert_eq!(values(model.forward_from(state)), whole, "vectors in place of ids");
}

#[test]
fn bad_tokens_are_named() {
    let model = model(BlockForm::PreNorm);
    let bad = Batch::pad(&[vec![1, 2], vec![3, 40]], 0, PaddingSide::Right);
    let error = model.forward(&bad).unwrap_err().to_string();
    assert!(error.contains("token id 40 at row 1, position 1"), "{error}");
    let typed = batch().with_token_types(vec![3; 8]).unwrap();
    assert!(model.forward(&typed).unwrap_err().to_string().contains("token type 3"));
}

#[test]
fn a_sequence_beyond_the_learned_positions_is_an_error() {
    let device = sixfold_model::device("flex").unwrap();
    let mut spec = TransformerSpec::encoder(40, 16, 1, 4);
    spec.positions = sixfold_model::Positions::Learned {
        rows: 5,
        rule: sixfold_model::PositionRule::Tokens { offset: 2 },
    };
    let model = Transformer::new(&spec, Seed::new(0), &device);
    assert!(model.forward(&Batch::pad(&[vec![1, 2, 3]], 0, PaddingSide::Right)).is_ok());
    let long = Batch::pad(&[vec![1, 2, 3, 4]], 0, PaddingSide::Right);
    let error = model.forward(&long).unwrap_err().to_string();
    assert!(error.contains("4 tokens") && error.contains("3"), "{error}");
}
