#!/usr/bin/env python3
"""The published search for a layerwise trigger (sb-ai-lab/nlp-layerwise-fooler), one step for each line read;
`protocol.py` explains the lines.

Written from a description of that code: the product with the Jacobian by differentiating twice, batches of 32 padded to
their longest text, candidates one after another, all texts after every update. The classifier has MiniLM's shape and
random weights, its weights ask for no gradient, texts are those of `benches/src/bin/triggers_peer.rs`.
"""

import os
import sys

import torch
import transformers
from transformers import BertConfig, BertForSequenceClassification

sys.dont_write_bytecode = True  # no __pycache__ in the repository
from protocol import serve  # noqa: E402

BATCH, ROWS, TEXTS, TRIGGER, TOP = 128, 32, 872, [1996] * 3, 10
PRODUCT = (3456, 384, 1536)


def text(i):
    u = (i * 977) % TEXTS / TEXTS
    return [1000 + (i * 31 + j * 17) % 29000 for j in range(6 + int(39 * u**1.2))]


def padded(rows):
    """Ids and mask of texts with the trigger after their first token."""
    rows = [row[:1] + TRIGGER + row[1:] for row in rows]
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    return ids, torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])


torch.manual_seed(0)
MODEL = BertForSequenceClassification(
    BertConfig(
        vocab_size=30522,
        hidden_size=384,
        num_hidden_layers=6,
        num_attention_heads=12,
        intermediate_size=1536,
        attn_implementation="eager",  # its kernels for attention cannot be differentiated twice
    )
).eval()
MODEL.requires_grad_(False)
TABLE = MODEL.bert.embeddings.word_embeddings.weight
ALL = [padded([text(i) for i in range(j, min(j + ROWS, TEXTS))]) for j in range(0, TEXTS, ROWS)]
PART = ALL[: BATCH // ROWS]
LABELS = [torch.arange(len(ids)) % 2 for ids, _ in ALL]


@torch.no_grad()
def forward(batches=PART):
    return [MODEL(input_ids=ids, attention_mask=mask).logits for ids, mask in batches]


def hidden(vectors, mask):
    """The output of the last block, nothing at padding."""
    return MODEL.bert(inputs_embeds=vectors, attention_mask=mask).last_hidden_state * mask[..., None]


def luat():
    """The sum over examples of Jᵀφ(J ε), q = 2, and the scores of all tokens."""
    places = slice(1, 1 + len(TRIGGER))
    v = TABLE[1996:].mean(0) - TABLE[TRIGGER]
    total = 0
    for ids, mask in PART:
        x = TABLE[ids].requires_grad_()
        direction = torch.zeros_like(x)
        direction[:, places] = v
        with torch.enable_grad():
            y = hidden(x, mask)
            u = torch.zeros_like(y, requires_grad=True)
            (pulled,) = torch.autograd.grad(y, x, u, create_graph=True)
            (moved,) = torch.autograd.grad(pulled, u, direction)
            y = hidden(x, mask)
            (back,) = torch.autograd.grad(y, x, moved)
        total = total + back[:, places].sum(0)
    return total @ TABLE.T


def uat():
    total = 0
    for (ids, mask), labels in zip(PART, LABELS, strict=False):
        x = TABLE[ids].requires_grad_()
        with torch.enable_grad():
            logits = MODEL(inputs_embeds=x, attention_mask=mask).logits
            loss = torch.nn.functional.cross_entropy(logits, labels, reduction="sum")
            (back,) = torch.autograd.grad(loss, x)
        total = total + back[:, 1 : 1 + len(TRIGGER)].sum(0)
    return total @ TABLE.T


def fooled(batches):
    """One example after another asks the host how many were fooled, as the published code does."""
    wrong = 0
    for logits, labels in zip(forward(batches), LABELS, strict=False):
        wrong += (logits.argmax(-1) != labels).sum().item()
    return wrong


def update():
    """Scores, ten candidates for each place from left to right, and all texts."""
    best = luat().topk(TOP).indices
    trigger = list(TRIGGER)
    for place in range(len(TRIGGER)):
        found = []
        for candidate in best[place].tolist():
            trigger[place] = candidate
            for ids, _ in PART:
                ids[:, 1 : 1 + len(TRIGGER)] = torch.tensor(trigger)
            found.append((fooled(PART), candidate))
        trigger[place] = max(found)[1]
    for ids, _ in ALL:
        ids[:, 1 : 1 + len(TRIGGER)] = torch.tensor(trigger)
    return fooled(ALL)


A, B = torch.ones(PRODUCT[0], PRODUCT[1]), torch.ones(PRODUCT[1], PRODUCT[2])
TOKENS = sum(int(mask.sum()) for _, mask in PART)
WORK = {
    name: (("pytorch",), lambda _, run=run: run, 1, amount, unit)
    for name, run, amount, unit in (
        ("forward", forward, TOKENS, "token"),
        ("luat", luat, TOKENS, "token"),
        ("uat", uat, TOKENS, "token"),
        ("update", update, TOKENS, "token"),
        ("product", lambda: A @ B, 2.0 * PRODUCT[0] * PRODUCT[1] * PRODUCT[2], "FLOP"),
    )
}


def about():
    return dict(versions={"torch": torch.__version__, "transformers": transformers.__version__})


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    serve(WORK, about)
