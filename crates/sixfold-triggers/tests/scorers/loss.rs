use burn::module::Module;
use burn::tensor::activation::log_softmax;
use burn::tensor::{DType, Tensor, TensorData};
use sixfold_model::{Batch, PaddingSide};
use sixfold_testkit::max_relative_error;
use sixfold_triggers::{Scorer, Uat};

use crate::common::{Asked, FAMILIES, device, rng, victim, wide};

/// Σ_x ℓ(x) in f64, where the vector of a token of the trigger is moved by h along one axis.
fn loss(family: &str, asked: &Asked, place: usize, axis: usize, h: f64) -> f64 {
    let model = wide(family);
    let mut total = 0.0;
    for ((example, &seat), &class) in asked.examples.iter().zip(&asked.seats).zip(&asked.clean) {
        let batch =
            Batch::pad(&[example.with_trigger(&asked.trigger, seat).ids], 0, PaddingSide::Right);
        let device = model.body.device();
        let x =
            sixfold_model::TokenEmbedding::embed(&model.body.embed.tokens, batch.ids_on(&device));
        let [_, len, width] = x.dims();
        let mut dx = vec![0.0_f64; len * width];
        dx[(seat + place) * width + axis] = h;
        let dx =
            Tensor::<3>::from_data(TensorData::new(dx, [1, len, width]), (&device, DType::F64));
        let state = model.body.embed_vectors(&batch, x + dx).unwrap();
        let scores = model.head.forward(model.body.forward_from(state), &batch);
        let log: Vec<f64> = log_softmax(scores, 1).into_data().iter::<f64>().collect();
        total -= log[class];
    }
    total
}

#[test]
fn scores_are_the_gradient_of_the_loss_times_the_table() {
    for family in FAMILIES {
        let victim = victim(family, &device("flex"));
        let asked = Asked::new(&victim, 3);
        let found = asked.with(|query| Uat::new(&victim).score(query, &mut rng())).unwrap().values;
        let table = victim.table();
        let width = table.ncols();
        let mut expected = Vec::new();
        for place in 0..asked.trigger.len() {
            let gradient: Vec<f64> = (0..width)
                .map(|axis| {
                    let at = |h| loss(family, &asked, place, axis, h);
                    (at(1e-5) - at(-1e-5)) / 2e-5
                })
                .collect();
            expected.extend(table.rows().into_iter().map(|row| {
                row.iter().zip(&gradient).map(|(&e, g)| f64::from(e) * g).sum::<f64>() as f32
            }));
        }
        let found: Vec<f32> = found.into_iter().collect();
        let error = max_relative_error(&found, &expected);
        assert!(error <= 1e-4, "{family}: {error:.1e}");
    }
}

#[test]
fn nothing_of_the_victim_is_tracked_afterwards() {
    let victim = victim("bert", &device("flex"));
    let asked = Asked::new(&victim, 3);
    asked.with(|query| Uat::new(&victim).score(query, &mut rng())).unwrap();
    assert!(!victim.classifier().devices().iter().any(burn::tensor::Device::is_autodiff));
}
