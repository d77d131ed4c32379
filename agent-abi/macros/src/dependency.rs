//! `#[dependency]`: the function as it was, and a type of the same name that provides its value.

use crate::params::{self, Param};
use crate::suggest;
use crate::types::{borrows, lasting};
use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, FnArg, GenericArgument, Ident, ItemFn, Path, PathArguments, Result,
    ReturnType, Token, Type,
};

#[derive(Default)]
struct Options {
    host: bool,
    close: Option<Path>,
}

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Self::default();
        while !input.is_empty() {
            let name: Ident = input.parse()?;
            if !input.peek(Token![=]) {
                let text = "options of `#[dependency]` are written scope = host, close = function";
                return Err(Error::new(name.span(), text));
            }
            input.parse::<Token![=]>()?;
            match name.to_string().as_str() {
                "scope" => {
                    let scope: Ident = input.parse()?;
                    options.host = match scope.to_string().as_str() {
                        "host" => true,
                        "task" => false,
                        other => {
                            let hint = suggest::hint(other, ["task", "host"]);
                            let text = format!("`{other}` is not a scope.{hint}");
                            return Err(Error::new(scope.span(), text));
                        }
                    };
                }
                "close" => options.close = Some(input.parse()?),
                other => {
                    let hint = suggest::hint(other, ["scope", "close"]);
                    let text = format!(
                        "`{other}` is not an option of `#[dependency]`.{hint} They are written scope = host, close = function"
                    );
                    return Err(Error::new(name.span(), text));
                }
            }
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(options)
    }
}

pub fn expand(args: TokenStream, item: TokenStream) -> Result<TokenStream> {
    let function = params::function(item, "dependency")?;
    Ok(provide(args, function.clone()).unwrap_or_else(|error| with_error(&function, &error)))
}

/// The message, and what others ask for too, so that nothing else in the file seems wrong because of it.
fn with_error(function: &ItemFn, error: &Error) -> TokenStream {
    let error = error.to_compile_error();
    let (name, vis) = (&function.sig.ident, &function.vis);
    if function.sig.receiver().is_some() {
        return quote!(#function #error);
    }
    let marked = |attrs: &[Attribute]| attrs.iter().any(|a| a.path().is_ident("arg"));
    let args = function.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(input) if marked(&input.attrs) => Some(lasting(&input.ty)),
        _ => None,
    });
    let args: Vec<TokenStream> = args.collect();
    let args = if args.is_empty() {
        quote!(())
    } else {
        quote!((#(#args,)*))
    };
    let value = value(function).map_or_else(|_| quote!(()), |(ty, _)| lasting(&ty));
    quote! {
        #[doc(hidden)]
        #[allow(non_camel_case_types, missing_docs)]
        #vis struct #name {}
        impl ::agent_abi::inject::Provide for #name {
            const NAME: &'static str = "";
            type Args = #args;
            type Value = #value;
            fn open(
                _: &::agent_abi::inject::Scope<'_>,
                _: &Self::Args,
            ) -> ::core::result::Result<Self::Value, ::agent_abi::inject::Stop> {
                ::core::unreachable!()
            }
        }
        #error
    }
}

fn provide(args: TokenStream, mut function: ItemFn) -> Result<TokenStream> {
    let options: Options = syn::parse2(args)?;
    let params = params::take(&mut function, true)?;
    let (name, vis) = (&function.sig.ident, &function.vis);
    if let Some(own) = params.iter().find_map(|param| param.depends_on(name)) {
        let text = format!("`{name}` asks for itself; a dependency may ask for others only");
        return Err(Error::new(own, text));
    }
    let (value, fallible) = value(&function)?;
    check_borrows(&value, &params)?;
    let label = name.to_string();
    let (given, injected): (Vec<_>, Vec<_>) = params.iter().partition(|p| p.is_argument());
    let (args_type, unpack) = arguments(&given);
    let node = node(&label, &injected);
    let needs = quote_spanned!(name.span()=> Self::ASKED.needs());
    let mut order = injected.clone();
    order.sort_by_key(|p| p.rank());
    let open = order.iter().map(|p| p.open());
    let lookups = injected.iter().map(|p| p.lookup());
    let pass = params.iter().map(Param::pass);
    let result = if fallible {
        quote_spanned!(value.span()=> made.map_err(::agent_abi::inject::Stop::agent))
    } else {
        quote!(::core::result::Result::Ok(made))
    };
    let lifetime = lifetime(options, name);
    Ok(quote! {
        #[allow(clippy::too_many_arguments)] // each is one thing that it asks for
        #function

        #[doc(hidden)]
        #[allow(non_camel_case_types, missing_docs)]
        #vis struct #name {}

        const _: () = {
            #(#lookups)*

            #node

            #[automatically_derived]
            impl ::agent_abi::inject::Provide for #name {
                const NAME: &'static str = #label;
                const NEEDS: u64 = #needs;
                const ASKED: ::agent_abi::inject::DependencyRef = ::agent_abi::inject::DependencyRef::of(&NODE);
                type Args = #args_type;
                type Value = #value;
                fn open(
                    scope: &::agent_abi::inject::Scope<'_>,
                    args: &Self::Args,
                ) -> ::core::result::Result<Self::Value, ::agent_abi::inject::Stop> {
                    #unpack
                    #(#open)*
                    let made = #name(#(#pass),*);
                    #result
                }
                #lifetime
            }
        };
    })
}

