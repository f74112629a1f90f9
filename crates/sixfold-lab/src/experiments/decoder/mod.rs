//! Small decoders that a run trains itself: recipe, text and training.

mod material;
mod recipe;
mod training;

pub(super) use material::Material;
pub use recipe::Recipe;
pub(super) use training::Training;
