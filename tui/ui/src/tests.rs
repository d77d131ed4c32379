//! Keys to commands.
