//! What differs between transformers, as one description.

/// The description of a [`Transformer`](crate::Transformer).
///
/// Hugging Face families are read into it (see [`Checkpoint`](crate::Checkpoint)); a model of
/// one's own is a literal that starts from [`TransformerSpec::decoder`] or
/// [`TransformerSpec::encoder`].
#[derive(Clone, Debug, PartialEq)]
pub struct TransformerSpec {
    /// Rows of the token table.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Width of the token table where it differs from `d_model` (factorised embeddings).
    pub d_embed: usize,
    /// Bias of the projection from `d_embed` to `d_model`, where there is one.
    pub embed_projection: Option<EmbedProjection>,
    /// Token types (segments); 0 for none.
    pub token_types: usize,
    /// Norm right after the embeddings.
    pub embed_norm: bool,
    /// Token vectors are multiplied by this before anything is added: √d_model in the first
    /// transformer (arXiv 1706.03762, §3.4).
    pub embed_scale: Option<f64>,
    /// How positions enter.
    pub positions: Positions,
    /// Longest sequence it was made for; `None` where that is not said. Learned positions refuse
    /// longer ones.
    pub max_positions: Option<usize>,
    /// Parameter set of each layer: `[0, 1, 2]` for three layers of their own, `[0, 0, 0]` for
    /// one shared by three.
    pub schedule: Vec<usize>,
    /// Parameter sets that are an affine map in place of attention and MLP, ascending; what layer
    /// surgery leaves.
    pub affine: Vec<usize>,
    /// How a block arranges its norms and residuals.
    pub block: BlockForm,
    /// Whether a token sees later ones.
    pub causal: bool,
    /// Attention.
    pub attention: AttentionSpec,
    /// MLP.
    pub mlp: MlpSpec,
    /// Kind of every norm.
    pub norm: NormKind,
    /// Added to the variance in every norm.
    pub norm_epsilon: f64,
    /// Norm after the last block.
    pub final_norm: bool,
    /// Probability of dropout on embeddings and on what attention and MLP add.
    pub dropout: f64,
}

/// The projection between a narrower token table and the residual stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmbedProjection {
    /// Whether it has a bias.
    pub bias: bool,
    /// Positions, types and norm act before it (ALBERT, ELECTRA), or it acts on the token
    /// vectors alone (OPT).
    pub after_norm: bool,
    /// A second projection leads from the residual stream back to `d_embed` (OPT).
    pub back: bool,
}

/// How positions enter the model.
#[derive(Clone, Debug, PartialEq)]
pub enum Positions {
    /// Not at all.
    None,
    /// A learned table that is added to the token vectors.
    Learned {
        /// Rows of the table, offset included.
        rows: usize,
        /// Which row a token takes.
        rule: PositionRule,
    },
    /// Rotation of queries and keys (RoFormer, arXiv 2104.09864), halves form.
    Rotary(Rotary),
    /// A penalty linear in the distance (arXiv 2108.12409).
    Alibi,
    /// Sines and cosines that are added to the token vectors (arXiv 1706.03762, §3.5), at the
    /// position counted without padding. Nothing is learned and no length is too long.
    Sinusoidal(SinusoidLayout),
}

/// In which order the features `sin(p·ω_i)` and `cos(p·ω_i)` stand, `ω_i = 10000^(−2i/d)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SinusoidLayout {
    /// `sin ω_0, cos ω_0, sin ω_1, cos ω_1, …`: the paper.
    Interleaved,
    /// All sines, then all cosines: Marian, Pegasus.
    Halves,
}

impl Positions {
    /// The longest sequence, special tokens included; `None` where nothing limits it.
    pub fn capacity(&self) -> Option<usize> {
        let Self::Learned { rows, rule } = self else { return None };
        let taken = match *rule {
            PositionRule::Column => 0,
            PositionRule::Tokens { offset } => offset as usize,
            PositionRule::Unpadded { pad_id } => pad_id as usize + 1,
        };
        Some(rows.saturating_sub(taken))
    }
}

/// Which row of a learned position table a token takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PositionRule {
    /// Its column, padding counted: BERT.
    Column,
    /// The tokens before it, padding not counted, plus an offset: GPT-2, OPT (2).
    Tokens {
        /// Added to each.
        offset: u32,
    },
    /// As `Tokens`, but padding is told by its id, and takes that id's row: RoBERTa.
    Unpadded {
        /// The padding token; positions start one after it.
        pad_id: u32,
    },
}

/// Rotary positions.
#[derive(Clone, Debug, PartialEq)]
pub struct Rotary {
    /// Features of each head that are rotated; even, at most the head's width.
    pub dim: usize,
    /// Base of the frequencies θ^(−2i/dim).
    pub theta: f64,
    /// Stretching for longer contexts.
    pub scaling: RopeScaling,
}

