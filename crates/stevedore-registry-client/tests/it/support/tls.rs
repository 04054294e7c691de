//! Certificates for servers of tests.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use stevedore_registry_client::RegistrySettings;
use tokio_rustls::TlsAcceptor;

/// A certification authority of one test.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        Self::named("an authority")
    }

    pub(crate) fn named(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self {
            issuer: CertifiedIssuer::self_signed(params, key).expect("a certificate"),
        }
    }

    pub(crate) fn pem(&self) -> String {
        self.issuer.pem()
    }

    /// Settings of a registry about which it is believed.
    pub(crate) fn settings(&self) -> RegistrySettings {
        RegistrySettings::new()
            .with_authorities_pem(self.pem().as_bytes())
            .expect("PEM")
    }

    /// A certificate for these names, and its key, in PEM.
    pub(crate) fn issue(&self, names: &[&str]) -> (String, String) {
        let (certificate, key) = self.make(names);
        (certificate.pem(), key.serialize_pem())
    }

    /// A server for these names that offers these protocols.
    pub(crate) fn acceptor(&self, names: &[&str], protocols: &[&str]) -> TlsAcceptor {
        self.acceptor_for(names, protocols, false)
    }

    /// A server that wants a certificate of this authority from its clients.
    pub(crate) fn mutual_acceptor(&self, names: &[&str]) -> TlsAcceptor {
        self.acceptor_for(names, &["http/1.1"], true)
    }

    /// A server whose certificate has expired long ago.
    pub(crate) fn expired_acceptor(&self, names: &[&str]) -> TlsAcceptor {
        let mut params = parameters(names);
        params.not_before = rcgen::date_time_ymd(1999, 1, 1);
        params.not_after = rcgen::date_time_ymd(2000, 1, 1);
        self.acceptor_of(self.sign(&params), &["http/1.1"], false)
    }

    fn acceptor_for(&self, names: &[&str], protocols: &[&str], mutual: bool) -> TlsAcceptor {
        self.acceptor_of(self.make(names), protocols, mutual)
    }

    fn acceptor_of(
        &self,
        (certificate, key): (rcgen::Certificate, KeyPair),
        protocols: &[&str],
        mutual: bool,
    ) -> TlsAcceptor {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("versions");
        let builder = if mutual {
            let mut roots = rustls::RootCertStore::empty();
            roots
                .add(CertificateDer::from(self.issuer.der().to_vec()))
                .expect("a root");
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
        } else {
            builder.with_no_client_auth()
        };
        let mut config = builder
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a pair");
        config.alpn_protocols = protocols
            .iter()
            .map(|protocol| protocol.as_bytes().to_vec())
            .collect();
        TlsAcceptor::from(Arc::new(config))
    }

    fn make(&self, names: &[&str]) -> (rcgen::Certificate, KeyPair) {
        self.sign(&parameters(names))
    }

    fn sign(&self, params: &CertificateParams) -> (rcgen::Certificate, KeyPair) {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.clone().signed_by(&key, &self.issuer);
        (certificate.expect("a certificate"), key)
    }
}

fn parameters(names: &[&str]) -> CertificateParams {
    let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
    CertificateParams::new(names).expect("parameters")
}
