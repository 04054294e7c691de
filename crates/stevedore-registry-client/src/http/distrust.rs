//! Why a TLS connection did not come about, for people.

use std::io;

use rustls::{CertificateError, Error};

/// What is wrong with a host, in one sentence.
pub(super) fn of(host: &str, error: &io::Error) -> String {
    match cause(error) {
        Some(Error::InvalidCertificate(error)) => format!("the certificate of {host} {}", flaw(error)),
        // The bytes of another protocol: of HTTP, as good as always.
        Some(Error::InvalidMessage(_)) => format!("{host} does not speak TLS; it may be a plain HTTP server"),
        Some(Error::NoCertificatesPresented) => format!("{host} shows no certificate"),
        _ => format!("there is no TLS connection with {host}"),
    }
}

/// Whether the next connection would end in the same way.
pub(super) fn is_lasting(error: &io::Error) -> bool {
    matches!(
        cause(error),
        Some(Error::InvalidCertificate(_) | Error::InvalidMessage(_) | Error::NoCertificatesPresented)
    )
}

fn cause(error: &io::Error) -> Option<&Error> {
    error.get_ref()?.downcast_ref()
}

fn flaw(error: &CertificateError) -> &'static str {
    use CertificateError as Flaw;
    match error {
        Flaw::Expired | Flaw::ExpiredContext { .. } => "has expired",
        Flaw::NotValidYet | Flaw::NotValidYetContext { .. } => "is not valid yet",
        // The signature does not fit where somebody else's authority is called like a known one.
        Flaw::UnknownIssuer | Flaw::BadSignature => "is from an unknown issuer",
        Flaw::NotValidForName | Flaw::NotValidForNameContext { .. } => "is for another name",
        Flaw::Revoked => "was revoked",
        _ => "cannot be believed",
    }
}
