//! Why the system's loader refused a library, and what to do: its own words name the symptom only.

use super::flaw::Flaw;
use std::path::Path;

/// The loader's error about the library at this place.
pub(super) fn refused(error: &libloading::Error, library: &Path) -> Flaw {
    let mut text = error.to_string();
    if let Some(source) = std::error::Error::source(error) {
        text = source.to_string();
    }
    let noexec = rustix::fs::statvfs(library)
        .is_ok_and(|fs| fs.f_flag.contains(rustix::fs::StatVfsMountFlags::NOEXEC));
    let beside = |name: &str| library.with_file_name(name).exists();
    Flaw {
        hints: vec![hint(&text, library, noexec, beside)],
        reason: format!("it cannot be opened: {}", without_store(&text, library)),
    }
}

/// The loader names copies; people have the originals, which lie in folders of the same names.
fn without_store(text: &str, library: &Path) -> String {
    let is_copy = |dir: &&Path| dir.parent().is_some_and(is_store);
    let Some(copy) = library.ancestors().find(is_copy) else {
        return text.to_owned();
    };
    text.replace(&format!("{}/", copy.display()), "")
}

/// Whether a folder is one process's part of the library store.
fn is_store(dir: &Path) -> bool {
    let name = dir.file_name().unwrap_or_default();
    name.to_string_lossy().starts_with(crate::store::STORE)
}

fn hint(text: &str, library: &Path, noexec: bool, beside: impl Fn(&str) -> bool) -> String {
    let has = |part: &str| text.contains(part);
    if has("failed to map segment") && noexec {
        return format!(
            "copies of libraries are opened in {}, on a file system that is mounted noexec: \
             start the workbench in a folder on another one",
            folder_of_store(library).display()
        );
    }
    if has("static TLS") {
        return "it needs more static thread-local storage than is left: build it and what it links \
                without -ftls-model=initial-exec, or start the workbench with \
                GLIBC_TUNABLES=glibc.rtld.optional_static_tls=1000000"
            .into();
    }
    if has("libc.musl") || has("ld-musl") {
        return "it is built for musl, this workbench is not: build it for this machine's own target"
            .into();
    }
    if let Some(version) = between(text, "version `", "' not found") {
        return format!(
            "it was built on a newer system (it asks for {version}): build it on this one or an older one"
        );
    }
    if let Some(name) = missing(text) {
        return if beside(name) {
            format!(
                "{name} lies beside the library, but the loader does not look there: link with \
                 -Wl,-rpath,'$ORIGIN' (in a build.rs: cargo:rustc-link-arg=-Wl,-rpath,$ORIGIN)"
            )
        } else {
            format!(
                "{name} is needed and was not found: install it, or put it beside the library and \
                 link with -Wl,-rpath,'$ORIGIN'; `ldd` shows all that is missing"
            )
        };
    }
    if let Some(symbol) = symbol(text) {
        return format!("link what defines {symbol} into the library");
    }
    if has("wrong ELF class") || has("invalid ELF header") || has("file too short") {
        return "the file that is named is not a whole library for this machine: build or install it again"
            .into();
    }
    if has("executable stack") {
        return "link it with -Wl,-z,noexecstack".into();
    }
    if has("after relocation") || has("additional memory protection") {
        return "a security policy of this machine (such as SELinux) forbids it: build it with -fPIC"
            .into();
    }
    if has("annot allocate memory") || has("failed to map segment") {
        return "check limits on memory (`ulimit -a`) and the mount options of its file system"
            .into();
    }
    "the message is the system loader's".into()
}

/// The folder that holds the library store: a copy lies some folders below it.
fn folder_of_store(library: &Path) -> &Path {
    let store = library.ancestors().find(|dir| is_store(dir));
    let store = store.unwrap_or(library);
    store.parent().unwrap_or(store)
}

/// The library that could not be opened.
fn missing(text: &str) -> Option<&str> {
    let (name, _) = text.split_once(": cannot open shared object file")?;
    Some(name.rsplit(['/', ' ']).next().unwrap_or(name))
}

fn symbol(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("undefined symbol: ")?;
    rest.split([' ', ',', '\n']).next()
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> Option<&'a str> {
    text.split_once(from)?
        .1
        .split_once(to)
        .map(|(middle, _)| middle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str, noexec: bool) -> String {
        hint(text, Path::new("/store/liba.so"), noexec, |name| {
            name == "libbeside.so"
        })
    }

    #[test]
    fn each_way_to_be_refused_has_its_own_hint() {
        let rows = [
            (
                "/store/liba.so: undefined symbol: not_there",
                "defines not_there",
            ),
            (
                "/store/liba.so: undefined symbol: one, version V1",
                "defines one into",
            ),
            (
                "libmkl.so.2: cannot open shared object file: No such file or directory",
                "libmkl.so.2 is needed",
            ),
            (
                "libbeside.so: cannot open shared object file: No such file or directory",
                "lies beside",
            ),
            (
                "/store/liba.so: cannot allocate memory in static TLS block",
                "static thread-local storage",
            ),
            (
                "libc.musl-x86_64.so.1: cannot open shared object file: No such file",
                "musl",
            ),
            (
                "/lib/libc.so.6: version `GLIBC_2.99' not found (required by /store/liba.so)",
                "GLIBC_2.99",
            ),
            (
                "/usr/lib/libc.so: invalid ELF header",
                "not a whole library",
            ),
            (
                "liba.so: cannot enable executable stack as shared object requires: Permission denied",
                "noexecstack",
            ),
            (
                "liba.so: failed to map segment from shared object: Cannot allocate memory",
                "limits on memory",
            ),
            ("something new", "system loader"),
        ];
        for (text, part) in rows {
            let hint = of(text, false);
            assert!(hint.contains(part), "{text}: {hint}");
        }
        let text = "/store/liba.so: failed to map segment from shared object";
        assert!(of(text, true).contains("/store, on a file system that is mounted noexec"));
        let library = Path::new("/cache/libraries/store-1f/1/agents/liba.so");
        let long = hint(text, library, true, |_| false);
        assert!(long.contains("in /cache/libraries, on"), "{long}");
        let text = "/cache/libraries/store-1f/1/agents/liba.so: undefined symbol: x";
        assert_eq!(
            without_store(text, library),
            "agents/liba.so: undefined symbol: x"
        );
        assert_eq!(without_store(text, Path::new("/agents/liba.so")), text);
    }
}
