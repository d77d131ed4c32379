//! Encryption and logins, with passwords in no text.

use super::servers::{ESCAPED, PASSWORD};
use super::*;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

for_each_broker! {
    an_encrypted_connection_needs_the_authority_of_the_certificate
    a_wrong_password_ends_the_command_and_is_in_no_text
}

async fn an_encrypted_connection_needs_the_authority_of_the_certificate(kind: Kind) {
    let Some(mut server) = BrokerServer::start(kind) else {
        return;
    };
    let authority = |name: &str| {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let ours = authority("ours");
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, &ours).unwrap();
    server.with_tls(&ours.pem(), &certificate.pem(), &key.serialize_pem());
    let mut settings = settings(1);
    let broker = connect(&server.tls_address(), &settings).await;
    broker.publish(&messages(1)).await.unwrap();
    assert_eq!(id(&take(&*broker).await.message), "0");
    broker.close().await;
    // Without the authority the certificate is worth nothing.
    let address = server.tls_address();
    let (address, _) = address.split_once('?').unwrap();
    settings.patience = Duration::from_millis(500);
    let address = Address::parse(address).unwrap();
    let refused = wb_broker::connect(address, settings).await;
    let error = refused.err().unwrap();
    assert!(
        format!("{error:?}").to_lowercase().contains("certificate"),
        "{error:?}"
    );
}

async fn a_wrong_password_ends_the_command_and_is_in_no_text(kind: Kind) {
    let Some(right) = shared(kind) else { return };
    let wrong = right.replace(ESCAPED, "wr0ng%21secret");
    let address = Address::parse(&wrong).unwrap();
    let refused = wb_broker::connect(address, settings(1)).await;
    let error = refused.err().unwrap();
    assert_eq!(error.kind.exit_code(), 6, "{error:?}");
    for secret in ["wr0ng", "secret", PASSWORD, ESCAPED] {
        assert!(!format!("{error:?}").contains(secret), "{error:?}");
    }
}