/// How rotary frequencies are stretched for contexts longer than those of the pre-training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum RopeScaling {
    /// As trained.
    None,
    /// Positions divided by a factor (position interpolation, arXiv 2306.15595).
    Linear {
        /// The divisor.
        factor: f64,
    },
    /// Low frequencies divided, high ones kept, smooth between (Llama 3.1).
    Llama3 {
        /// The divisor.
        factor: f64,
        /// Fewer turns than this in the original context: fully divided.
        low_freq_factor: f64,
        /// More turns than this: kept.
        high_freq_factor: f64,
        /// The original context.
        original_max_positions: usize,
    },
    /// YaRN (arXiv 2309.00071): a ramp between the two, and a temperature on the rotation.
    Yarn {
        /// The divisor.
        factor: f64,
        /// The original context.
        original_max_positions: usize,
        /// Turns above which a frequency is kept.
        beta_fast: f64,
        /// Turns below which it is divided.
        beta_slow: f64,
        /// Factor on cos and sin.
        attention_factor: f64,
    },
}

/// How a block arranges norms and residuals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockForm {
    /// `x += attn(norm(x)); x += mlp(norm(x))`: GPT-2, Llama.
    PreNorm,
    /// `x = norm(x + attn(x)); x = norm(x + mlp(x))`: BERT.
    PostNorm,
    /// As `PreNorm`, but the residual starts at the normed input: a BLOOM option.
    PreNormResidual,
    /// `x += attn(norm₁(x)) + mlp(norm₂(x))`: GPT-NeoX.
    Parallel,
    /// `x += attn(n) + mlp(n)` with one `n = norm(x)`: Phi.
    ParallelSharedNorm,
}

impl BlockForm {
    /// Whether the block has a second norm.
    pub fn has_second_norm(self) -> bool {
        self != Self::ParallelSharedNorm
    }
}

/// Attention.
#[derive(Clone, Debug, PartialEq)]
pub struct AttentionSpec {
    /// Query heads.
    pub n_heads: usize,
    /// Key and value heads; divides `n_heads`.
    pub n_kv_heads: usize,
    /// Width of a head.
    pub d_head: usize,
    /// Bias of the query, key and value projections.
    pub qkv_bias: bool,
    /// Bias of the output projection.
    pub output_bias: bool,
    /// Scores are multiplied by this.
    pub scale: f64,
    /// Scores are also divided by the layer's number, from 1 (a GPT-2 option).
    pub scale_by_layer: bool,
    /// LayerNorm on queries and keys within each head (a Phi option).
    pub qk_norm: bool,
    /// Per layer, how many tokens back a token sees, itself included; `None` for all.
    pub windows: Vec<Option<usize>>,
    /// Probability of dropout on attention weights.
    pub dropout: f64,
}

/// MLP.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MlpSpec {
    /// Width between the two layers.
    pub d_hidden: usize,
    /// `down(act(gate(x)) ⊙ up(x))` instead of `down(act(up(x)))`.
    pub gated: bool,
    /// The activation.
    pub activation: Activation,
    /// Bias of its projections.
    pub bias: bool,
}

/// An activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Activation {
    /// `x·Φ(x)`, exact.
    Gelu,
    /// `½x(1 + tanh(√(2/π)(x + 0.044715x³)))`.
    GeluTanh,
    /// `x·σ(1.702x)`.
    QuickGelu,
    /// `max(x, 0)`.
    Relu,
    /// `x·σ(x)`.
    Silu,
    /// `tanh(x)`.
    Tanh,
}

/// Kind of a norm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum NormKind {
    /// `γ(x − mean)/√(var + ε) + β`.
    Layer,
    /// `γx/√(mean(x²) + ε)`.
    Rms,
}

impl TransformerSpec {
    /// A small modern decoder: RMSNorm before, rotary positions, gated SiLU, no biases.
    pub fn decoder(vocab_size: usize, d_model: usize, n_layers: usize, n_heads: usize) -> Self {
        Self {
            vocab_size,
            d_model,
            d_embed: d_model,
            embed_projection: None,
            token_types: 0,
            embed_norm: false,
            embed_scale: None,
            positions: Positions::Rotary(Rotary {
                dim: d_model / n_heads,
                theta: 10_000.0,
                scaling: RopeScaling::None,
            }),
            max_positions: None,
            schedule: (0..n_layers).collect(),
            affine: Vec::new(),
            block: BlockForm::PreNorm,
            causal: true,
            attention: AttentionSpec::new(n_heads, d_model / n_heads, false),
            mlp: MlpSpec {
                d_hidden: 4 * d_model,
                gated: true,
                activation: Activation::Silu,
                bias: false,
            },
            norm: NormKind::Rms,
            norm_epsilon: 1e-5,
            final_norm: true,
            dropout: 0.0,
        }
    }

