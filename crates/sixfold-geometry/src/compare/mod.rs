//! Two views of the same points: do they see the same neighbours?
