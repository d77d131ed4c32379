//! `crate = "abi"`: the macros in a crate whose `Cargo.toml` gives `agent-abi` another name.
//!
//! Everything else here writes `::agent_abi`. The option is taken out of the arguments before they are read, and
//! that path is replaced in what a macro returns.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::Parser;
use syn::{Error, LitStr, Path, Result};

/// Calls the macro with the arguments other than `crate`.
pub fn expand(
    args: TokenStream,
    expand: impl FnOnce(TokenStream) -> Result<TokenStream>,
) -> TokenStream {
    let (args, path) = match without_crate(args) {
        Ok(parts) => parts,
        Err(error) => return error.into_compile_error(),
    };
    let written = expand(args).unwrap_or_else(Error::into_compile_error);
    match path {
        Some(path) => replaced(written, &path),
        None => written,
    }
}

/// The arguments between the commas that are not `crate = …`, and the path of that one.
fn without_crate(args: TokenStream) -> Result<(TokenStream, Option<Path>)> {
    let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ',');
    let is_crate = |token: &TokenTree| matches!(token, TokenTree::Ident(word) if word == "crate");
    let args: Vec<TokenTree> = args.into_iter().collect();
    let (mut rest, mut path) = (TokenStream::new(), None);
    for argument in args.split_inclusive(is_comma) {
        let end = argument.len() - usize::from(argument.last().is_some_and(is_comma));
        match &argument[..end] {
            // `crate::checks::validate` names an agent.
            [word, TokenTree::Punct(equals), value @ ..]
                if is_crate(word) && equals.as_char() == '=' =>
            {
                if path.is_some() {
                    return Err(Error::new(word.span(), "`crate` is there twice"));
                }
                path = Some(path_of(value, word.span())?);
            }
            _ => rest.extend(argument.iter().cloned()),
        }
    }
    Ok((rest, path))
}

fn path_of(value: &[TokenTree], place: Span) -> Result<Path> {
    let value: TokenStream = value.iter().cloned().collect();
    let path = match syn::parse2::<LitStr>(value.clone()) {
        Ok(text) => text.parse_with(Path::parse_mod_style),
        Err(_) => Path::parse_mod_style.parse2(value),
    };
    path.map_err(|_| {
        let text = "write the name that `agent-abi` has in Cargo.toml: `crate = \"abi\"`";
        Error::new(place, text)
    })
}

/// The tokens with the path in place of each `::agent_abi`, where the compiler's messages point as before.
fn replaced(tokens: TokenStream, path: &Path) -> TokenStream {
    let colon = |token: &TokenTree| matches!(token, TokenTree::Punct(p) if p.as_char() == ':');
    let mut out: Vec<TokenTree> = Vec::new();
    for token in tokens {
        match token {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), replaced(group.stream(), path));
                inner.set_span(group.span());
                out.push(inner.into());
            }
            TokenTree::Ident(word)
                if word == "agent_abi"
                    && out.len() >= 2
                    && out[out.len() - 2..].iter().all(colon) =>
            {
                out.truncate(out.len() - 2);
                out.extend(path.to_token_stream().into_iter().map(|mut token| {
                    token.set_span(word.span());
                    token
                }));
            }
            other => out.push(other),
        }
    }
    out.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use quote::quote;

    #[test]
    fn the_option_is_taken_out_wherever_it_is() {
        for args in [
            quote!("a", crate = "abi", serial),
            quote!("a", crate = abi, serial),
            quote!("a", serial, crate = "abi"),
        ] {
            let (rest, path) = without_crate(args).unwrap();
            let rest = rest.to_string();
            assert_eq!(rest.trim_end_matches(" ,"), quote!("a", serial).to_string());
            assert_eq!(path.unwrap().to_token_stream().to_string(), "abi");
        }
        let (rest, path) = without_crate(quote!(crate::checks::validate, b)).unwrap();
        assert_eq!(
            rest.to_string(),
            quote!(crate::checks::validate, b).to_string()
        );
        assert!(path.is_none());
        for wrong in [
            quote!(crate = 3),
            quote!(crate = "a b"),
            quote!(crate = a, crate = b),
        ] {
            assert!(without_crate(wrong.clone()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_path_is_replaced_at_every_depth_and_nothing_else_is() {
        let path: Path = syn::parse_quote!(crate::shared::abi);
        let written = quote!(
            const ASKED: ::agent_abi::Asked = 0;
            fn agent_abi() {
                ::agent_abi::glue::is_new(&[::agent_abi::X])
            }
        );
        let wanted = quote!(
            const ASKED: crate::shared::abi::Asked = 0;
            fn agent_abi() {
                crate::shared::abi::glue::is_new(&[crate::shared::abi::X])
            }
        );
        assert_eq!(replaced(written, &path).to_string(), wanted.to_string());
    }
}
