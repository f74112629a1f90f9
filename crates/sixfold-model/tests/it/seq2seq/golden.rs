//! Encoder–decoders against `transformers`: Marian (post-norm, scaled, tied), the same with three
//! tables, Pegasus (pre-norm, one table, a head of its own).

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::{Device, Tensor};
use sixfold_model::{
    Batch, BeamConfig, BlockForm, EarlyStop, GenerateConfig, LengthPenalty, LmHeadSpec,
    PathTracker, Positions, Seed, Seq2Seq, Seq2SeqSpec, SinusoidLayout, Site, Tap,
};
use sixfold_testkit::{Golden, fixtures, max_abs_error, max_relative_error};

use super::values;

const END: u32 = 2;
const CASES: [&str; 3] = ["marian", "marian-apart", "pegasus"];

fn spec(case: &str) -> Seq2SeqSpec {
    let mut spec = Seq2SeqSpec::translation(40, 16, 3, 4);
    for body in [&mut spec.encoder, &mut spec.decoder] {
        body.positions = Positions::Sinusoidal(SinusoidLayout::Halves);
        body.attention.qkv_bias = true;
        body.attention.output_bias = true;
        body.dropout = 0.0;
        if case == "pegasus" {
            body.block = BlockForm::PreNorm;
            body.final_norm = true;
            body.embed_scale = None;
        }
    }
    spec.encoder.schedule = vec![0, 1];
    spec.encoder.mlp.d_hidden = 32;
    spec.decoder.mlp.d_hidden = 40;
    spec.head = LmHeadSpec { tied: case == "marian", bias: true, ..LmHeadSpec::TIED };
    spec.shared_table = case != "marian-apart";
    spec.start_token = 1;
    spec
}

fn open(case: &str) -> Golden {
    Golden::open(fixtures("sixfold-model").join("seq2seq").join(format!("{case}.safetensors")))
}

/// The model of a case with the golden weights.
fn load(case: &str, golden: &Golden, device: &Device) -> Seq2Seq {
    struct Load<'a>(&'a Golden, PathTracker, usize);
    impl ModuleMapper for Load<'_> {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.1.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, container: &str) {
            self.1.exit(container);
        }
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            let path = self.1.path();
            let (shape, values) = self.0.f32(&format!("weight.{path}"));
            assert_eq!(param.dims().to_vec(), shape, "{path}");
            self.2 += 1;
            param.map(|old| {
                let data = burn::tensor::TensorData::new(values, old.dims());
                Tensor::from_data(data, &old.device()).set_require_grad(old.is_require_grad())
            })
        }
    }
    let mut load = Load(golden, PathTracker::default(), 0);
    let model = Seq2Seq::new(&spec(case), Seed::new(0), device).map(&mut load);
    let stored = golden.names().iter().filter(|name| name.starts_with("weight.")).count();
    assert_eq!(load.2, stored, "{case}: every tensor has its parameter");
    model
}

fn batch(golden: &Golden, ids: &str, mask: impl Fn(usize, i32) -> bool) -> Batch {
    let (shape, ids) = golden.i32(ids);
    let mask = ids.iter().enumerate().map(|(i, &id)| mask(i, id)).collect();
    let ids = ids.into_iter().map(|id| id.max(0) as u32).collect();
    Batch::from_parts(shape[0], ids, mask).expect("a rectangle")
}

fn source(golden: &Golden) -> Batch {
    let mask = golden.i32("source.mask").1;
    batch(golden, "source.ids", |i, _| mask[i] == 1)
}

/// The worst error of `[batch, seq, d]` where the mask says that there is a token.
fn at_tokens(found: Tensor<3>, expected: &[f32], mask: &[bool]) -> f64 {
    let d = found.dims()[2];
    let keep = |values: &[f32]| -> Vec<f32> {
        let rows = values.chunks(d).zip(mask);
        rows.filter(|(_, token)| **token).flat_map(|(row, _)| row.to_vec()).collect()
    };
    max_abs_error(&keep(&values(found)), &keep(expected))
}

/// Keeps what leaves the embeddings.
#[derive(Default)]
struct Embedded(Option<Tensor<3>>);

impl Tap for Embedded {
    fn wants(&self, site: Site) -> bool {
        site == Site::Embed
    }

    fn visit(&mut self, _: Site, x: Tensor<3>) -> Tensor<3> {
        self.0 = Some(x.clone());
        x
    }
}