    /// A small BERT: LayerNorm after, learned positions, GELU, biases.
    pub fn encoder(vocab_size: usize, d_model: usize, n_layers: usize, n_heads: usize) -> Self {
        Self {
            embed_norm: true,
            positions: Positions::Learned { rows: 512, rule: PositionRule::Column },
            max_positions: Some(512),
            block: BlockForm::PostNorm,
            causal: false,
            attention: AttentionSpec::new(n_heads, d_model / n_heads, true),
            mlp: MlpSpec {
                d_hidden: 4 * d_model,
                gated: false,
                activation: Activation::Gelu,
                bias: true,
            },
            norm: NormKind::Layer,
            norm_epsilon: 1e-12,
            final_norm: false,
            ..Self::decoder(vocab_size, d_model, n_layers, n_heads)
        }
    }

    /// Layers that a token passes, shared ones counted each time.
    pub fn n_layers(&self) -> usize {
        self.schedule.len()
    }

    /// Parameter sets: the blocks that are stored.
    pub fn n_blocks(&self) -> usize {
        self.schedule.iter().max().map_or(0, |last| last + 1)
    }

    /// Width of what the transformer returns.
    pub fn d_output(&self) -> usize {
        match self.embed_projection {
            Some(EmbedProjection { back: true, .. }) => self.d_embed,
            _ => self.d_model,
        }
    }

    /// Width where positions and token types are added: before the projection, or after.
    pub(crate) fn d_positions(&self) -> usize {
        match self.embed_projection {
            Some(EmbedProjection { after_norm: true, .. }) => self.d_embed,
            _ => self.d_model,
        }
    }

    /// All contradictions within the description; empty for one that can be built.
    pub fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        let mut require = |holds: bool, message: String| {
            if !holds {
                problems.push(message);
            }
        };
        let attention = &self.attention;
        require(self.vocab_size > 0, "vocab_size is 0".into());
        require(self.d_model > 0, "d_model is 0".into());
        require(
            attention.n_heads > 0 && attention.d_head > 0,
            "attention needs at least one head of width 1".into(),
        );
        require(
            attention.n_kv_heads > 0 && attention.n_heads.is_multiple_of(attention.n_kv_heads),
            format!("{} heads cannot share {} key heads", attention.n_heads, attention.n_kv_heads),
        );
        require(
            attention.windows.is_empty() || attention.windows.len() == self.n_layers(),
            format!("{} windows for {} layers", attention.windows.len(), self.n_layers()),
        );
        require(
            self.affine.iter().all(|&block| block < self.n_blocks()) && self.affine.is_sorted(),
            format!("affine blocks {:?} of {}", self.affine, self.n_blocks()),
        );
        require(
            self.embed_projection.is_some() || self.d_embed == self.d_model,
            format!("d_embed {} ≠ d_model {} without a projection", self.d_embed, self.d_model),
        );
        if let Positions::Rotary(rotary) = &self.positions {
            require(
                rotary.dim > 0 && rotary.dim.is_multiple_of(2) && rotary.dim <= attention.d_head,
                format!("rotary width {} in heads of {}", rotary.dim, attention.d_head),
            );
        }
        if let Positions::Sinusoidal(_) = self.positions {
            let width = self.d_positions();
            require(
                width.is_multiple_of(2),
                format!("sinusoidal positions need an even width, not {width}"),
            );
        }
        require(
            self.embed_scale.is_none_or(|scale| scale.is_finite() && scale > 0.0),
            format!("embed_scale {:?} is not above 0", self.embed_scale),
        );
        for (name, p) in [("dropout", self.dropout), ("attention dropout", attention.dropout)] {
            require((0.0..1.0).contains(&p), format!("{name} {p} is not in [0, 1)"));
        }
        problems
    }
}

impl AttentionSpec {
    /// Plain multi-head attention, scaled by 1/√d_head.
    pub fn new(n_heads: usize, d_head: usize, bias: bool) -> Self {
        Self {
            n_heads,
            n_kv_heads: n_heads,
            d_head,
            qkv_bias: bias,
            output_bias: bias,
            scale: 1.0 / (d_head as f64).sqrt(),
            scale_by_layer: false,
            qk_norm: false,
            windows: Vec::new(),
            dropout: 0.0,
        }
    }

    /// The window of a layer.
    pub fn window(&self, layer: usize) -> Option<usize> {
        self.windows.get(layer).copied().flatten()
    }
}
