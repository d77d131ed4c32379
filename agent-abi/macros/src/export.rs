//! `export!`: the one exported symbol of an agent library and its table of agents.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Error, Path, Result, Token};

struct Export {
    agents: Vec<Path>,
    preflight: Option<Path>,
}

impl Parse for Export {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut export = Self {
            agents: Vec::new(),
            preflight: None,
        };
        while !input.is_empty() {
            let path: Path = input.parse()?;
            if input.peek(Token![=]) {
                if !path.is_ident("preflight") {
                    return Err(Error::new(
                        path.span(),
                        "the only option of `export!` is `preflight = function`",
                    ));
                }
                input.parse::<Token![=]>()?;
                export.preflight = Some(input.parse()?);
            } else {
                export.agents.push(path);
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        if export.agents.is_empty() {
            return Err(Error::new(
                proc_macro2::Span::call_site(),
                "name the agents of this crate in the order they should run: `export![prelabel, review];`",
            ));
        }
        Ok(export)
    }
}

pub fn expand(items: TokenStream) -> Result<TokenStream> {
    let Export { agents, preflight } = syn::parse2(items)?;
    let count = agents.len();
    let entries = agents
        .iter()
        .map(|path| quote_spanned!(path.span()=> ::agent_abi::glue::agent::<#path>()));
    let distinct = agents.iter().enumerate().skip(1).map(|(index, path)| {
        let earlier = &agents[..index];
        quote_spanned! {path.span()=>
            const _: () = ::core::assert!(
                ::agent_abi::glue::is_new(
                    <#path as ::agent_abi::glue::Agent>::STAGE,
                    &[#(<#earlier as ::agent_abi::glue::Agent>::STAGE),*],
                ),
                "this agent names the same stage as one before it in export!; a stage has one agent",
            );
        }
    });
    let preflight = match preflight {
        None => quote!(::core::option::Option::None),
        Some(path) => quote_spanned! {path.span()=> {
            struct Preflight;
            impl ::agent_abi::glue::Preflight for Preflight {
                fn look(project: &::agent_abi::Project) -> ::agent_abi::Result<()> {
                    ::agent_abi::inject::closed(#path(project))
                }
            }
            ::core::option::Option::Some(::agent_abi::glue::preflight::<Preflight>)
        }},
    };
    Ok(quote! {
        const _: () = {
            #(#distinct)*
            static AGENTS: [::agent_abi::table::Agent; #count] = [#(#entries),*];
            static MODULE: ::agent_abi::table::Module = ::agent_abi::glue::module(
                ::core::env!("CARGO_PKG_NAME"),
                ::core::env!("CARGO_PKG_VERSION"),
                &AGENTS,
                #preflight,
            );
            #[unsafe(no_mangle)]
            extern "C" fn wb_agent_module() -> *const ::agent_abi::table::Module {
                &raw const MODULE
            }
        };
    })
}