/// What the dependency itself needs, and the dependencies that it asks for.
fn node(label: &str, injected: &[&Param]) -> TokenStream {
    let own = injected.iter().filter_map(|p| p.own_needs());
    let asked = injected.iter().filter_map(|p| p.asked());
    quote! {
        static NODE: ::agent_abi::inject::DependencyNode = ::agent_abi::inject::DependencyNode::new(
            #label,
            ::core::concat!(::core::file!(), ":", ::core::line!(), ":", ::core::column!()),
            0 #(| #own)*,
            &[#(#asked),*],
        );
    }
}

/// The value and the arguments are kept longer than what they could borrow from.
fn check_borrows(value: &Type, params: &[Param]) -> Result<()> {
    if let Some(place) = borrows(value) {
        let text = "what a dependency gives is kept for all that ask for it, and cannot borrow from its parameters: \
                    give a value of its own, `String` for `&str`, `Vec<T>` for `&[T]`, `Picture` for `Frame<'_>`";
        return Err(Error::new(place, text));
    }
    let mut arguments = params.iter().filter(|p| p.is_argument());
    match arguments.find_map(|argument| borrows(&argument.written)) {
        Some(place) => {
            let text = "an argument is kept with the value it made: write `&'static str` for a text that stands in the code, \
                        `String` for others";
            Err(Error::new(place, text))
        }
        None => Ok(()),
    }
}

/// The type of the arguments, and the statement that takes them apart.
fn arguments(given: &[&Param]) -> (TokenStream, TokenStream) {
    let types = given.iter().map(|p| &p.written);
    let slots = given.iter().map(|p| p.slot());
    match given {
        [] => (quote!(()), quote!(let () = args;)),
        _ => (quote!((#(#types,)*)), quote!(let (#(#slots,)*) = args;)),
    }
}

/// Where the value is kept, and how it is closed.
fn lifetime(options: Options, name: &Ident) -> TokenStream {
    let pool = options.host.then(|| {
        quote! {
            fn pool() -> ::core::option::Option<&'static ::agent_abi::inject::Pool<Self>> {
                static POOL: ::agent_abi::inject::Pool<#name> = ::agent_abi::inject::Pool::new();
                ::core::option::Option::Some(&POOL)
            }
        }
    });
    let close = options.close.map(|path| {
        quote_spanned!(path.span()=>
            fn close(value: Self::Value, end: ::agent_abi::End) -> ::agent_abi::Result<()> {
                ::agent_abi::inject::closed(#path(value, end))
            }
        )
    });
    quote!(#pool #close)
}

/// The type of the value, and whether the function returns a `Result` of it.
fn value(function: &ItemFn) -> Result<(Type, bool)> {
    let ReturnType::Type(_, ty) = &function.sig.output else {
        return Err(Error::new(
            function.sig.ident.span(),
            "a dependency gives a value: write its type, `-> Result<T>` or `-> T`",
        ));
    };
    if let Type::Path(path) = &**ty
        && let Some(last) = path.path.segments.last()
        && last.ident == "Result"
        && let PathArguments::AngleBracketed(args) = &last.arguments
        && let Some(GenericArgument::Type(inner)) = args.args.first()
    {
        return Ok((inner.clone(), true));
    }
    Ok(((**ty).clone(), false))
}
