//! Conditions as text: words, then a tree by precedence. What they come to is left to `eval`.

use super::{ConditionError, Expr, Fold, Op, PathKey};
use agent_abi::model::nearest;
use serde_json::Value;

/// Brackets and signs inside each other.
const DEPTH: usize = 64;

#[derive(Clone, Debug, PartialEq)]
enum Word {
    Number(Value),
    Text(String),
    Name(String),
    Sign(&'static str),
}

/// Signs, longer ones before those that they begin with.
const SIGNS: [&str; 19] = [
    "||", "&&", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "(", ")", "[", "]", ".",
    ",",
];

/// What others write for an operator.
const OTHERWISE: [(&str, &str); 6] = [
    ("=", "=="),
    ("&", "&&"),
    ("|", "||"),
    ("and", "&&"),
    ("or", "||"),
    ("not", "!"),
];

fn wrong(at: usize, why: impl Into<String>) -> ConditionError {
    let why = why.into();
    ConditionError { at, why }
}

/// The words of a text, each with where it begins.
fn words(text: &str) -> Result<Vec<(usize, Word)>, ConditionError> {
    let chars: Vec<char> = text.chars().collect();
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(c) = chars.get(at) {
        let begin = at;
        let run = |from: usize, fits: fn(char) -> bool| {
            let rest = chars.get(from..).unwrap_or_default();
            from + rest.iter().take_while(|c| fits(**c)).count()
        };
        let text = |end: usize| -> String { chars[begin..end].iter().collect() };
        let word = match c {
            c if c.is_whitespace() => {
                at += 1;
                continue;
            }
            '"' | '\'' => {
                let (read, end) = quoted(&chars, begin)?;
                at = end;
                Word::Text(read)
            }
            c if c.is_ascii_digit() => {
                let number = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '_';
                at = run(at, number);
                let digits = text(at).replace('_', "");
                let value = digits.parse::<f64>().ok().filter(|n| n.is_finite());
                let value =
                    value.ok_or_else(|| wrong(begin, format!("\"{digits}\" is not a number")))?;
                Word::Number(value.into())
            }
            c if c.is_alphabetic() || *c == '_' => {
                at = run(at, |c| c.is_alphanumeric() || c == '_');
                Word::Name(text(at))
            }
            _ => {
                let rest: String = chars[at..chars.len().min(at + 2)].iter().collect();
                let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
                let Some(sign) = sign else {
                    return Err(wrong(begin, unknown_sign(&rest)));
                };
                at += sign.len();
                Word::Sign(sign)
            }
        };
        all.push((begin, word));
    }
    Ok(all)
}

fn unknown_sign(rest: &str) -> String {
    let first = rest.chars().next().unwrap_or_default();
    match OTHERWISE.iter().find(|(other, _)| rest.starts_with(*other)) {
        Some((other, ours)) => format!("unknown operator \"{other}\"; use \"{ours}\""),
        None => format!("\"{first}\" means nothing in a condition"),
    }
}

/// A text in quotes that begins here, and where it ends.
fn quoted(chars: &[char], begin: usize) -> Result<(String, usize), ConditionError> {
    let mut read = String::new();
    let mut at = begin + 1;
    while let Some(c) = chars.get(at) {
        at += 1;
        match c {
            '\\' => {
                read.extend(chars.get(at));
                at += 1;
            }
            c if *c == chars[begin] => return Ok((read, at)),
            c => read.push(*c),
        }
    }
    Err(wrong(begin, "this text has no closing quote"))
}

pub(super) fn parse(text: &str) -> Result<Expr, ConditionError> {
    let end = text.chars().count();
    let mut parser = Parser {
        words: words(text)?,
        at: 0,
        end,
        depth: 0,
    };
    if parser.words.is_empty() {
        return Err(wrong(0, "a condition is missing, e.g. ms > 500"));
    }
    let expr = parser.binary(0)?;
    match parser.peek() {
        None => Ok(expr),
        Some(_) => Err(parser.unexpected("an operator or the end")),
    }
}

struct Parser {
    words: Vec<(usize, Word)>,
    at: usize,
    end: usize,
    depth: usize,
}

/// Operators by precedence, the loosest first.
const LEVELS: [&[(&str, Op)]; 5] = [
    &[("||", Op::Or)],
    &[("&&", Op::And)],
    &[
        ("==", Op::Equal),
        ("!=", Op::Unequal),
        ("<", Op::Less),
        ("<=", Op::AtMost),
        (">", Op::Greater),
        (">=", Op::AtLeast),
    ],
    &[("+", Op::Plus), ("-", Op::Minus)],
    &[("*", Op::Times), ("/", Op::Over)],
];

impl Parser {
    fn peek(&self) -> Option<&Word> {
        self.words.get(self.at).map(|(_, word)| word)
    }

    fn place(&self) -> usize {
        self.words.get(self.at).map_or(self.end, |(at, _)| *at)
    }

    fn takes(&mut self, sign: &str) -> bool {
        let is = matches!(self.peek(), Some(Word::Sign(found)) if *found == sign);
        self.at += usize::from(is);
        is
    }

    fn needs(&mut self, sign: &str) -> Result<(), ConditionError> {
        match self.takes(sign) {
            true => Ok(()),
            false => Err(self.unexpected(&format!("\"{sign}\""))),
        }
    }

    fn unexpected(&self, wanted: &str) -> ConditionError {
        let found = match self.peek() {
            None => format!("it ends here; {wanted} is missing"),
            Some(Word::Name(name)) => {
                let other = OTHERWISE.iter().find(|(other, _)| other == name);
                match other {
                    Some((_, ours)) => format!("use \"{ours}\" instead of \"{name}\""),
                    None => format!("expected {wanted}, found {name}"),
                }
            }
            Some(Word::Sign(sign)) => format!("expected {wanted}, found \"{sign}\""),
            Some(Word::Number(number)) => format!("expected {wanted}, found {number}"),
            Some(Word::Text(text)) => format!("expected {wanted}, found \"{text}\""),
        };
        wrong(self.place(), found)
    }

