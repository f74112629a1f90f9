#!/usr/bin/env python3
"""gensim's skip-gram with negative sampling on the text that Sixfold reads; prints CPU seconds as JSON.

    python sgns_gensim.py train_AB.tsv.gz --out gensim_AB.bin

Documents are lines of a file (`corpus_file`, gensim's fastest way) of the words that Sixfold's `Ascii` normalisation
gives: runs of a–z in lower case. gensim drops what a line has beyond 10,000 words, so longer documents are cut. The
words are written out before the clock starts; finding the vocabulary counts, as it does on the other side.
"""

import argparse
import gzip
import json
import re
import resource
import tempfile
import time
from pathlib import Path

import gensim
import numpy as np
from gensim.models import Word2Vec

WORDS = re.compile(rb"[a-z]+")
MOST = 10_000  # gensim's MAX_WORDS_IN_BATCH


def documents(path, column):
    """Lists of words, one for each line."""
    with gzip.open(path, "rb") as file:
        for line in file:
            # Of bytes, so that nothing beyond ASCII is put in lower case.
            yield WORDS.findall(line.rstrip(b"\n").split(b"\t")[column].lower())


def write_lines(path, column, out):
    tokens = 0
    for words in documents(path, column):
        tokens += len(words)
        for start in range(0, len(words), MOST):
            out.write(b" ".join(words[start : start + MOST]) + b"\n")
    out.flush()
    return tokens


def main():
    parser = argparse.ArgumentParser(description="Trains gensim's Word2Vec and tells its CPU seconds.")
    parser.add_argument("corpus", type=Path, help="tab-separated lines, packed with gzip")
    parser.add_argument("--column", type=int, default=1)
    parser.add_argument("--dim", type=int, default=100)
    parser.add_argument("--min-count", type=int, default=50)
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, required=True, help="the vectors, in word2vec's binary format")
    a = parser.parse_args()
    with tempfile.NamedTemporaryFile(suffix=".txt") as text:
        tokens = write_lines(a.corpus, a.column, text)
        cpu = time.process_time()
        model = Word2Vec(vector_size=a.dim, min_count=a.min_count, window=5, sg=1, negative=5, ns_exponent=0.75,
                         sample=1e-3, epochs=a.epochs, workers=1, seed=a.seed)  # fmt: skip
        model.build_vocab(corpus_file=text.name)
        vocabulary = time.process_time() - cpu
        model.train(corpus_file=text.name, total_words=model.corpus_total_words,
                    total_examples=model.corpus_count, epochs=a.epochs)  # fmt: skip
        cpu = time.process_time() - cpu
    model.wv.save_word2vec_format(a.out, binary=True)
    known = sum(model.wv.get_vecattr(word, "count") for word in model.wv.index_to_key)
    print(json.dumps(dict(
        cpu=cpu, vocabulary=vocabulary, words=len(model.wv), tokens=tokens, known=int(known), epochs=a.epochs,
        peak=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        versions={"gensim": gensim.__version__, "numpy": np.__version__},
    )))  # fmt: skip


if __name__ == "__main__":
    main()
