//! Parameters, replaceable parts, taps, and what is refused.

use burn::module::Module;
use burn::nn::{Embedding, Linear};
use burn::tensor::{Int, Tensor};
use sixfold_model::{
    Batch, BlockForm, BlockSite, KvCache, PaddingSide, Projection, Seed, Seq2Seq, Site, Tap,
    TokenEmbedding, Transformer, TransformerSpec, parameter_shapes,
};
use sixfold_testkit::max_abs_error;

use super::{lively, small_spec, values};

fn source() -> Batch {
    Batch::pad(&[vec![5, 9, 7], vec![4, 3]], 0, PaddingSide::Right)
}

fn inputs() -> Batch {
    Batch::pad(&[vec![0, 8, 3], vec![0, 1, 2]], 0, PaddingSide::Right)
}

fn model() -> Seq2Seq {
    lively(&small_spec(20), 2, &sixfold_model::device("flex").unwrap())
}

/// A projection of another type.
#[derive(Module, Debug)]
struct Wrapped {
    inner: Linear,
}

impl Projection for Wrapped {
    fn project<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        self.inner.forward(x)
    }
}

/// A token table of another type.
#[derive(Module, Debug)]
struct Table {
    inner: Embedding,
}

impl TokenEmbedding for Table {
    fn vocab_size(&self) -> usize {
        self.inner.vocab_size()
    }

    fn d_embed(&self) -> usize {
        self.inner.d_embed()
    }

    fn embed(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        self.inner.embed(ids)
    }

    fn logits<const D: usize>(&self, h: Tensor<D>) -> Tensor<D> {
        self.inner.logits(h)
    }
}

fn paths<M: Module>(model: &M) -> Vec<String> {
    parameter_shapes(model).into_iter().map(|(path, _)| path).collect()
}

#[test]
fn replaced_parts_keep_the_numbers() {
    let before = values(model().forward(&source(), &inputs()).unwrap());
    let mut seen = Vec::new();
    let mapped = model().map_projections(|path, inner| {
        seen.push(path.to_owned());
        Wrapped { inner }
    });
    // Encoder: 4 of the attention, 2 of the MLP; decoder: 4 more; two blocks each.
    assert_eq!(seen.len(), 2 * 6 + 2 * 10);
    assert!(seen.contains(&"decoder.blocks.1.cross.query".to_owned()), "{seen:?}");
    assert!(seen.contains(&"encoder.blocks.0.mlp.up".to_owned()), "{seen:?}");
    assert!(paths(&mapped).contains(&"decoder.blocks.0.cross.value.inner.weight".to_owned()));
    assert_eq!(values(mapped.forward(&source(), &inputs()).unwrap()), before);

    let mut tables = Vec::new();
    let mapped = mapped.map_embedding(|path, inner| {
        tables.push(path.to_owned());
        Table { inner }
    });
    assert_eq!(tables, ["decoder.embed.tokens"], "one table for source, target and head");
    assert_eq!(values(mapped.forward(&source(), &inputs()).unwrap()), before);
}

#[test]
fn a_shared_table_is_one_parameter() {
    let shared = paths(&model());
    assert!(shared.contains(&"decoder.blocks.0.cross.query.weight".to_owned()), "{shared:?}");
    assert!(shared.contains(&"decoder.blocks.0.cross.norm.gamma".to_owned()), "{shared:?}");
    assert!(!shared.iter().any(|path| path.starts_with("encoder.embed")), "{shared:?}");
    assert!(!shared.iter().any(|path| path.starts_with("encoder") && path.contains("cross")));
    let device = sixfold_model::device("flex").unwrap();
    let mut spec = small_spec(20);
    spec.shared_table = false;
    spec.encoder.vocab_size = 33;
    let apart = Seq2Seq::new(&spec, Seed::new(0), &device);
    let shapes = parameter_shapes(&apart);
    assert!(shapes.contains(&("encoder.embed.tokens.weight".to_owned(), vec![33, 16])));
    assert!(shapes.contains(&("decoder.embed.tokens.weight".to_owned(), vec![20, 16])));
    assert_eq!(shapes.len(), shared.len() + 1);
    let far = Batch::pad(&[vec![32, 1]], 0, PaddingSide::Right);
    assert!(apart.encode(&far).is_ok());
    assert!(model().encode(&far).unwrap_err().to_string().contains("token id 32"));
}

/// Notes the sites, and puts zeros in the place of one.
struct Watch(Vec<String>, Option<Site>);

impl Tap for Watch {
    fn visit(&mut self, site: Site, x: Tensor<3>) -> Tensor<3> {
        self.0.push(site.to_string());
        if self.1 == Some(site) { x.zeros_like() } else { x }
    }
}

#[test]
fn taps_see_both_sides_and_what_cross_attention_adds() {
    for form in [BlockForm::PreNorm, BlockForm::PostNorm] {
        let mut spec = small_spec(20);
        spec.encoder.block = form;
        spec.decoder.block = form;
        let model = lively(&spec, 2, &sixfold_model::device("flex").unwrap());
        let (mut of_encoder, mut of_decoder) = (Watch(vec![], None), Watch(vec![], None));
        let memory = model.encode_with(&source(), &mut of_encoder).unwrap();
        let tapped = model.decode_with(&inputs(), &memory, &mut of_decoder).unwrap();
        assert_eq!(values(tapped), values(model.forward(&source(), &inputs()).unwrap()));
        let sites = |cross: &[&str]| {
            let mut sites = vec!["embed".to_owned()];
            for block in 0..2 {
                let first = ["resid_pre", "attn_out"].iter();
                for at in first.chain(cross).chain(&["mlp_out", "resid_post"]) {
                    sites.push(format!("blocks.{block}.hook_{at}"));
                }
            }
            sites
        };
        assert_eq!(of_encoder.0, sites(&[]));
        assert_eq!(of_decoder.0, sites(&["cross_attn_out"]));
        for site in &of_decoder.0 {
            assert_eq!(site.parse::<Site>().unwrap().to_string(), *site);
        }
    }
}

