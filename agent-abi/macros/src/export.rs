//! `export!`: the one exported symbol of an agent library and its table of agents.
//!
//! `#[stage]` puts a type of the function's name beside it, and only that type is an agent; `lookup` sees to the
//! words for a function that has none.

use crate::lookup;
use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Error, Ident, Path, Result, Token, bracketed};

struct Export {
    agents: Vec<Path>,
    preflight: Option<Path>,
    resources: Vec<Path>,
}

impl Parse for Export {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut export = Self {
            agents: Vec::new(),
            preflight: None,
            resources: Vec::new(),
        };
        while !input.is_empty() {
            let path: Path = input.parse()?;
            if input.peek(Token![=]) {
                input.parse::<Token![=]>()?;
                export.option(&path, input)?;
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

impl Export {
    fn option(&mut self, name: &Path, input: ParseStream<'_>) -> Result<()> {
        if name.is_ident("preflight") {
            self.preflight = Some(input.parse()?);
        } else if name.is_ident("resources") {
            let list;
            bracketed!(list in input);
            let paths = list.parse_terminated(Path::parse_mod_style, Token![,])?;
            self.resources.extend(paths);
        } else {
            return Err(Error::new(
                name.span(),
                "the options of `export!` are `preflight = function`, a function that looks at `&Project`, \
                 and `resources = [Type]`, types with `#[resource]`",
            ));
        }
        Ok(())
    }
}

pub fn expand(items: TokenStream) -> Result<TokenStream> {
    let Export {
        agents,
        preflight,
        resources,
    } = syn::parse2(items)?;
    let count = agents.len();
    let names: Vec<Ident> = (0..count).map(|n| format_ident!("AGENT_{n}")).collect();
    let entries = names
        .iter()
        .zip(&agents)
        .map(|(name, path)| entry(name, path));
    let distinct = agents.iter().enumerate().skip(1).map(|(index, path)| {
        let (own, earlier) = (&names[index], &names[..index]);
        quote_spanned! {path.span()=>
            const _: () = ::core::assert!(
                ::agent_abi::glue::is_new(#own.1, &[#(#earlier.1),*]),
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
    let resource_count = resources.len();
    let made = resources
        .iter()
        .map(|path| quote_spanned!(path.span()=> ::agent_abi::glue::resource::<#path>()));
    Ok(quote! {
        const _: () = {
            #(#entries)*
            #(#distinct)*
            static AGENTS: [::agent_abi::table::Agent; #count] = [#(#names.0),*];
            static RESOURCES: [::agent_abi::table::Resource; #resource_count] = [#(#made),*];
            static MODULE: ::agent_abi::table::Module = ::agent_abi::glue::module(
                ::core::env!("CARGO_PKG_NAME"),
                ::core::env!("CARGO_PKG_VERSION"),
                &AGENTS,
                #preflight,
                &RESOURCES,
            );
            #[unsafe(no_mangle)]
            extern "C" fn wb_agent_module() -> *const ::agent_abi::table::Module {
                &raw const MODULE
            }
        };
    })
}

/// Table entry and stage of one agent, as a constant.
fn entry(name: &Ident, path: &Path) -> TokenStream {
    let span = path.span();
    let alias = format_ident!("__Agent", span = span);
    // A name alone is one of this module: with the path, rustc suggests the nearest one when it is missing.
    let look = match path.get_ident() {
        Some(ident) => lookup::lookup(&syn::parse_quote_spanned!(span=> self::#ident), &alias),
        None => lookup::lookup(path, &alias),
    };
    quote_spanned! {span=>
        const #name: (::agent_abi::table::Agent, &str) = {
            #look
            ::agent_abi::glue::entry::<#alias>()
        };
    }
}