    fn binary(&mut self, level: usize) -> Result<Expr, ConditionError> {
        let Some(operators) = LEVELS.get(level) else {
            return self.unary();
        };
        let mut left = self.binary(level + 1)?;
        loop {
            let found = operators.iter().find(|(sign, _)| match self.peek() {
                Some(Word::Sign(next)) => next == sign,
                _ => false,
            });
            let Some((sign, op)) = found else {
                return Ok(left);
            };
            self.at += 1;
            let right = self.binary(level + 1)?;
            left = Expr::Binary(*op, Box::new(left), Box::new(right));
            let again = operators.iter().any(|(sign, _)| {
                level == 2 && matches!(self.peek(), Some(Word::Sign(next)) if next == sign)
            });
            if again {
                let why =
                    format!("compare two values at a time: put \"&&\" between {sign} and this");
                return Err(wrong(self.place(), why));
            }
        }
    }

    fn unary(&mut self) -> Result<Expr, ConditionError> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(wrong(self.place(), "nested too deeply"));
        }
        let expr = if self.takes("!") {
            Expr::Not(Box::new(self.unary()?))
        } else if self.takes("-") {
            Expr::Negative(Box::new(self.unary()?))
        } else {
            self.primary()?
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn primary(&mut self) -> Result<Expr, ConditionError> {
        if self.takes("(") {
            let inner = self.binary(0)?;
            self.needs(")")?;
            return Ok(inner);
        }
        let at = self.place();
        let word = self.peek().cloned();
        let wanted = "a value";
        let word = word.filter(|word| !matches!(word, Word::Sign(_)));
        let word = word.ok_or_else(|| self.unexpected(wanted))?;
        self.at += 1;
        match word {
            Word::Number(number) => Ok(Expr::Literal(number)),
            Word::Text(text) => Ok(Expr::Literal(text.into())),
            Word::Name(name) => match OTHERWISE.iter().find(|(other, _)| *other == name) {
                Some((_, ours)) => Err(wrong(at, format!("use \"{ours}\" instead of \"{name}\""))),
                None => self.named(name, at),
            },
            Word::Sign(_) => Err(self.unexpected(wanted)),
        }
    }

    /// A constant, a function, or a path.
    fn named(&mut self, name: String, at: usize) -> Result<Expr, ConditionError> {
        match name.as_str() {
            "true" => return Ok(Expr::Literal(true.into())),
            "false" => return Ok(Expr::Literal(false.into())),
            "null" => return Ok(Expr::Literal(Value::Null)),
            _ => {}
        }
        if self.takes("(") {
            return self.function(&name, at, None);
        }
        let mut path = vec![PathKey::Name(name)];
        loop {
            if self.takes("[") {
                path.push(PathKey::Place(self.number()?));
                self.needs("]")?;
            } else if self.takes(".") {
                let at = self.place();
                let Some(Word::Name(name)) = self.peek().cloned() else {
                    return Err(self.unexpected("a name"));
                };
                self.at += 1;
                if self.takes("(") {
                    return self.function(&name, at, Some(Expr::Path(path)));
                }
                path.push(PathKey::Name(name));
            } else {
                return Ok(Expr::Path(path));
            }
        }
    }

    fn number(&mut self) -> Result<usize, ConditionError> {
        let number = match self.peek() {
            Some(Word::Number(number)) => number.to_string(),
            _ => return Err(self.unexpected("a number, counted from 0")),
        };
        let number = number.strip_suffix(".0").unwrap_or(&number).parse();
        let number = number.map_err(|_| self.unexpected("a number, counted from 0"))?;
        self.at += 1;
        Ok(number)
    }

    /// A function whose opening bracket was read; `list` is what it was called on.
    fn function(
        &mut self,
        name: &str,
        at: usize,
        list: Option<Expr>,
    ) -> Result<Expr, ConditionError> {
        let mut given = Vec::new();
        while !self.takes(")") {
            if !given.is_empty() {
                self.needs(",")?;
            }
            given.push(self.binary(0)?);
        }
        let mut given = given.into_iter();
        let (first, second, more) = (given.next(), given.next(), given.next());
        let (list, first, second) = match (name, list) {
            // `len(x)` and `x.len()` are the same.
            ("len" | "contains", Some(on)) if second.is_none() => (None, Some(on), first),
            (_, list) => (list.map(Box::new), first, second),
        };
        match (Fold::of(name), first, second, more) {
            (Some(fold), first, None, None) if first.is_some() || fold == Fold::Count => {
                Ok(Expr::Fold(fold, list, first.map(Box::new)))
            }
            (None, Some(of), None, None) if name == "len" => Ok(Expr::Length(Box::new(of))),
            (None, Some(of), Some(part), None) if name == "contains" => {
                Ok(Expr::Contains(Box::new(of), Box::new(part)))
            }
            (Some(_), ..) => Err(wrong(at, format!("{name} takes one condition or value"))),
            (None, ..) if name == "len" => Err(wrong(at, "len takes one value")),
            (None, ..) if name == "contains" => Err(wrong(at, "contains takes two values")),
            (None, ..) => {
                let known = Fold::ALL.iter().map(|(name, _)| *name);
                let known: Vec<&str> = known.chain(["len", "contains"]).collect();
                let near = nearest(name, known.iter().copied());
                let hint = match near.first() {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!("there are {}", known.join(", ")),
                };
                Err(wrong(at, format!("unknown function \"{name}\"; {hint}")))
            }
        }
    }
}
