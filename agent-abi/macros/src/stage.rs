//! `#[stage]`: the function as it was, and beside it a type of the same name that describes it.
//!
//! Functions and types have separate name spaces, so `export![prelabel]` and `use x::prelabel` reach
//! both, and the attribute works wherever a function can stand, a test's body included.

use crate::options::StageArgs;
use crate::{Place, params};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{ItemFn, Result, ReturnType};

pub fn expand(args: TokenStream, item: TokenStream, place: &Place) -> Result<TokenStream> {
    let mut function = params::function(item, "stage")?;
    let args: StageArgs = match syn::parse2(args) {
        Ok(args) => args,
        Err(error) => return Ok(with_error(&function, &error)),
    };
    let params = match params::take(&mut function, false) {
        Ok(params) => params,
        Err(error) => return Ok(with_error(&function, &error)),
    };
    let name = &function.sig.ident;
    let vis = &function.vis;
    let stage = &args.stage;
    let (flags, asked) = (args.flags, args.needs());
    let texts: Vec<String> = params.iter().map(|p| p.text.clone()).collect();
    let mut spec = args.spec_head(&name.to_string(), &place.0, &texts);
    let twins: Vec<&str> = params.iter().filter_map(|p| p.twin.as_deref()).collect();
    if !twins.is_empty() {
        spec.push_str(&format!(",\"twins\":[{}]", twins.join(",")));
    }
    spec.push('}');
    let routes = &args.routes;
    let needs = params.iter().map(params::Param::needs);
    let mut order: Vec<&params::Param> = params.iter().collect();
    order.sort_by_key(|p| p.rank());
    let open = order.iter().map(|p| p.open());
    let lookups = params.iter().map(params::Param::lookup);
    let pass = params.iter().map(params::Param::pass);
    let finish = finish(&function.sig.output, name);
    let label = name.to_string();
    Ok(quote! {
        #[allow(clippy::too_many_arguments)] // each is one thing that the agent asks for
        #function

        #[doc(hidden)]
        #[allow(non_camel_case_types, missing_docs)]
        #vis struct #name {}

        const _: () = {
            #(#lookups)*

            #[automatically_derived]
            impl ::agent_abi::glue::Agent for #name {
                const NAME: &'static str = #label;
                const STAGE: &'static str = #stage;
                const FLAGS: u32 = #flags;
                const NEEDS: u64 = #asked #(| #needs)*;
                const SPEC: &'static str = #spec;
                const ROUTES: &'static [&'static str] = &[#(#routes),*];
                fn call(
                    scope: &::agent_abi::inject::Scope<'_>,
                ) -> ::core::result::Result<::agent_abi::Route, ::agent_abi::inject::Stop> {
                    #(#open)*
                    let value = scope.call(|| #name(#(#pass),*));
                    #finish
                }
            }
        };
    })
}

fn finish(output: &ReturnType, name: &syn::Ident) -> TokenStream {
    match output {
        ReturnType::Default => {
            quote_spanned!(name.span()=> <() as ::agent_abi::inject::IntoRoute>::into_route(value))
        }
        ReturnType::Type(_, ty) => {
            quote_spanned!(ty.span()=> <#ty as ::agent_abi::inject::IntoRoute>::into_route(value))
        }
    }
}

/// The message, and the function too, so that nothing else in the file seems wrong because of it.
fn with_error(function: &ItemFn, error: &syn::Error) -> TokenStream {
    let error = error.to_compile_error();
    let name = &function.sig.ident;
    let vis = &function.vis;
    // In an `impl` no type can stand beside it.
    if function.sig.receiver().is_some() {
        return quote!(#function #error);
    }
    // A stage of its own, so that there is no error about two agents for one stage.
    let stage = format!("\0{name}");
    let mut plain = function.clone();
    for input in &mut plain.sig.inputs {
        if let syn::FnArg::Typed(input) = input {
            input
                .attrs
                .retain(|a| !a.path().is_ident("depends") && !a.path().is_ident("arg"));
        }
    }
    quote! {
        #plain
        #[doc(hidden)]
        #[allow(non_camel_case_types, missing_docs)]
        #vis struct #name {}
        impl ::agent_abi::glue::Agent for #name {
            const NAME: &'static str = "";
            const STAGE: &'static str = #stage;
            const FLAGS: u32 = 0;
            const NEEDS: u64 = 0;
            const SPEC: &'static str = "{}";
            fn call(
                _: &::agent_abi::inject::Scope<'_>,
            ) -> ::core::result::Result<::agent_abi::Route, ::agent_abi::inject::Stop> {
                ::core::unreachable!()
            }
        }
        #error
    }
}
