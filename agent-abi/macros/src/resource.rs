//! `#[resource]`: adds to an `impl Resource` block what the workbench identifies the running process by.

use crate::{Place, json, suggest};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use std::path::Path;
use syn::parse::{Parse, ParseStream};
use syn::{Error, Ident, ItemImpl, LitStr, Result, Token, Type, bracketed};

#[derive(Default)]
struct ResourceOptions {
    version: Option<LitStr>,
    files: Vec<LitStr>,
}

impl Parse for ResourceOptions {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut options = Self::default();
        while !input.is_empty() {
            let name: Ident = input.parse()?;
            input.parse::<Token![=]>()?;
            match name.to_string().as_str() {
                "version" => options.version = Some(input.parse()?),
                "files" => {
                    let list;
                    bracketed!(list in input);
                    let files = list.parse_terminated(<LitStr as Parse>::parse, Token![,])?;
                    options.files.extend(files);
                }
                other => {
                    let hint = suggest::hint(other, ["version", "files"]);
                    let text = format!(
                        "`{other}` is not an option of `#[resource]`.{hint} They are written version = \"2\", files = [\"model.onnx\"]"
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

/// `source` is the file that the block stands in, where the compiler knows it.
pub fn expand(
    args: TokenStream,
    item: TokenStream,
    place: &Place,
    source: Option<&Path>,
) -> Result<TokenStream> {
    let mut block: ItemImpl = syn::parse2(item.clone()).map_err(|error| {
        let text = "`#[resource]` stands on a block `impl Resource for Type { … }`";
        Error::new(error.span(), text)
    })?;
    let named = block.trait_.as_ref().is_some_and(|(path, _)| {
        let last = path.segments.last();
        last.is_some_and(|last| last.ident == "Resource")
    });
    let name = match &*block.self_ty {
        Type::Path(path) if named => path.path.segments.last().map(|s| s.ident.to_string()),
        _ => None,
    };
    let Some(name) = name else {
        let text = "`#[resource]` stands on a block `impl Resource for Type { … }`";
        return Err(Error::new_spanned(&block.self_ty, text));
    };
    let options: ResourceOptions = match syn::parse2(args) {
        Ok(options) => options,
        Err(error) => {
            let error = error.to_compile_error();
            block.items.extend(constants(&name, "{}"));
            return Ok(quote!(#block #error));
        }
    };
    let spec = spec(&options, &name, place, || {
        let text = source.and_then(|path| std::fs::read(path).ok());
        text.unwrap_or_else(|| item.to_string().into_bytes())
    });
    block.items.extend(constants(&name, &spec));
    Ok(block.into_token_stream())
}

fn constants(name: &str, spec: &str) -> [syn::ImplItem; 2] {
    [
        syn::parse_quote!(const SPEC: &'static str = #spec;),
        syn::parse_quote!(const NAME: &'static str = #name;),
    ]
}

/// JSON of `ResourceSpec`.
fn spec(
    options: &ResourceOptions,
    name: &str,
    place: &Place,
    text: impl Fn() -> Vec<u8>,
) -> String {
    let version = match &options.version {
        Some(version) => version.value(),
        None => format!("{:016x}", hash(&text())),
    };
    let root = std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default();
    let files = options.files.iter().map(|file| {
        let file = Path::new(&root).join(file.value());
        file.to_string_lossy().into_owned()
    });
    let files: Vec<String> = files.collect();
    format!(
        "{{\"name\":{},\"version\":{},\"files\":{},\"location\":{}}}",
        json::text(name),
        json::text(&version),
        json::texts(&files),
        json::text(&place.0)
    )
}

/// FNV-1a: it need not withstand anybody, and must be the same in every compiler.
fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    })
}
