//! Files behind tasks: storage items, downloads by signed URL, the cache they end in.
//!
//! Decoding them is left to the hosts. Titles and names of items never become part of a path.

mod cache;
mod content;
mod download;
pub(crate) mod item;
mod judge;
mod part;

pub use cache::AssetCache;