fn numbers_agree(device: &str, cases: &[&str]) {
    let device = sixfold_model::device(device).unwrap().autodiff();
    for case in cases {
        let golden = open(case);
        let model = load(case, &golden, &device);
        let (source, target) = (source(&golden), batch(&golden, "target.labels", |_, id| id >= 0));
        let (inputs, _) = sixfold_model::shift_right(&target, 1).unwrap();
        let (mut encoder, mut decoder) = (Embedded::default(), Embedded::default());
        let memory = model.encode_with(&source, &mut encoder).unwrap();
        let logits = model.decode_with(&inputs, &memory, &mut decoder).unwrap();
        let check = |name: &str, found: Tensor<3>, mask: &[bool]| {
            let error = at_tokens(found, &golden.f32(name).1, mask);
            assert!(error <= 1e-4, "{case}, {name}: {error:e}");
        };
        check("encoder.embed", encoder.0.expect("visited"), source.mask());
        check("decoder.embed", decoder.0.expect("visited"), target.mask());
        check("logits", logits, target.mask());

        let smoothed = values(model.smoothed_loss(&source, &target, 0.1).unwrap());
        assert!(max_abs_error(&smoothed, &golden.f32("smoothed_loss").1) <= 1e-4, "{case}");
        let loss = model.loss(&source, &target).unwrap();
        assert!(max_abs_error(&values(loss.clone()), &golden.f32("loss").1) <= 1e-4, "{case}");
        gradients_agree(case, &golden, &model, loss);
    }
}

fn gradients_agree(case: &str, golden: &Golden, model: &Seq2Seq, loss: Tensor<1>) {
    struct Compare<'a> {
        golden: &'a Golden,
        gradients: burn::tensor::Gradients,
        tracker: PathTracker,
        worst: Vec<String>,
        compared: usize,
    }
    impl ModuleVisitor for Compare<'_> {
        fn enter_module(&mut self, name: &str, container: &str) {
            self.tracker.enter(name, container);
        }
        fn exit_module(&mut self, _: &str, container: &str) {
            self.tracker.exit(container);
        }
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let path = self.tracker.path();
            // The bias of the scores is no parameter in `transformers`.
            if path == "head.bias" {
                return;
            }
            let expected = self.golden.f32(&format!("grad.{path}")).1;
            let found = param.val().grad(&self.gradients).expect("every parameter takes part");
            let found = values(found);
            // A key's bias cancels in the softmax: both gradients are rounding.
            let error = match path.ends_with("key.bias") {
                true => max_abs_error(&found, &expected) * 1e2,
                false => max_relative_error(&found, &expected),
            };
            self.compared += 1;
            if error > 1e-3 {
                self.worst.push(format!("{path}: {error:e}"));
            }
        }
    }
    let mut compare = Compare {
        golden,
        gradients: loss.backward(),
        tracker: PathTracker::default(),
        worst: Vec::new(),
        compared: 0,
    };
    model.visit(&mut compare);
    assert!(compare.worst.is_empty(), "{case}:\n{}", compare.worst.join("\n"));
    assert!(compare.compared > 80, "{case}: {} gradients", compare.compared);
}

#[cfg(feature = "flex")]
#[test]
fn numbers_agree_on_flex() {
    numbers_agree("flex", &CASES);
}

#[cfg(feature = "ndarray")]
#[test]
fn numbers_agree_on_ndarray() {
    numbers_agree("ndarray", &CASES);
}

/// One case of each block form: software Vulkan compiles each new shape, which takes long.
#[cfg(feature = "wgpu")]
#[test]
fn numbers_agree_on_wgpu() {
    if sixfold_testkit::has_vulkan() {
        numbers_agree("wgpu", &["marian", "pegasus"]);
    }
}

/// Rows of tokens that end in −1 where the sequence is shorter.
fn sequences(golden: &Golden, name: &str) -> Vec<Vec<u32>> {
    let (shape, ids) = golden.i32(name);
    ids.chunks(shape[1])
        .map(|row| row.iter().filter(|&&id| id >= 0).map(|&id| id as u32).collect())
        .collect()
}

#[test]
fn greedy_and_beam_search_find_what_transformers_finds() {
    let device = sixfold_model::device("flex").unwrap();
    let rules = [
        ("never", 4, 1.0, EarlyStop::Impossible),
        ("likely", 3, 0.6, EarlyStop::Unlikely),
        ("full", 4, 2.0, EarlyStop::WhenFull),
    ];
    let mut ended = 0;
    for case in CASES {
        let golden = open(case);
        let model = load(case, &golden, &device);
        let source = source(&golden);
        let config = GenerateConfig { stop: vec![END], ..GenerateConfig::greedy(8) };
        let greedy = model.generate(&source, &config).unwrap();
        assert_eq!(greedy, sequences(&golden, "greedy.ids"), "{case}");
        for (name, beams, alpha, early_stop) in rules {
            let length_penalty = LengthPenalty::Power(alpha);
            let config =
                BeamConfig { beams, length_penalty, early_stop, ..BeamConfig::new(8, [END]) };
            let found: Vec<_> =
                model.beam_search(&source, &config).unwrap().into_iter().flatten().collect();
            let tokens: Vec<_> = found.iter().map(|h| h.tokens.clone()).collect();
            assert_eq!(tokens, sequences(&golden, &format!("beams.{name}.ids")), "{case} {name}");
            let scores: Vec<f32> = found.iter().map(|h| h.score as f32).collect();
            let expected = golden.f32(&format!("beams.{name}.scores")).1;
            assert!(max_abs_error(&scores, &expected) < 1e-4, "{case} {name}");
            ended += found.iter().filter(|h| h.ended).count();
        }
    }
    assert!(ended > 30, "{ended} hypotheses ended");
}
