use burn::tensor::{DType, Int, Tensor, TensorData};
use ndarray::Array2;
use sixfold_model::{Batch, PaddingSide};
use sixfold_testkit::max_relative_error;
use sixfold_triggers::score::rank::{token_scores, top_tokens};
use sixfold_triggers::{Derivative, Error, Luat, LuatConfig, ModelVictim, Rows, Scorer, Start};

use crate::common::{Asked, FAMILIES, cosine, device, rng, victim, wide};

/// Σ_x Jᵀ φ(J v) with J column by column, by central differences in f64.
fn by_columns(family: &str, asked: &Asked, v: &Array2<f32>, config: &LuatConfig) -> Vec<f32> {
    const H: f64 = 1e-5;
    let model = wide(family).body;
    let (length, width) = v.dim();
    let mut sum = vec![0.0_f64; length * width];
    for (example, &seat) in asked.examples.iter().zip(&asked.seats) {
        let ids = example.with_trigger(&asked.trigger, seat).ids;
        let len = ids.len();
        let batch = Batch::pad(&[ids], 0, PaddingSide::Right);
        let x = model.embed.tokens.weight.val().select(
            0,
            Tensor::<1, Int>::from_data(
                TensorData::new(batch.ids().iter().map(|&id| id as i32).collect(), [len]),
                &model.device(),
            ),
        );
        let moved = |flat: usize, h: f64| -> Vec<f64> {
            let mut dx = vec![0.0_f64; len * width];
            dx[seat * width + flat] = h;
            let dx = Tensor::<2>::from_data(
                TensorData::new(dx, [len, width]),
                (&model.device(), DType::F64),
            );
            let state = model.embed_vectors(&batch, (x.clone() + dx).unsqueeze()).unwrap();
            let hidden = model.advance(state, config.layer + 1, &mut ()).hidden;
            hidden.into_data().iter::<f64>().collect()
        };
        let columns: Vec<Vec<f64>> = (0..length * width)
            .map(|flat| {
                let (up, down) = (moved(flat, H), moved(flat, -H));
                up.iter().zip(&down).map(|(u, d)| (u - d) / (2.0 * H)).collect()
            })
            .collect();
        let mut u = vec![0.0_f64; columns[0].len()];
        for (column, &v) in columns.iter().zip(v.iter()) {
            u.iter_mut().zip(column).for_each(|(u, c)| *u += c * f64::from(v));
        }
        let d_model = u.len() / len;
        for (i, u) in u.iter_mut().enumerate() {
            let position = i / d_model;
            let counts = match config.rows {
                Rows::All => true,
                Rows::NonTrigger => !(seat..seat + length).contains(&position),
                Rows::First => position == 0,
            };
            *u = if counts { u.signum() * u.abs().powf(config.q - 1.0) } else { 0.0 };
        }
        for (sum, column) in sum.iter_mut().zip(&columns) {
            *sum += column.iter().zip(&u).map(|(c, u)| c * u).sum::<f64>();
        }
    }
    sum.into_iter().map(|value| value as f32).collect()
}

fn direction(width: usize) -> Array2<f32> {
    Array2::from_shape_fn((2, width), |(i, j)| ((i * 31 + j * 7) as f32 * 0.37).sin() * 0.2)
}

#[test]
fn a_power_step_is_that_of_the_jacobian_in_f64() {
    for (family, layer, q, rows) in [
        ("bert", 1, 2.0, Rows::All),
        ("roberta", 0, 3.0, Rows::NonTrigger),
        ("albert", 1, 5.0, Rows::First),
        ("gpt2", 1, 1.5, Rows::All),
    ] {
        let victim = victim(family, &device("flex"));
        let asked = Asked::new(&victim, 3);
        let config = LuatConfig { layer, q, rows, ..LuatConfig::default() };
        let v = direction(victim.table().ncols());
        let luat = Luat::new(&victim, config.clone()).unwrap();
        let found = asked.with(|query| luat.power_step(query, &v)).unwrap();
        let found: Vec<f32> = found.into_iter().collect();
        let expected = by_columns(family, &asked, &v, &config);
        // Only the direction matters: moves are measured in a unit of their own.
        let norm = |x: &[f32]| x.iter().map(|x| x * x).sum::<f32>().sqrt();
        let scaled = |x: &[f32]| -> Vec<f32> { x.iter().map(|v| v / norm(x)).collect() };
        let error = max_relative_error(&scaled(&found), &scaled(&expected));
        assert!(error <= 1e-4, "{family}: {error:.1e}");
    }
}

fn scores(victim: &ModelVictim, asked: &Asked, config: LuatConfig) -> Array2<f32> {
    let mut luat = Luat::new(victim, config).unwrap();
    asked.with(|query| luat.score(query, &mut rng())).unwrap().values
}