#[test]
fn without_cross_attention_the_source_is_forgotten() {
    let mut spec = small_spec(20);
    spec.decoder.schedule = vec![0];
    let model = lively(&spec, 2, &sixfold_model::device("flex").unwrap());
    let other = Batch::pad(&[vec![15, 2], vec![9, 9]], 0, PaddingSide::Right);
    let cut = |source: &Batch| {
        let at = Site::Block { index: 0, at: BlockSite::CrossAttnOut };
        let memory = model.encode(source).unwrap();
        values(model.decode_with(&inputs(), &memory, &mut Watch(vec![], Some(at))).unwrap())
    };
    assert_eq!(cut(&source()), cut(&other));
    let whole = |source: &Batch| values(model.forward(source, &inputs()).unwrap());
    assert!(max_abs_error(&whole(&source()), &whole(&other)) > 1e-2);
}

#[test]
fn shared_layers_read_their_own_blocks_memory() {
    let device = sixfold_model::device("flex").unwrap();
    let mut spec = small_spec(20);
    spec.decoder.schedule = vec![0, 1, 0];
    let model = lively(&spec, 2, &device);
    let scores = values(model.forward(&source(), &inputs()).unwrap());
    assert!(scores.iter().all(|score| score.is_finite()));
    let mut cache = KvCache::from(model.encode(&source()).unwrap());
    let cached = values(model.decode_cached(&inputs(), &mut cache).unwrap());
    assert!(max_abs_error(&cached, &scores) < 1e-5);
}

#[test]
fn what_does_not_fit_is_refused() {
    let model = model();
    let memory = model.encode(&source()).unwrap();
    let alone = model.decoder.forward(&inputs()).unwrap_err().to_string();
    assert!(alone.contains("cross-attention"), "{alone}");
    let three = Batch::pad(&[vec![0], vec![0], vec![0]], 0, PaddingSide::Right);
    let rows = model.decode(&three, &memory).unwrap_err().to_string();
    assert!(rows.contains("multiple") && rows.contains('3'), "{rows}");
    let device = sixfold_model::device("flex").unwrap();
    let mut deeper = small_spec(20);
    deeper.decoder.schedule = vec![0, 1, 2];
    let deeper = Seq2Seq::new(&deeper, Seed::new(0), &device);
    let other = deeper.decode(&inputs(), &memory).unwrap_err().to_string();
    assert!(other.contains("memory") && other.contains("2 layers"), "{other}");
    let empty = Batch::from_parts(2, vec![0; 4], vec![false; 4]).unwrap();
    assert!(model.loss(&source(), &empty).unwrap_err().to_string().contains("no loss"));
}

#[test]
#[should_panic(expected = "Seq2Seq::encode")]
fn an_encoder_without_its_table_says_where_it_is() {
    let _ = model().encoder.forward(&source());
}

#[test]
fn a_description_lists_all_its_problems() {
    let mut spec = small_spec(20);
    assert_eq!(spec.problems(), Vec::<String>::new());
    spec.decoder.causal = false;
    spec.decoder.block = BlockForm::Parallel;
    spec.decoder.attention.qk_norm = true;
    spec.encoder.vocab_size = 21;
    spec.encoder.d_model = 15;
    spec.encoder.embed_scale = Some(f64::NAN);
    spec.start_token = 20;
    let problems = spec.problems().join("\n");
    for part in [
        "encoder: sinusoidal positions need an even width, not 15",
        "encoder: d_embed 16 ≠ d_model 15",
        "encoder: embed_scale",
        "decoder: not causal",
        "Parallel",
        "qk_norm",
        "one table cannot be (21, 16)",
        "start_token 20 is not below 20",
    ] {
        assert!(problems.contains(part), "{part} is not in\n{problems}");
    }
}

#[test]
fn positions_and_scale_stand_in_a_plain_transformer_too() {
    let device = sixfold_model::device("flex").unwrap();
    let mut spec = TransformerSpec::decoder(20, 8, 1, 2);
    spec.positions = sixfold_model::Positions::Sinusoidal(sixfold_model::SinusoidLayout::Halves);
    spec.embed_scale = Some(3.0);
    let model = Transformer::new(&spec, Seed::new(0), &device);
    let batch = Batch::pad(&[vec![7, 7]], 0, PaddingSide::Right);
    let found = values(model.forward_to(0, &batch).unwrap().hidden);
    let table = values(model.embed.tokens.weight.val());
    for position in 0..2 {
        for i in 0..4 {
            let angle = position as f64 / 10_000_f64.powf(2.0 * i as f64 / 8.0);
            for (feature, added) in [(i, angle.sin()), (4 + i, angle.cos())] {
                let expected = 3.0 * f64::from(table[7 * 8 + feature]) + added;
                assert!((f64::from(found[position * 8 + feature]) - expected).abs() < 1e-6);
            }
        }
    }
}
