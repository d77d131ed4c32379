//! Certificates of an authority of our own, and servers that show them.

#![allow(dead_code, clippy::unwrap_used)] // each test program uses a part of this, and may panic

use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// An authority that no machine knows.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate.
    pub pem: String,
}

/// Until when a certificate is valid.
#[derive(Clone, Copy)]
pub enum Valid {
    Now,
    /// Until some years ago.
    Once,
    /// From some centuries on.
    Later,
}

impl Authority {
    /// `name` distinguishes it from others.
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().unwrap();
        let pem = params.self_signed(&key).unwrap().pem();
        let issuer = Issuer::new(params, key);
        Self { issuer, pem }
    }

    /// What a server needs to show the authority's own certificate.
    pub fn itself(&self) -> TlsAcceptor {
        let mut params = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        acceptor(certificate, &key, &["http/1.1"])
    }

    /// What a server needs to show a certificate for this name; `protocols` are offered by ALPN.
    pub fn server(&self, name: &str, valid: Valid, protocols: &[&str]) -> TlsAcceptor {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        let year = |year| rcgen::date_time_ymd(year, 1, 1);
        (params.not_before, params.not_after) = match valid {
            Valid::Now => (year(2020), year(2200)),
            Valid::Once => (year(2019), year(2020)),
            Valid::Later => (year(2190), year(2200)),
        };
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        acceptor(certificate, &key, protocols)
    }
}

fn acceptor(certificate: Certificate, key: &KeyPair, protocols: &[&str]) -> TlsAcceptor {
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], private)
        .unwrap();
    config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
    TlsAcceptor::from(Arc::new(config))
}

/// The TLS connection that a client makes, or none when it does not like the certificate.
pub async fn accept(acceptor: TlsAcceptor, stream: TcpStream) -> Option<TlsStream<TcpStream>> {
    acceptor.accept(stream).await.ok()
}
