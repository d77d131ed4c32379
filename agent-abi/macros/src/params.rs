//! The parameters of an agent or a dependency: which form each has, and the line that fills it.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{
    Attribute, Error, Expr, FnArg, GenericArgument, Ident, ItemFn, Pat, PathArguments, Result, Type,
};

/// How a parameter is written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Shared,
    Exclusive,
    Owned,
}

/// Where its value comes from.
enum Origin {
    /// By its type.
    Type,
    /// `#[depends]`: the type itself provides.
    Provide,
    /// `#[depends(path)]` or `#[depends(path(args))]`.
    Named(syn::Path, Vec<Expr>),
    /// `#[arg]` of a dependency.
    Argument,
}

/// One parameter.
pub struct Param {
    /// `labels: &mut LabelRow`, for the screen and for messages.
    pub text: String,
    /// The type as written.
    pub written: Type,
    form: Form,
    optional: bool,
    inner: Type,
    origin: Origin,
    slot: Ident,
    span: Span,
    /// JSON of the twin it asks for.
    pub twin: Option<String>,
}

/// Reads the parameters and takes their helper attributes off the function.
pub fn take(function: &mut ItemFn, arguments_allowed: bool) -> Result<Vec<Param>> {
    plain(function)?;
    let mut params = Vec::new();
    for (index, input) in function.sig.inputs.iter_mut().enumerate() {
        let FnArg::Typed(input) = input else {
            return Err(Error::new(
                input.span(),
                "a method cannot be used here; write a free function",
            ));
        };
        let mut origin = origin(&mut input.attrs, arguments_allowed)?;
        let twin = twin(&mut origin)?;
        let name = match &*input.pat {
            Pat::Ident(ident) => ident.ident.to_string(),
            Pat::Wild(_) => "_".to_owned(),
            other => {
                return Err(Error::new_spanned(other, "give the parameter a plain name"));
            }
        };
        let span = input.ty.span();
        let (optional, form, inner) = form(&input.ty);
        let text = format!("{name}: {}", pretty(&input.ty));
        let slot = format_ident!(
            "__p{index}",
            span = Span::mixed_site().located_at(inner.span())
        );
        params.push(Param {
            text,
            written: (*input.ty).clone(),
            form,
            optional,
            inner,
            origin,
            slot,
            span,
            twin,
        });
    }
    lent_once(&params)?;
    Ok(params)
}

impl Param {
    /// Whether it is an `#[arg]`.
    pub fn is_argument(&self) -> bool {
        matches!(self.origin, Origin::Argument)
    }

