//! The last hidden state at one position is that of the whole pass.

use burn::tensor::Tensor;
use sixfold_model::{
    Batch, Checkpoint, HeadKind, PaddingSide, Seed, SequenceClassifier, Transformer,
};
use sixfold_testkit::max_abs_error;

use crate::harness::{cases, name};

fn batch(model: &Transformer) -> Batch {
    let top = model.spec().vocab_size as u32;
    let row = |n: u32, step: u32| (0..n).map(|i| 3 + (i * step) % (top - 3)).collect::<Vec<_>>();
    Batch::pad(&[row(7, 5), row(4, 11), row(6, 3)], 0, PaddingSide::Right)
}

fn values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().iter::<f32>().collect()
}

#[test]
fn one_position_of_every_family() {
    let device = sixfold_model::device("flex").unwrap();
    for case in cases() {
        let model = Checkpoint::open(&case).unwrap().transformer(&device).unwrap();
        let batch = batch(&model);
        let positions = [6, 0, 3];
        let found = values(model.forward_at(&batch, &positions).unwrap());
        let all = values(model.forward(&batch).unwrap());
        let width = found.len() / 3;
        for (row, at) in positions.into_iter().enumerate() {
            let from = (row * batch.len() + at) * width;
            let error = max_abs_error(&found[row * width..][..width], &all[from..from + width]);
            assert!(error <= 1e-5, "{}, row {row}: {error:.1e}", name(&case));
        }
    }
}

#[test]
fn a_classifier_gives_the_same_scores_with_a_tap_and_without() {
    struct Looks;
    impl sixfold_model::Tap for Looks {
        fn visit(&mut self, _: sixfold_model::Site, x: Tensor<3>) -> Tensor<3> {
            x
        }
    }
    let device = sixfold_model::device("flex").unwrap();
    let mut n = 0;
    for case in cases() {
        let checkpoint = Checkpoint::open(&case).unwrap();
        if checkpoint.head() != Some(HeadKind::Classifier) {
            continue;
        }
        let model: SequenceClassifier = checkpoint.classifier(Seed::new(0), &device).unwrap();
        let batch = batch(&model.body);
        let (plain, tapped) =
            (model.forward(&batch).unwrap(), model.forward_with(&batch, &mut Looks).unwrap());
        let error = max_abs_error(&values(plain), &values(tapped));
        assert!(error <= 1e-5, "{}: {error:.1e}", name(&case));
        n += 1;
    }
    assert!(n >= 6, "{n} classifiers");
}
