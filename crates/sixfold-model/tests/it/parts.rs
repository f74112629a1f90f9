//! Replaceable parts: swapping, paths, tangents.

use burn::module::Module;
use burn::nn::{Embedding, Linear};
use burn::tensor::{Distribution, Int, Tensor};
use sixfold_model::{
    Batch, PaddingSide, Projection, Seed, TokenEmbedding, Transformer, TransformerSpec, device,
    parameter_shapes,
};
use sixfold_testkit::max_abs_error;

/// A projection that is plain, or the sum of a plain one and a product of thin ones.
#[derive(Module, Debug)]
#[expect(clippy::large_enum_variant, reason = "a module cannot be boxed")]
enum Adapted {
    Plain(Linear),
    Adapter(Thin),
}

#[derive(Module, Debug)]
struct Thin {
    base: Linear,
    down: Linear,
    up: Linear,
}

impl Projection for Adapted {
    fn project<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match self {
            Self::Plain(base) => base.forward(x),
            Self::Adapter(thin) => {
                thin.base.forward(x.clone()) + thin.up.forward(thin.down.forward(x))
            }
        }
    }
}

fn linear(d_in: usize, d_out: usize, bias: bool) -> Linear {
    burn::nn::LinearConfig::new(d_in, d_out).with_bias(bias).init(&device("flex").unwrap())
}

fn values<const D: usize>(x: Tensor<D>) -> Vec<f32> {
    x.into_data().iter::<f32>().collect()
}

#[test]
fn swapping_projections_keeps_weights_and_paths() {
    let device = device("flex").unwrap();
    let spec = TransformerSpec::decoder(40, 16, 2, 4);
    let model = Transformer::new(&spec, Seed::new(0), &device);
    let batch = Batch::pad(&[vec![1, 2, 3]], 0, PaddingSide::Right);
    let before = values(model.forward(&batch).unwrap());
    let mut adapted_paths = Vec::new();
    let adapted = model.map_projections(|path, base| {
        if !path.ends_with("mlp.down") {
            return Adapted::Plain(base);
        }
        adapted_paths.push(path.to_owned());
        let [d_in, d_out] = base.weight.dims();
        let mut up = linear(2, d_out, false);
        up.weight = up.weight.map(|weight| weight.zeros_like());
        Adapted::Adapter(Thin { base, down: linear(d_in, 2, false), up })
    });
    assert_eq!(adapted_paths, ["blocks.0.mlp.down", "blocks.1.mlp.down"]);
    assert_eq!(values(adapted.forward(&batch).unwrap()), before);
    let paths: Vec<String> = parameter_shapes(&adapted).into_iter().map(|(path, _)| path).collect();
    assert!(paths.contains(&"blocks.0.attention.query.weight".to_owned()), "{paths:?}");
    assert!(paths.contains(&"blocks.1.mlp.down.base.weight".to_owned()), "{paths:?}");
    assert!(!paths.iter().any(|path| path.contains("Full") || path.contains("Plain")), "{paths:?}");
}

#[test]
fn the_default_tangent_is_the_derivative_of_an_affine_map() {
    let device = device("flex").unwrap();
    let base = linear(6, 4, true);
    let x = Tensor::<3>::random([2, 3, 6], Distribution::Normal(0.0, 1.0), &device);
    let dx = Tensor::<3>::random([2, 3, 6], Distribution::Normal(0.0, 1.0), &device);
    let exact = values(base.forward(x.clone() + dx.clone()) - base.forward(x.clone()));
    // Linear brings its own; the enum falls back on the default.
    let own = values(base.tangent(x.clone(), dx.clone()));
    let default = values(Adapted::Plain(base).tangent(x, dx));
    assert!(max_abs_error(&own, &exact) < 1e-5);
    assert!(max_abs_error(&default, &exact) < 1e-5);
}

/// A table of products of two smaller ones, as a compressed table would be.
#[derive(Module, Debug)]
struct Product {
    left: Embedding,
    right: Embedding,
}

impl TokenEmbedding for Product {
    fn vocab_size(&self) -> usize {
        self.left.vocab_size() * self.right.vocab_size()
    }

    fn d_embed(&self) -> usize {
        self.left.d_embed()
    }

    fn embed(&self, ids: Tensor<2, Int>) -> Tensor<3> {
        let n = self.right.vocab_size() as i64;
        let left = ids.clone() / n;
        self.left.forward(left) * self.right.forward(ids % n)
    }

    fn logits<const D: usize>(&self, h: Tensor<D>) -> Tensor<D> {
        let device = h.device();
        let n = self.vocab_size();
        let ids = Tensor::<1, Int>::arange(0..n as i64, &device).reshape([1, n]);
        let table: Tensor<2> = self.embed(ids).squeeze_dim(0);
        burn::tensor::module::linear(h, table.transpose(), None)
    }
}

#[test]
fn another_token_table_takes_its_place() {
    let device = device("flex").unwrap();
    let spec = TransformerSpec::decoder(12, 16, 1, 4);
    let table = |rows| burn::nn::EmbeddingConfig::new(rows, 16).init(&device);
    let product = Product { left: table(3), right: table(4) };
    let model = Transformer::new(&spec, Seed::new(0), &device).map_embedding(|_| product.clone());
    let batch = Batch::pad(&[vec![0, 5, 11]], 0, PaddingSide::Right);
    let hidden = model.forward(&batch).unwrap();
    let logits = product.logits(hidden.clone());
    assert_eq!(logits.dims(), [1, 3, 12]);

    // Cross-entropy and tangent come from the trait.
    let h: Tensor<2> = hidden.squeeze_dim(0);
    let targets = Tensor::<1, Int>::from_ints([5, 11, 0], &device);
    let losses = values(product.cross_entropy(h.clone(), targets));
    let rows = values(logits);
    for (i, target) in [5usize, 11, 0].into_iter().enumerate() {
        let row = &rows[i * 12..(i + 1) * 12];
        let sum: f64 = row.iter().map(|&v| f64::from(v).exp()).sum();
        let expected = sum.ln() - f64::from(row[target]);
        assert!((f64::from(losses[i]) - expected).abs() < 1e-5);
    }
    let dh = h.ones_like();
    let tangent = values(product.tangent(h.clone(), dh.clone()));
    let exact = values(product.logits(h.clone() + dh) - product.logits(h));
    assert!(max_abs_error(&tangent, &exact) < 1e-5);
}
