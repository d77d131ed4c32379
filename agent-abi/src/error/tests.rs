//! Places, chains and conversions of errors.

use super::*;

fn parse() -> Result<u8> {
    Ok("x".parse::<u8>()?)
}

#[test]
fn an_error_knows_the_place_of_its_question_mark() {
    let error = parse().unwrap_err();
    assert!(
        error.location().starts_with(concat!(file!(), ":")),
        "{}",
        error.location()
    );
    assert_eq!(error.to_string(), "invalid digit found in string");
}

#[test]
fn context_comes_first_and_the_cause_stays_in_the_chain() {
    let error = parse()
        .context("reading the number")
        .unwrap_err()
        .context("scoring");
    assert_eq!(error.to_string(), "scoring");
    assert_eq!(
        error.chain(),
        ["reading the number", "invalid digit found in string"]
    );
    assert_eq!(
        format!("{error:#}"),
        "scoring: reading the number: invalid digit found in string"
    );
}

#[test]
fn a_trip_through_a_box_keeps_place_and_chain() {
    let error = parse().context("a").unwrap_err().permanent();
    let place = error.location();
    let boxed: Box<dyn StdError> = error.into();
    let back = Error::copied(boxed);
    assert_eq!(
        (back.location(), back.chain(), back.may_retry()),
        (
            place,
            vec!["invalid digit found in string".to_owned()],
            false
        )
    );
}

#[test]
fn the_question_mark_works_on_other_threads() {
    let error = std::thread::scope(|scope| scope.spawn(parse).join())
        .unwrap()
        .unwrap_err();
    assert!(error.downcast_ref::<std::num::ParseIntError>().is_some());
    assert!(error.location().starts_with(concat!(file!(), ":")));
}

#[test]
fn an_error_that_must_stay_on_its_thread_is_kept_as_text_with_its_causes() {
    #[derive(Debug)]
    struct Local(std::rc::Rc<str>, std::num::ParseIntError);
    impl fmt::Display for Local {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(&self.0)
        }
    }
    impl StdError for Local {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&self.1)
        }
    }
    let cause = "x".parse::<u8>().unwrap_err();
    let error = Error::copied(Box::new(Local("no number".into(), cause)));
    assert_eq!(
        format!("{error:#}"),
        "no number: invalid digit found in string"
    );
}

#[test]
fn the_place_of_an_error_is_the_authors_however_it_comes_up() {
    fn passed() -> Result<u8> {
        "x".parse::<u8>().map_err(Error::new)
    }
    fn converted() -> Result<u8> {
        "x".parse::<u8>().map_err(Error::from)
    }
    for (error, made) in [
        (passed().unwrap_err(), "Error::new"),
        (converted().unwrap_err(), "Error::from"),
    ] {
        assert_eq!(
            error.place(),
            None,
            "{made} is called by the standard library"
        );
        assert!(cfg!(not(unix)) || !error.frames().is_empty(), "{made}");
        let line = line!() + 1;
        let error = error.context("scoring");
        assert_eq!(error.place(), Some(format!("{}:{line}", file!())));
        assert!(error.frames().is_empty());
    }
    let line = line!() + 1;
    let boxed = Err::<u8, Box<dyn StdError + Send + Sync>>("text".into()).context("boxed");
    assert_eq!(
        boxed.unwrap_err().place(),
        Some(format!("{}:{line}", file!()))
    );
    let line = line!() + 1;
    let closure = || Ok::<u8, Error>("x".parse::<u8>()?);
    assert_eq!(
        closure().unwrap_err().place(),
        Some(format!("{}:{line}", file!()))
    );
    let line = line!() + 1;
    let thread = std::thread::spawn(|| -> Result<u8> { Ok("x".parse()?) });
    let error = thread.join().unwrap().unwrap_err();
    assert_eq!(error.place(), Some(format!("{}:{line}", file!())));
}

#[test]
fn text_and_none_become_errors() {
    fn none() -> Result<u8> {
        None.context("nothing there")
    }
    fn text() -> Result<u8> {
        bail!("no {}", "luck")
    }
    assert_eq!(none().unwrap_err().to_string(), "nothing there");
    assert_eq!(text().unwrap_err().to_string(), "no luck");
}
