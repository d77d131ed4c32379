//! Types of parameters as syntax: how each is lent, its lifetimes, how people write it.

use crate::params::Form;
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{GenericArgument, PathArguments, Result, Type};

/// Whether it is optional, how it is lent, and the type inside.
pub fn form(ty: &Type) -> (bool, Form, Type) {
    let (optional, ty) = match optional(ty) {
        Some(inner) => (true, inner),
        None => (false, ty.clone()),
    };
    match ty {
        Type::Reference(reference) => {
            let form = if reference.mutability.is_some() {
                Form::Exclusive
            } else {
                Form::Shared
            };
            (optional, form, *reference.elem)
        }
        other => (optional, Form::Owned, other),
    }
}

fn optional(ty: &Type) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    if last.ident != "Option" {
        return None;
    }
    let PathArguments::AngleBracketed(args) = &last.arguments else {
        return None;
    };
    match args.args.first()? {
        GenericArgument::Type(inner) => Some(inner.clone()),
        _ => None,
    }
}

/// The place of a lifetime of this name in a type.
fn lifetime_in(ty: &Type, name: &str) -> Option<Span> {
    fn find(tokens: TokenStream, name: &str) -> Option<Span> {
        let mut quote = false;
        for token in tokens {
            match &token {
                TokenTree::Group(group) => {
                    if let Some(span) = find(group.stream(), name) {
                        return Some(span);
                    }
                }
                TokenTree::Ident(ident) if quote && ident == name => return Some(ident.span()),
                _ => {}
            }
            quote = matches!(&token, TokenTree::Punct(p) if p.as_char() == '\'');
        }
        None
    }
    find(ty.to_token_stream(), name)
}

/// The `'static` of what is lent for a task. What a dependency's value holds may last longer than the loan.
pub fn lent_for_ever(ty: &Type, value_of_dependency: bool) -> Option<Span> {
    match ty {
        Type::Reference(loan) if value_of_dependency => {
            let word = loan.lifetime.as_ref()?;
            (word.ident == "static").then(|| word.span())
        }
        _ => lifetime_in(ty, "static"),
    }
}

/// The place where a type borrows from something that does not last: a reference or a lifetime other than
/// `'static`.
pub fn borrows(ty: &Type) -> Option<Span> {
    fn find(tokens: TokenStream) -> Option<Span> {
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match &token {
                TokenTree::Group(group) => {
                    if let Some(span) = find(group.stream()) {
                        return Some(span);
                    }
                }
                TokenTree::Punct(p) if p.as_char() == '&' => {
                    let lasts =
                        matches!(tokens.peek(), Some(TokenTree::Punct(p)) if p.as_char() == '\'');
                    if !lasts {
                        return Some(p.span());
                    }
                }
                TokenTree::Punct(p) if p.as_char() == '\'' => {
                    let lasts = matches!(tokens.peek(), Some(TokenTree::Ident(i)) if i == "static");
                    if !lasts {
                        return Some(p.span());
                    }
                }
                _ => {}
            }
        }
        None
    }
    // Functions have references of their own.
    let functions = ["fn", "Fn", "FnMut", "FnOnce", "for"];
    if functions
        .iter()
        .any(|word| names(ty.to_token_stream(), word))
    {
        return None;
    }
    find(ty.to_token_stream())
}

fn names(tokens: TokenStream, word: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == word,
        TokenTree::Group(group) => names(group.stream(), word),
        _ => false,
    })
}

/// The type as if everything that it borrows lasted for ever: for what stands in after a mistake.
pub fn lasting(ty: &Type) -> TokenStream {
    fn rename(tokens: TokenStream) -> TokenStream {
        let mut out = TokenStream::new();
        let mut tokens = tokens.into_iter().peekable();
        while let Some(token) = tokens.next() {
            match token {
                TokenTree::Group(group) => {
                    let mut inner = Group::new(group.delimiter(), rename(group.stream()));
                    inner.set_span(group.span());
                    out.extend([TokenTree::from(inner)]);
                }
                TokenTree::Punct(p) if p.as_char() == '\'' => {
                    tokens.next();
                    out.extend(quote::quote!('static));
                }
                TokenTree::Punct(p) if p.as_char() == '&' => {
                    out.extend([TokenTree::from(p)]);
                    if !matches!(tokens.peek(), Some(TokenTree::Punct(p)) if p.as_char() == '\'') {
                        out.extend(quote::quote!('static));
                    }
                }
                other => out.extend([other]),
            }
        }
        out
    }
    rename(ty.to_token_stream())
}

/// The type with the function's own lifetimes left open: where it is written next they have no names.
pub fn anonymous(ty: Type, lifetimes: &[String]) -> Result<Type> {
    fn rename(tokens: TokenStream, lifetimes: &[String]) -> TokenStream {
        let mut quote = false;
        let renamed = tokens.into_iter().map(|token| {
            let own = quote
                && matches!(&token, TokenTree::Ident(i) if lifetimes.contains(&i.to_string()));
            quote = matches!(&token, TokenTree::Punct(p) if p.as_char() == '\'');
            match token {
                TokenTree::Ident(ident) if own => Ident::new("_", ident.span()).into(),
                TokenTree::Group(group) => {
                    let mut inner =
                        Group::new(group.delimiter(), rename(group.stream(), lifetimes));
                    inner.set_span(group.span());
                    inner.into()
                }
                other => other,
            }
        });
        renamed.collect()
    }
    if lifetimes.is_empty() {
        return Ok(ty);
    }
    syn::parse2(rename(ty.to_token_stream(), lifetimes))
}

/// The type as a person writes it; tokens alone are spaced out (`& mut LabelRow`).
pub fn pretty(ty: &Type) -> String {
    let mut out = String::new();
    for part in ty.to_token_stream().to_string().split_whitespace() {
        let glue = part == "mut" || out.ends_with("mut") || out.ends_with("dyn") || part == "dyn";
        if glue && !out.is_empty() && !out.ends_with('&') && !out.ends_with('<') {
            out.push(' ');
        }
        if out.ends_with(',') {
            out.push(' ');
        }
        out.push_str(part);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_that_borrows_is_distinguished_from_one_that_lasts() {
        for (text, wanted) in [
            ("String", false),
            ("&'static str", false),
            ("Cow<'static, str>", false),
            ("Box<dyn Fn(&str) -> String + Send>", false),
            ("&str", true),
            ("Vec<&str>", true),
            ("(u8, &[u8])", true),
            ("Frame<'_>", true),
            ("Cow<'a, str>", true),
        ] {
            let ty: Type = syn::parse_str(text).unwrap();
            assert_eq!(borrows(&ty).is_some(), wanted, "{text}");
            let lasting: Type = syn::parse2(lasting(&ty)).unwrap();
            assert!(borrows(&lasting).is_none(), "{text}");
        }
    }

    #[test]
    fn types_are_printed_as_people_write_them() {
        for text in [
            "&Task",
            "&mut LabelRow",
            "Option<&mut LabelRow>",
            "Frame<'_>",
            "HashMap<String, u8>",
            "a::B",
        ] {
            let ty: Type = syn::parse_str(text).unwrap();
            assert_eq!(pretty(&ty), text);
        }
    }
}
