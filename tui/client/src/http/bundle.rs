//! The certificates of `REQUESTS_CA_BUNDLE` and `CURL_CA_BUNDLE`, which the Python SDK's HTTP library takes in place
//! of its own. `SSL_CERT_FILE` and `SSL_CERT_DIR` are left to the TLS library.

use crate::settings::SettingsError;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// In their order of precedence.
const VARIABLES: [&str; 2] = ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"];

/// The certificates that a variable names, in a PEM file or a folder of them; `None` where none is set.
///
/// # Errors
/// [`SettingsError::Certificates`]: the file is missing or has no certificate in it.
pub(super) fn named(
    var: impl Fn(&str) -> Option<OsString>,
) -> Result<Option<RootCertStore>, SettingsError> {
    let set = |name: &&'static str| Some((*name, var(name).filter(|value| !value.is_empty())?));
    let Some((variable, path)) = VARIABLES.iter().find_map(set) else {
        return Ok(None);
    };
    let path = PathBuf::from(path);
    let refused = |why: String| SettingsError::Certificates {
        variable,
        path: path.clone(),
        why,
    };
    let files = files(&path).map_err(|error| refused(format!("it cannot be read: {error}")))?;
    let mut roots = RootCertStore::empty();
    for file in files {
        let certificates = CertificateDer::pem_file_iter(&file);
        let certificates = certificates.into_iter().flatten().flatten();
        roots.add_parsable_certificates(certificates);
    }
    if roots.is_empty() {
        let why = "it has no certificate in PEM form (-----BEGIN CERTIFICATE-----)";
        return Err(refused(why.to_owned()));
    }
    Ok(Some(roots))
}

fn files(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.metadata()?.is_dir() {
        std::fs::File::open(path)?;
        return Ok(vec![path.to_owned()]);
    }
    let entries = std::fs::read_dir(path)?.flatten();
    Ok(entries.map(|entry| entry.path()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &'static str, path: &Path) -> Result<Option<RootCertStore>, String> {
        let var = |asked: &str| (asked == name).then(|| path.as_os_str().to_owned());
        named(var).map_err(|error| error.to_string())
    }

    #[test]
    fn a_variable_that_names_no_certificates_is_an_error_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("ca.pem");
        let missing = of("REQUESTS_CA_BUNDLE", &file).unwrap_err();
        assert!(missing.contains("REQUESTS_CA_BUNDLE names"), "{missing}");
        assert!(missing.contains("No such file"), "{missing}");
        std::fs::write(&file, "hello").unwrap();
        for path in [file.as_path(), dir.path()] {
            let none = of("CURL_CA_BUNDLE", path).unwrap_err();
            assert!(none.contains("has no certificate in PEM form"), "{none}");
        }
        assert!(of("REQUESTS_CA_BUNDLE", Path::new("")).unwrap().is_none());
    }
}
