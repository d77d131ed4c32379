//! `#[depends(twin("hash", …))]`: a twin is declared where it is asked for, so that it can be fetched ahead.

use crate::json;
use crate::origin::Origin;
use crate::suggest;
use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote_spanned};
use syn::{Error, Expr, Result, Type};

/// `twin("hash", include_task = true)`: its options become one argument, and the twin is declared, so that
/// it can be fetched ahead; `changed`: the agent may change it.
pub fn take(origin: &mut Origin, changed: bool) -> Result<Option<String>> {
    let Origin::Named(path, args) = origin else {
        return Ok(None);
    };
    let named = path.segments.last().is_some_and(|s| s.ident == "twin");
    let Some(Expr::Lit(syn::ExprLit {
        lit: syn::Lit::Str(hash),
        ..
    })) = args.first().filter(|_| named).cloned()
    else {
        return Ok(None);
    };
    if !is_uuid(&hash.value()) {
        let text =
            "a twin is named by its project hash, a UUID: \"01234567-89ab-cdef-0123-456789abcdef\"";
        return Err(Error::new(hash.span(), text));
    }
    let (mut init_labels, mut include_task) = (true, false);
    for option in args.iter().skip(1) {
        let (name, wanted) = flag(option)?;
        match name.to_string().as_str() {
            "init_labels" => init_labels = wanted,
            "include_task" => include_task = wanted,
            other => {
                let hint = suggest::hint(other, ["init_labels", "include_task"]);
                let text = format!("`{other}` is not an option of `twin`.{hint}");
                return Err(Error::new(name.span(), text));
            }
        }
    }
    let span = hash.span();
    *args = vec![if args.len() == 1 {
        syn::parse_quote_spanned!(span=> ::core::convert::Into::into(#hash))
    } else {
        syn::parse_quote_spanned!(span=> ::agent_abi::inject::TwinOf::new(#hash)
            .init_labels(#init_labels).include_task(#include_task))
    }];
    let write = if changed { ",\"write\":true" } else { "" };
    Ok(Some(format!(
        "{{\"project\":{},\"init_labels\":{init_labels},\"include_task\":{include_task}{write}}}",
        json::text(&hash.value())
    )))
}

/// The loan of the twin's own value, so that what is changed in it counts.
pub fn lent(
    slot: &Ident,
    entry: &TokenStream,
    path: &TokenStream,
    (text, ty): (&str, &Type),
    span: Span,
) -> TokenStream {
    let (kept, lent) = (
        format_ident!("{slot}_entry", span = slot.span()),
        format_ident!("{slot}_lent", span = slot.span()),
    );
    quote_spanned! {span=>
        let #kept = #entry;
        let mut #lent = ::agent_abi::inject::Entry::<#path>::lend_mut(&#kept)?;
        let #slot: &mut #ty = scope.present(#text, (*#lent).as_mut())?;
    }
}

/// 32 hexadecimal digits, with or without the dashes in their places.
fn is_uuid(text: &str) -> bool {
    let dashes: Vec<usize> = text.match_indices('-').map(|(at, _)| at).collect();
    let digits = text.bytes().filter(|b| b.is_ascii_hexdigit()).count();
    digits == 32
        && digits + dashes.len() == text.len()
        && (dashes.is_empty() || dashes == [8, 13, 18, 23])
}

/// `name = true`
fn flag(option: &Expr) -> Result<(Ident, bool)> {
    if let Expr::Assign(assign) = option
        && let Expr::Path(name) = &*assign.left
        && let Some(name) = name.path.get_ident()
        && let Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Bool(wanted),
            ..
        }) = &*assign.right
    {
        return Ok((name.clone(), wanted.value));
    }
    let text = "options of `twin` are written `include_task = true`";
    Err(Error::new_spanned(option, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_its_dashes_in_their_places_or_none() {
        assert!(is_uuid("8d7a0c0e-56f1-4b0c-9d4e-6a3a4a8f1b11"));
        assert!(is_uuid("8D7A0C0E56F14B0C9D4E6A3A4A8F1B11"));
        for wrong in [
            "",
            "8d7a",
            "8d7a0c0e56f1-4b0c-9d4e-6a3a4a8f1b11",
            "8d7a0c0e-56f1-4b0c-9d4e-6a3a4a8f1b1g",
        ] {
            assert!(!is_uuid(wrong), "{wrong}");
        }
    }
}
