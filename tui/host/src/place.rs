//! Places in source files, as a person opens them. Finding them is left to [`crate::symbols`].

/// A place from debug information, from where the place that the agent declares is counted: its crate, or the
/// workspace that the crate is in.
pub(crate) fn as_declared(place: &str, declared: &str) -> String {
    match (place.rfind("src/"), declared.rfind("src/")) {
        (Some(at), Some(root)) => format!("{}{}", &declared[..root], &place[at..]),
        _ => place.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_from_where_the_agent_is_declared() {
        assert_eq!(
            as_declared("cars/src/lib.rs:9", "src/lib.rs:4"),
            "src/lib.rs:9"
        );
        assert_eq!(
            as_declared("cars/src/a.rs:9", "agents/cars/src/lib.rs:4"),
            "agents/cars/src/a.rs:9"
        );
        assert_eq!(as_declared("router.c:9", "src/lib.rs:4"), "router.c:9");
    }
}
