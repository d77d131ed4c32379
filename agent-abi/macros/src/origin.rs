//! Where the value of a parameter comes from: its helper attributes `#[depends]`, `#[part]` and `#[arg]`.

use syn::{Attribute, Error, Expr, LitStr, Result};

/// Where its value comes from.
pub enum Origin {
    /// By its type.
    Type,
    /// `#[depends]`: the type itself provides.
    Provide,
    /// `#[depends(path)]` or `#[depends(path(args))]`.
    Named(syn::Path, Vec<Expr>),
    /// `#[part("…")]`: by its type, of this part of a data group.
    Part(LitStr),
    /// `#[arg]` of a dependency.
    Argument,
}

/// Reads the helper attributes of a parameter and takes them off it.
pub fn origin(attrs: &mut Vec<Attribute>, arguments_allowed: bool) -> Result<Origin> {
    let mut found = Origin::Type;
    let mut error = None;
    attrs.retain(|attr| {
        let result = if attr.path().is_ident("depends") {
            depends(attr)
        } else if attr.path().is_ident("part") {
            part(attr)
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

fn part(attr: &Attribute) -> Result<Origin> {
    let name = attr.parse_args::<LitStr>();
    let name = name.ok().filter(|name| !name.value().is_empty());
    name.map(Origin::Part).ok_or_else(|| {
        Error::new_spanned(
            attr,
            "name the part of the data group by its key in the layout or its file name: `#[part(\"camera-left\")]`",
        )
    })
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
