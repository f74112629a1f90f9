//! The directions that a layer stretches most: (p,q)-singular vectors, and their kin on the
//! probability simplex, which are triggers.

mod config;
mod iterate;
mod maps;
mod operator;
mod simplex;

pub use config::{Exponent, SingularConfig};
pub use iterate::{SingularVector, singular_vector};
pub use maps::{norm, phi};
pub use operator::{Jacobian, Products, Stacked};
pub use simplex::{SimplexVector, const_direction, mean_row, random_direction, simplex_vector};
