//! The weaknesses.
