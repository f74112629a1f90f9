//! Clouds of known dimension, to try an estimator on.
