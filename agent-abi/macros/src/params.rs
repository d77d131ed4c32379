//! The parameters of an agent or a dependency: which form each has, and the line that fills it.

use crate::lookup::lookup;
use crate::origin::{Origin, origin};
use crate::twin;
use crate::types::{anonymous, form, lent_for_ever, pretty};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Error, Expr, FnArg, Ident, ItemFn, Pat, Result, Type};

/// How a parameter is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    Shared,
    Exclusive,
    Owned,
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
    /// What its dependency is called in the generated code.
    alias: Ident,
    span: Span,
    /// JSON of the twin it asks for.
    pub twin: Option<String>,
}

/// The function that an attribute stands on.
pub fn function(item: TokenStream, attribute: &str) -> Result<ItemFn> {
    syn::parse2(item).map_err(|e| {
        let text = format!("`#[{attribute}]` belongs on a function with a body ({e})");
        Error::new(e.span(), text)
    })
}

/// Reads the parameters and takes their helper attributes off the function.
pub fn take(function: &mut ItemFn, arguments_allowed: bool) -> Result<Vec<Param>> {
    plain(function)?;
    let lifetimes: Vec<String> = function
        .sig
        .generics
        .lifetimes()
        .map(|l| l.lifetime.ident.to_string())
        .collect();
    let mut params = Vec::new();
    for (index, input) in function.sig.inputs.iter_mut().enumerate() {
        let FnArg::Typed(input) = input else {
            return Err(Error::new(
                input.span(),
                "there is no `self` here: write a free function; what lives longer than a task is a `#[dependency(scope = host)]`",
            ));
        };
        let mut origin = origin(&mut input.attrs, arguments_allowed)?;
        let twin = twin::take(&mut origin, form(&input.ty).1 == Form::Exclusive)?;
        let name = match &*input.pat {
            Pat::Ident(ident) => ident.ident.to_string(),
            Pat::Wild(_) => "_".to_owned(),
            other => {
                return Err(Error::new_spanned(other, "give the parameter a plain name"));
            }
        };
        let span = input.ty.span();
        let (optional, form, inner) = form(&input.ty);
        fits(&input.ty, form, &origin)?;
        let inner = anonymous(inner, &lifetimes)?;
        let text = format!("{name}: {}", pretty(&input.ty));
        let slot = format_ident!(
            "__p{index}",
            span = Span::mixed_site().located_at(inner.span())
        );
        let place = match &origin {
            Origin::Named(path, _) => path.span(),
            _ => span,
        };
        params.push(Param {
            alias: format_ident!("__Dependency{index}", span = place),
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

    /// Where it asks for the dependency of this name, by the name alone.
    pub fn depends_on(&self, name: &Ident) -> Option<Span> {
        match &self.origin {
            Origin::Named(path, _) if path.is_ident(name) => Some(path.span()),
            _ => None,
        }
    }

    /// Items that make its dependency known under its alias, for the block around all that uses it.
    pub fn lookup(&self) -> TokenStream {
        match &self.origin {
            Origin::Named(path, _) => lookup(path, &self.alias),
            _ => quote!(),
        }
    }

    /// What the parameter adds to the fetch list: an expression of type `u64`.
    pub fn needs(&self) -> TokenStream {
        let Some((path, span)) = self.behind() else {
            return quote!(0);
        };
        quote_spanned!(span=> <#path>::NEEDS)
    }

    fn by_type(&self) -> bool {
        matches!(self.origin, Origin::Type | Origin::Part(_))
    }

    /// The same for what is not a dependency.
    pub fn own_needs(&self) -> Option<TokenStream> {
        self.by_type().then(|| self.needs())
    }

    /// The way to the dependency that it asks for.
    pub fn asked(&self) -> Option<TokenStream> {
        if self.by_type() {
            return None;
        }
        let (path, span) = self.behind()?;
        Some(quote_spanned!(span=> <#path>::ASKED))
    }

    /// The trait that fills it, as `T as Trait`, and where a complaint about it belongs.
    fn behind(&self) -> Option<(TokenStream, Span)> {
        let (ty, span) = (&self.inner, self.inner.span());
        Some(match (&self.origin, self.form) {
            (Origin::Argument, _) => return None,
            (Origin::Named(path, _), _) => {
                let (span, alias) = (path.span(), &self.alias);
                (
                    quote_spanned!(span=> #alias as ::agent_abi::inject::Provide),
                    span,
                )
            }
            (Origin::Provide, _) => (
                quote_spanned!(span=> #ty as ::agent_abi::inject::Provide),
                span,
            ),
            (Origin::Part(_), _) => (
                quote_spanned!(span=> #ty as ::agent_abi::inject::TakePart<'_>),
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
            (Origin::Named(_, args), _) => {
                let alias = &self.alias;
                return self.open_dependency(&quote!(#alias), args, span);
            }
            (Origin::Provide, _) => {
                let ty = &self.inner;
                return self.open_dependency(&quote!(#ty), &[], span);
            }
            (Origin::Part(part), _) => {
                let (how, fill) = match self.optional {
                    true => ("may", "take_part_if_there"),
                    false => ("need", "take_part"),
                };
                let (how, fill) = (Ident::new(how, span), Ident::new(fill, span));
                return quote_spanned!(span=> #[allow(unused_mut)] let mut #slot = scope.#how(#text, |scope| <#path>::#fill(scope, #part))?;);
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
        if self.must_be_there() {
            let (ty, lent) = (&self.inner, format_ident!("{entry}_lent"));
            let entry_of = quote_spanned!(span=> scope.depend::<#path>(#text, (#(#args,)*))?);
            if self.form == Form::Exclusive {
                return twin::lent(slot, &entry_of, path, (text, ty), span);
            }
            return quote_spanned! {span=>
                let #entry = #entry_of;
                let #lent = ::agent_abi::inject::Entry::<#path>::lend(&#entry)?;
                #[allow(unused_mut)]
                let mut #slot: #ty = scope.present(#text, ::core::clone::Clone::clone(&*#lent))?;
            };
        }
        let lend = Ident::new(
            if self.form == Form::Exclusive {
                "lend_mut"
            } else {
                "lend"
            },
            span,
        );
        let args = if args.is_empty() {
            quote_spanned!(span=> <<#path as ::agent_abi::inject::Provide>::Args as ::agent_abi::inject::NoArguments>::NONE)
        } else {
            quote_spanned!(span=> (#(#args,)*))
        };
        quote_spanned! {span=>
            let #entry = scope.depend::<#path>(#text, #args)?;
            #[allow(unused_mut)]
            let mut #slot = ::agent_abi::inject::Entry::<#path>::#lend(&#entry)?;
        }
    }

    /// A twin that is taken without `Option`: its dependency gives one that may be absent.
    fn must_be_there(&self) -> bool {
        self.twin.is_some() && !self.optional
    }

    /// The expression handed to the function.
    pub fn pass(&self) -> TokenStream {
        let (slot, span) = (&self.slot, self.span);
        if self.must_be_there() {
            return match self.form {
                Form::Shared => quote_spanned!(span=> &#slot),
                Form::Exclusive | Form::Owned => quote_spanned!(span=> #slot),
            };
        }
        let by_type = self.by_type();
        match (self.form, self.optional) {
            _ if self.is_argument() => quote_spanned!(span=> ::core::clone::Clone::clone(#slot)),
            (Form::Shared, false) => quote_spanned!(span=> &*#slot),
            (Form::Exclusive, false) => quote_spanned!(span=> &mut *#slot),
            (Form::Shared, true) if by_type => quote_spanned!(span=> #slot.as_deref()),
            (Form::Exclusive, true) if by_type => quote_spanned!(span=> #slot.as_deref_mut()),
            (Form::Shared, true) => quote_spanned!(span=> (*#slot).as_ref()),
            (Form::Exclusive, true) => quote_spanned!(span=> (*#slot).as_mut()),
            (Form::Owned, _) if by_type => quote_spanned!(span=> #slot),
            (Form::Owned, _) => {
                // One syntax context for the argument, or its span would be the whole attribute's.
                let (ty, place) = (&self.written, self.slot.span());
                let lent = quote_spanned!(place=> &*#slot);
                quote_spanned!(span=> <#ty as ::agent_abi::inject::ByValue>::by_value(#lent))
            }
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

/// That a type can be given from there.
fn fits(ty: &Type, form: Form, origin: &Origin) -> Result<()> {
    let word = lent_for_ever(ty, matches!(origin, Origin::Named(..)));
    if let (Some(word), false) = (word, matches!(origin, Origin::Argument)) {
        return Err(Error::new(
            word,
            "what an agent is given lasts for its task, not for ever: leave `'static` out, or write `'_`",
        ));
    }
    if let (Origin::Part(part), Form::Shared | Form::Exclusive) = (origin, form) {
        return Err(Error::new(
            part.span(),
            format!(
                "of a part there are `Frame`, `Frames` and `AssetPath`, by value; its labels are `labels.part({0})` and `labels.part_mut({0})` of the group's label row",
                part.token()
            ),
        ));
    }
    Ok(())
}

fn plain(function: &ItemFn) -> Result<()> {
    let sig = &function.sig;
    if let Some(word) = &sig.asyncness {
        return Err(Error::new(
            word.span(),
            "agents and dependencies are plain functions: take `async` away; each task has a thread to wait on",
        ));
    }
    let not_safe = match &sig.safety {
        syn::Safety::Unsafe(word) => Some(word.span()),
        _ => None,
    };
    let odd = not_safe
        .or(sig.abi.as_ref().map(Spanned::span))
        .or(sig.variadic.as_ref().map(Spanned::span));
    if let Some(span) = odd {
        return Err(Error::new(
            span,
            "agents and dependencies are safe Rust functions; the C border is written by `export!`",
        ));
    }
    if let Some(param) = sig.generics.type_params().next() {
        return Err(Error::new_spanned(
            param,
            "the workbench calls it, so nobody chooses a type here: name the type itself",
        ));
    }
    Ok(())
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
