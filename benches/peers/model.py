#!/usr/bin/env python3
"""PyTorch's side of the comparison: does one timed repetition for each line that it reads.

`protocol.py` explains the lines.

Models are `BertModel` in f32 and eval mode with full masks. A backward pass is that of
Σ hidden ⊙ g with a fixed random g: the plain sum of a LayerNorm's output has no gradient where
the gains are 1.
"""

import os
import sys
from functools import cache
from pathlib import Path

import numpy
import safetensors
import tokenizers
import torch
import transformers
from transformers import BertConfig, BertForSequenceClassification, BertModel

sys.dont_write_bytecode = True  # no __pycache__ in the repository
from protocol import serve  # noqa: E402

transformers.logging.set_verbosity_error()  # a new classifier is meant

DATA = Path(os.environ["SIXFOLD_DATA"])
MINILM = DATA / "models/all-minilm-l6-v2"
TEXT = Path(__file__).resolve().parents[2] / "fixtures/text/shakespeare.txt"
VOCABULARY = 30522
SHAPES = {"minilm": (32, 64), "bert_base": (8, 128)}
PRODUCTS = ((1024, 1024, 1024), (2048, 384, 1536), (1024, 768, 3072))  # rows, inner, columns
# Executions in one repetition, where one is short.
PRODUCT_RUNS, OPTIMIZER_RUNS = 10, 5
STEP = (16, 128)  # of fine-tuning


# --- models ---------------------------------------------------------------------------


@cache
def model(name, attention):
    """MiniLM as stored, or random weights in BERT-base's shape (the default config)."""
    torch.manual_seed(0)
    if name == "minilm":
        found = BertModel.from_pretrained(MINILM, attn_implementation=attention, dtype=torch.float32)
    else:
        found = BertModel(BertConfig(vocab_size=VOCABULARY, attn_implementation=attention))
    return found.eval()


def inputs(rows, length):
    """Full sequences of random tokens."""
    random = torch.Generator().manual_seed(0)
    ids = torch.randint(VOCABULARY, (rows, length), generator=random)
    return dict(input_ids=ids, attention_mask=torch.ones_like(ids))


def forward(name, attention):
    net, batch = model(name, attention), inputs(*SHAPES[name])

    def run():
        with torch.no_grad():
            net(**batch).last_hidden_state

    return run


def forward_backward(name, attention):
    net, batch = model(name, attention), inputs(*SHAPES[name])
    direction = torch.randn(*SHAPES[name], net.config.hidden_size)

    def run():
        net.zero_grad(set_to_none=True)
        (net(**batch).last_hidden_state * direction).sum().backward()

    return run


def load(_):
    def run():
        net = BertModel.from_pretrained(MINILM, dtype=torch.float32)
        # The weights may be a view of the mapped file: a value of each page makes them resident.
        for parameter in net.parameters():
            parameter.detach().view(-1)[::1024].sum()

    return run


# --- training -------------------------------------------------------------------------


def optimizer(net, variant):
    """AdamW as the golden curve of fine-tuning has it."""
    groups = [
        dict(params=[p for p in net.parameters() if p.dim() > 1], weight_decay=0.01),
        dict(params=[p for p in net.parameters() if p.dim() == 1], weight_decay=0.0),
    ]
    how = {"fused": dict(fused=True), "foreach": dict(foreach=True), "loop": dict(foreach=False)}
    return torch.optim.AdamW(groups, lr=1e-6, **how[variant])


def classifier(attention="sdpa"):
    """MiniLM with its pooler and new scores, without dropout."""
    config = BertConfig.from_pretrained(MINILM)
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = 0.0
    return BertForSequenceClassification.from_pretrained(
        MINILM, config=config, attn_implementation=attention, dtype=torch.float32
    ).train()


def adamw_step(variant):
    net = classifier()
    for parameter in net.parameters():
        parameter.grad = torch.randn_like(parameter)
    return optimizer(net, variant).step


def train_step(attention):
    """Forward, backward, clipping and AdamW."""
    net, batch = classifier(attention), inputs(*STEP)
    step, labels = optimizer(net, "fused"), torch.arange(STEP[0]) % 2

    def run():
        net(**batch, labels=labels).loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        step.step()
        step.zero_grad()

    return run


# --- the rest -------------------------------------------------------------------------


def product(rows, inner, columns):
    a, b, c = torch.randn(rows, inner), torch.randn(inner, columns), torch.empty(rows, columns)
    return lambda: torch.mm(a, b, out=c)


def tokenise(method):
    tokenizer = tokenizers.Tokenizer.from_file(str(MINILM / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    texts = TEXT.read_text().split("\n\n")
    return lambda: getattr(tokenizer, method)(texts)


def product_flop(rows, inner, columns):
    return 2.0 * rows * inner * columns


ATTENTION = ("sdpa", "eager")


def tokens(rows, length):
    return float(rows * length)


# name → (variants, prepare(variant), executions in a repetition, work of one, unit of the work)
WORK = {}
for kind in SHAPES:
    size = tokens(*SHAPES[kind])
    WORK[f"{kind}_forward"] = (ATTENTION, lambda v, k=kind: forward(k, v), 1, size, "token")
    WORK[f"{kind}_forward_backward"] = (ATTENTION, lambda v, k=kind: forward_backward(k, v), 1, size, "token")
for shape in PRODUCTS:
    name = "gemm_" + "x".join(map(str, shape))
    WORK[name] = (("mkl",), lambda _, s=shape: product(*s), PRODUCT_RUNS, product_flop(*shape), "FLOP")
WORK["minilm_train_step"] = (ATTENTION, train_step, 1, tokens(*STEP), "token")
WORK["adamw_step"] = (("fused", "foreach", "loop"), adamw_step, OPTIMIZER_RUNS, 22_713_986.0, "parameter")
WORK["minilm_load"] = (("from_pretrained",), load, 1, 90_868_376.0, "byte")
WORK["tokenise"] = (("encode_batch", "encode_batch_fast"), tokenise, 1, float(TEXT.stat().st_size), "byte")


def about():
    modules = (torch, transformers, tokenizers, safetensors, numpy)
    return {m.__name__: m.__version__ for m in modules} | {
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "threads": torch.get_num_threads(),
    }


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("RAYON_NUM_THREADS", "2")))
    serve(WORK, about)
