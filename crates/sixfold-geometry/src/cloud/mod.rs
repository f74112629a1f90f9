//! Spread of a cloud over its directions, from one streaming state.