/// Cosine of two score matrices, and the share of the ten best tokens that they have in common.
fn agreement(a: &Array2<f32>, b: &Array2<f32>, allowed: &[bool]) -> (f64, f64) {
    let best = |scores: &Array2<f32>| top_tokens(scores.view(), allowed, 10).unwrap();
    let (first, second) = (best(a), best(b));
    let common = |(a, b): (&Vec<u32>, &Vec<u32>)| a.iter().filter(|id| b.contains(id)).count();
    let shared: usize = first.iter().zip(&second).map(common).sum();
    let total: usize = first.iter().map(Vec::len).sum();
    let (a, b): (Vec<f32>, Vec<f32>) = (a.iter().copied().collect(), b.iter().copied().collect());
    (cosine(&a, &b), shared as f64 / total as f64)
}

#[test]
fn differences_of_a_small_step_give_the_same_scores_and_those_of_a_large_one_do_not() {
    let mut failed_with_one = 0;
    for family in FAMILIES {
        let victim = victim(family, &device("flex"));
        let asked = Asked::new(&victim, 24);
        for q in [2.0, 5.0] {
            let config =
                |derivative| LuatConfig { layer: 1, q, derivative, ..LuatConfig::default() };
            let exact = scores(&victim, &asked, config(Derivative::Tangent));
            let of = |derivative| {
                agreement(&exact, &scores(&victim, &asked, config(derivative)), &asked.allowed)
            };
            for derivative in [Derivative::Difference(0.01), Derivative::CentralDifference(0.05)] {
                let (cosine, overlap) = of(derivative);
                assert!(cosine >= 0.9999 && overlap >= 0.97, "{family} {q}: {cosine} {overlap}");
            }
            // h = 1: hv is as long as v itself, and nothing is linear any more.
            let length = |row: ndarray::ArrayView1<'_, f32>| f64::from(row.dot(&row)).sqrt();
            let table = victim.table();
            let unit = table.rows().into_iter().map(length).sum::<f64>() / table.nrows() as f64;
            let (cosine, overlap) = of(Derivative::Difference(1.0 / unit.min(1.0)));
            failed_with_one += usize::from(cosine < 0.9999 || overlap < 0.97);
        }
    }
    assert_eq!(failed_with_one, 2 * FAMILIES.len(), "a plain difference is another algorithm");
}

#[test]
fn a_score_is_the_power_step_from_the_mean_of_the_allowed_tokens() {
    let victim = victim("bert", &device("flex"));
    let asked = Asked::new(&victim, 5);
    let found = scores(&victim, &asked, LuatConfig::default());
    let table = victim.table();
    let kept: Vec<usize> = (0..table.nrows()).filter(|&id| asked.allowed[id]).collect();
    let mean = kept.iter().fold(ndarray::Array1::<f32>::zeros(table.ncols()), |sum, &id| {
        sum + &table.row(id).mapv(|x| x / kept.len() as f32)
    });
    let v = Array2::from_shape_fn((2, table.ncols()), |(i, j)| {
        mean[j] - table[[asked.trigger[i] as usize, j]]
    });
    let luat = Luat::new(&victim, LuatConfig::default()).unwrap();
    let directions = asked.with(|query| luat.power_step(query, &v)).unwrap();
    let expected = token_scores(directions.view(), table.view());
    let (found, expected): (Vec<f32>, Vec<f32>) =
        (found.into_iter().collect(), expected.into_iter().collect());
    assert!(max_relative_error(&found, &expected) < 1e-5);
}

#[test]
fn a_random_start_is_drawn_from_the_generator_of_the_update() {
    let victim = victim("bert", &device("flex"));
    let asked = Asked::new(&victim, 5);
    let config = LuatConfig { start: Start::Random, power_steps: 2, ..LuatConfig::default() };
    let first = scores(&victim, &asked, config.clone());
    assert_eq!(first, scores(&victim, &asked, config.clone()));
    assert_ne!(first, scores(&victim, &asked, LuatConfig { start: Start::Constant, ..config }));
}

#[test]
fn settings_that_do_not_fit_are_listed_at_once() {
    let victim = victim("bert", &device("flex"));
    let config = LuatConfig { layer: 9, q: 0.5, power_steps: 0, ..LuatConfig::default() };
    let Err(Error::Config { problems }) = Luat::new(&victim, config) else {
        panic!("accepted");
    };
    assert_eq!(problems.len(), 3, "{problems:?}");
}

#[cfg(feature = "ndarray")]
#[test]
fn backends_agree_on_the_best_tokens() {
    for family in FAMILIES {
        let (one, two) = (victim(family, &device("flex")), victim(family, &device("ndarray")));
        let asked = Asked::new(&one, 16);
        let config = LuatConfig { layer: 1, ..LuatConfig::default() };
        let (cosine, overlap) = agreement(
            &scores(&one, &asked, config.clone()),
            &scores(&two, &asked, config),
            &asked.allowed,
        );
        assert!(cosine > 0.99999 && overlap >= 0.95, "{family}: {cosine} {overlap}");
    }
}