    /// What the parameter adds to the fetch list: an expression of type `u64`.
    pub fn needs(&self) -> TokenStream {
        let Some((path, span)) = self.behind() else {
            return quote!(0);
        };
        quote_spanned!(span=> <#path>::NEEDS)
    }

    /// The trait that fills it, as `T as Trait`, and where a complaint about it belongs.
    fn behind(&self) -> Option<(TokenStream, Span)> {
        let (ty, span) = (&self.inner, self.inner.span());
        Some(match (&self.origin, self.form) {
            (Origin::Argument, _) => return None,
            (Origin::Named(path, _), _) => {
                let span = path.span();
                (
                    quote_spanned!(span=> #path as ::agent_abi::inject::Provide),
                    span,
                )
            }
            (Origin::Provide, _) => (
                quote_spanned!(span=> #ty as ::agent_abi::inject::Provide),
                span,
            ),
            (Origin::Type, Form::Shared) => (
                quote_spanned!(span=> #ty as ::agent_abi::inject::Lend),
                span,
            ),
            (Origin::Type, Form::Exclusive) => (
                quote_spanned!(span=> #ty as ::agent_abi::inject::LendMut),
                span,
            ),
            (Origin::Type, Form::Owned) => (
                quote_spanned!(span=> #ty as ::agent_abi::inject::Take<'_>),
                span,
            ),
        })
    }

    /// `let mut slot = …?;`
    pub fn open(&self) -> TokenStream {
        let Some((path, span)) = self.behind() else {
            return quote!();
        };
        let (slot, text) = (&self.slot, &self.text);
        let fill = match (&self.origin, self.form) {
            (Origin::Named(path, args), _) => {
                return self.open_dependency(&quote!(#path), args, span);
            }
            (Origin::Provide, _) => {
                let ty = &self.inner;
                return self.open_dependency(&quote!(#ty), &[], span);
            }
            (_, Form::Shared) => quote_spanned!(span=> lend),
            (_, Form::Exclusive) => quote_spanned!(span=> lend_mut),
            (_, Form::Owned) => quote_spanned!(span=> take),
        };
        let how = Ident::new(if self.optional { "may" } else { "need" }, span);
        // A closure, so that a missing trait is missed here and not in the bounds of `need`.
        quote_spanned!(span=> #[allow(unused_mut)] let mut #slot = scope.#how(#text, |scope| <#path>::#fill(scope))?;)
    }

    /// The open dependency, and the loan of its value.
    fn open_dependency(&self, path: &TokenStream, args: &[Expr], span: Span) -> TokenStream {
        let (text, slot) = (&self.text, &self.slot);
        let entry = format_ident!("{slot}_entry", span = slot.span());
        let lend = Ident::new(
            if self.form == Form::Exclusive {
                "lend_mut"
            } else {
                "lend"
            },
            span,
        );
        let args = if args.is_empty() {
            quote_spanned!(span=> ())
        } else {
            quote!((#(#args,)*))
        };
        quote_spanned! {span=>
            let #entry = scope.depend::<#path>(#text, #args)?;
            #[allow(unused_mut)]
            let mut #slot = ::agent_abi::inject::Entry::<#path>::#lend(&#entry)?;
        }
    }

    /// The expression handed to the function.
    pub fn pass(&self) -> TokenStream {
        let (slot, span) = (&self.slot, self.span);
        let by_type = matches!(self.origin, Origin::Type);
        match (self.form, self.optional) {
            _ if self.is_argument() => quote_spanned!(span=> ::core::clone::Clone::clone(#slot)),
            (Form::Shared, false) => quote_spanned!(span=> &*#slot),
            (Form::Exclusive, false) => quote_spanned!(span=> &mut *#slot),
            (Form::Shared, true) if by_type => quote_spanned!(span=> #slot.as_deref()),
            (Form::Exclusive, true) if by_type => quote_spanned!(span=> #slot.as_deref_mut()),
            (Form::Shared, true) => quote_spanned!(span=> (*#slot).as_ref()),
            (Form::Exclusive, true) => quote_spanned!(span=> (*#slot).as_mut()),
            (Form::Owned, _) if by_type => quote_spanned!(span=> #slot),
            (Form::Owned, _) => quote_spanned!(span=> ::core::clone::Clone::clone(&*#slot)),
        }
    }

    /// The variable that holds the value, for `#[arg]`.
    pub fn slot(&self) -> &Ident {
        &self.slot
    }

    /// Values first, shared loans second, exclusive loans last, so that a dependency that reads the
    /// label row is done before the agent gets it to change.
    pub fn rank(&self) -> u8 {
        match (&self.origin, self.form) {
            (Origin::Named(..) | Origin::Provide, Form::Shared | Form::Owned) => 0,
            (_, Form::Owned) => 1,
            (Origin::Named(..) | Origin::Provide, Form::Exclusive) => 2,
            (_, Form::Shared) => 3,
            (_, Form::Exclusive) => 4,
        }
    }
}

fn plain(function: &ItemFn) -> Result<()> {
    let sig = &function.sig;
    if let Some(word) = &sig.asyncness {
        return Err(Error::new(
            word.span(),
            "an agent is a plain function: the host runs each one on its own thread",
        ));
    }
    if let Some(param) = sig.generics.type_params().next() {
        return Err(Error::new_spanned(
            param,
            "a function called by the workbench cannot be generic over types",
        ));
    }
    Ok(())
}

fn origin(attrs: &mut Vec<Attribute>, arguments_allowed: bool) -> Result<Origin> {
    let mut found = Origin::Type;
    let mut error = None;
    attrs.retain(|attr| {
        let result = if attr.path().is_ident("depends") {
            depends(attr)
        } else if attr.path().is_ident("arg") {
            if arguments_allowed {
                Ok(Origin::Argument)
            } else {
                Err(Error::new_spanned(
                    attr,
                    "`#[arg]` belongs to a `#[dependency]`; an agent takes no arguments",
                ))
            }
        } else {
            return true;
        };
        match result {
            Ok(origin) => found = origin,
            Err(e) => error = Some(e),
        }
        false
    });
    error.map_or(Ok(found), Err)
}

fn depends(attr: &Attribute) -> Result<Origin> {
    if matches!(attr.meta, syn::Meta::Path(_)) {
        return Ok(Origin::Provide);
    }
    let inner = attr.meta.require_list()?.tokens.clone();
    match syn::parse2::<Expr>(inner)? {
        Expr::Path(path) => Ok(Origin::Named(path.path, Vec::new())),
        Expr::Call(call) => match *call.func {
            Expr::Path(path) => Ok(Origin::Named(path.path, call.args.into_iter().collect())),
            other => Err(Error::new_spanned(
                &other,
                "name a `#[dependency]` function: `#[depends(model(0.5))]`",
            )),
        },
        other => Err(Error::new_spanned(
            &other,
            "name a `#[dependency]` function: `#[depends(model)]` or `#[depends(model(0.5))]`",
        )),
    }
}

/// `twin("hash", include_task = true)`: its options become one argument, and the twin is declared, so that
/// it can be fetched ahead.
fn twin(origin: &mut Origin) -> Result<Option<String>> {
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
    let (mut init_labels, mut include_task) = (true, false);
    for option in args.iter().skip(1) {
        let (name, wanted) = flag(option)?;
        match name.to_string().as_str() {
            "init_labels" => init_labels = wanted,
            "include_task" => include_task = wanted,
            _ => {
                let text = "options of `twin`: init_labels = false, include_task = true";
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
    Ok(Some(format!(
        "{{\"project\":{},\"init_labels\":{init_labels},\"include_task\":{include_task}}}",
        crate::json::text(&hash.value())
    )))
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

fn form(ty: &Type) -> (bool, Form, Type) {
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

/// The same thing cannot be lent to be changed and lent once more.
fn lent_once(params: &[Param]) -> Result<()> {
    for (index, param) in params.iter().enumerate() {
        if !matches!(param.origin, Origin::Type) {
            continue;
        }
        let name = param.inner.to_token_stream().to_string();
        let clash = params[..index].iter().find(|earlier| {
            matches!(earlier.origin, Origin::Type)
                && earlier.inner.to_token_stream().to_string() == name
                && (earlier.form == Form::Exclusive || param.form == Form::Exclusive)
        });
        if clash.is_some() {
            return Err(Error::new_spanned(
                &param.written,
                format!("`{name}` is lent once: keep the `&mut` parameter, it can read too"),
            ));
        }
    }
    Ok(())
}

/// The type as a person writes it; tokens alone are spaced out (`& mut LabelRow`).
fn pretty(ty: &Type) -> String {
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
