//! `params(every: u64 = 10, label: String)` of `#[stage]` as a JSON schema, for `workbench check`.
//!
//! It declares what may stand in `workbench.toml`; reading it is left to the type in `Params<T>`.

use crate::json;
use syn::parse::ParseStream;
use syn::{
    Error, Expr, ExprLit, ExprUnary, GenericArgument, Ident, Lit, PathArguments, Result, Token,
    Type, UnOp, parenthesized,
};

/// Reads the parentheses.
pub fn parse(input: ParseStream<'_>) -> Result<String> {
    let inner;
    parenthesized!(inner in input);
    let (mut properties, mut required) = (Vec::new(), Vec::new());
    while !inner.is_empty() {
        let name: Ident = inner.parse()?;
        inner.parse::<Token![:]>()?;
        let ty: Type = inner.parse()?;
        let (mut schema, optional) = of_type(&ty)?;
        let name = name.to_string();
        if inner.peek(Token![=]) {
            inner.parse::<Token![=]>()?;
            let default = literal(&inner.parse()?)?;
            schema.push_str(&format!(",\"default\":{default}"));
        } else if !optional {
            required.push(name.clone());
        }
        properties.push(format!("{}:{{{schema}}}", json::text(&name)));
        if !inner.is_empty() {
            inner.parse::<Token![,]>()?;
        }
    }
    Ok(format!(
        "{{\"type\":\"object\",\"properties\":{{{}}},\"required\":{},\"additionalProperties\":false}}",
        properties.join(","),
        json::texts(&required)
    ))
}

/// The inside of a schema, and whether the value may be left out.
fn of_type(ty: &Type) -> Result<(String, bool)> {
    let unknown = || {
        Error::new_spanned(
            ty,
            "a parameter is a bool, a number (u8 … i64, f32, f64), a String, or a Vec or an Option of these",
        )
    };
    let Type::Path(path) = ty else {
        return Err(unknown());
    };
    let last = path.path.segments.last().ok_or_else(unknown)?;
    let word = last.ident.to_string();
    if let ("Vec" | "Option", PathArguments::AngleBracketed(args)) =
        (word.as_str(), &last.arguments)
    {
        let Some(GenericArgument::Type(inner)) = args.args.first() else {
            return Err(unknown());
        };
        let (inner, _) = of_type(inner)?;
        return Ok(if word == "Vec" {
            (format!("\"type\":\"array\",\"items\":{{{inner}}}"), false)
        } else {
            (inner, true)
        });
    }
    let most = |most: u64| format!("\"type\":\"integer\",\"minimum\":0,\"maximum\":{most}");
    let schema = match word.as_str() {
        "bool" => "\"type\":\"boolean\"".to_owned(),
        "u8" => most(u8::MAX.into()),
        "u16" => most(u16::MAX.into()),
        "u32" => most(u32::MAX.into()),
        "u64" | "usize" => "\"type\":\"integer\",\"minimum\":0".to_owned(),
        "i8" | "i16" | "i32" | "i64" | "isize" => "\"type\":\"integer\"".to_owned(),
        "f32" | "f64" => "\"type\":\"number\"".to_owned(),
        "String" => "\"type\":\"string\"".to_owned(),
        _ => return Err(unknown()),
    };
    Ok((schema, false))
}

/// A literal as JSON.
fn literal(value: &Expr) -> Result<String> {
    match value {
        Expr::Lit(ExprLit { lit, .. }) => match lit {
            Lit::Str(text) => return Ok(json::text(&text.value())),
            Lit::Bool(flag) => return Ok(flag.value.to_string()),
            Lit::Int(number) => return Ok(number.base10_digits().to_owned()),
            Lit::Float(number) => return Ok(number.base10_parse::<f64>()?.to_string()),
            _ => {}
        },
        Expr::Unary(ExprUnary {
            op: UnOp::Neg(_),
            expr,
            ..
        }) => return Ok(format!("-{}", literal(expr)?)),
        _ => {}
    }
    Err(Error::new_spanned(
        value,
        "a default is a literal: 10, 0.5, true, \"text\"",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use syn::parse::Parser;

    #[test]
    fn declared_parameters_become_a_schema() {
        let schema = parse
            .parse_str("(every: u64 = 10, label: String, near: Option<f64>, of: Vec<i32>)")
            .unwrap();
        let wanted = concat!(
            r#"{"type":"object","properties":{"every":{"type":"integer","minimum":0,"default":10},"#,
            r#""label":{"type":"string"},"near":{"type":"number"},"of":{"type":"array","items":{"type":"integer"}}},"#,
            r#""required":["label","of"],"additionalProperties":false}"#
        );
        assert_eq!(schema, wanted);
        assert!(parse.parse_str("(x: HashMap<u8, u8>)").is_err());
        assert!(parse.parse_str("(x: u8 = f())").is_err());
    }
}
