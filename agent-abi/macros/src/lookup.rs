//! Names of marked functions, looked up so that a function without its mark gets a clear error.
//!
//! `#[stage]` and `#[dependency]` put a type of the function's name beside it. For a function that lacks the
//! attribute rustc would report that a type was expected. Here the name is imported under an alias, and a type of
//! that name that implements nothing lies behind the alias (what a glob brings yields to what is named): then
//! the trait's own words are heard, which name the attribute.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::spanned::Spanned;
use syn::{Path, PathArguments};

/// Items for the beginning of a block that make `alias` the marked type of the path.
pub fn lookup(path: &Path, alias: &Ident) -> TokenStream {
    let span = path.span();
    let plain = path
        .segments
        .iter()
        .all(|s| matches!(s.arguments, PathArguments::None));
    let Some(last) = path.segments.last().filter(|_| plain) else {
        // No `use` takes generic arguments.
        return quote_spanned!(span=> type #alias = #path;);
    };
    let name = &last.ident;
    let module = format_ident!("not_marked{alias}", span = span);
    quote_spanned! {span=>
        #[allow(non_snake_case, non_camel_case_types, dead_code, unused_imports)]
        mod #module {
            pub struct #name;
            pub mod names {
                pub use super::#name as #alias;
            }
        }
        #[allow(unused_imports)]
        use #module::names::*;
        #[allow(unused_imports)]
        use #path as #alias;
    }
}
