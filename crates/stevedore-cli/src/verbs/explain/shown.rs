//! What is said: for a program, and for a person.

use std::fmt;

use serde::Serialize;

use crate::output::escape_line;

/// How an image is reached.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Explained {
    pub(super) reference: String,
    pub(super) because: String,
    /// The files of `registries.conf` that there are.
    pub(super) registries_conf: Vec<String>,
    /// In the order in which they are tried.
    pub(super) places: Vec<Place>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Place {
    pub(super) reference: String,
    pub(super) is_mirror: bool,
    pub(super) because: String,
    /// Where the API answers.
    pub(super) host: String,
    pub(super) protocol: Protocol,
    /// In the order in which they are asked, up to the first that certainly has some.
    pub(super) credentials: Vec<Who>,
    pub(super) certificates: Certificates,
    pub(super) proxy: Proxy,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Protocol {
    /// `https`, `http`, or `https-or-http` where it is tried.
    pub(super) scheme: &'static str,
    pub(super) because: String,
    /// Whether the certificate is verified.
    pub(super) verified: bool,
    pub(super) verified_because: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Who {
    pub(super) from: String,
    pub(super) entry: Option<String>,
    pub(super) username: Option<String>,
    pub(super) is_helper: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Certificates {
    pub(super) roots: String,
    pub(super) authorities: Vec<String>,
    pub(super) directory: Option<String>,
    pub(super) directory_because: Option<String>,
    pub(super) client: Vec<ClientCertificate>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClientCertificate {
    pub(super) certificate: String,
    pub(super) key: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Proxy {
    pub(super) url: Option<String>,
    pub(super) because: String,
}

impl fmt::Display for Explained {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.reference, escape_line(&self.because))?;
        for (place, number) in self.places.iter().zip(1..) {
            write!(f, "\n{number}. {place}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.reference)?;
        let mut line = |name: &str, what: &dyn fmt::Display| {
            write!(f, "\n   {name}: {}", escape_line(&what.to_string()))
        };
        line("because", &self.because)?;
        line("host", &self.host)?;
        line("protocol", &self.protocol)?;
        if self.credentials.is_empty() {
            line("credentials", &"none")?;
        }
        for who in &self.credentials {
            line("credentials", who)?;
        }
        line("authorities", &self.certificates.roots)?;
        for path in &self.certificates.authorities {
            line("authorities", path)?;
        }
        if let (Some(path), Some(because)) =
            (&self.certificates.directory, &self.certificates.directory_because)
        {
            line("certificates", &format!("{path} ({because})"))?;
        }
        for ClientCertificate { certificate, key } in &self.certificates.client {
            line(
                "client certificate",
                &format!("{certificate}, with the key {key}"),
            )?;
        }
        let proxy = self.proxy.url.as_deref().unwrap_or("none");
        line("proxy", &format!("{proxy} ({})", self.proxy.because))
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (verified, because) = (&self.verified_because, &self.because);
        match self.scheme {
            "http" => write!(f, "plain HTTP ({because})"),
            "https" if self.verified && verified == because => write!(f, "HTTPS ({because})"),
            "https" if self.verified => write!(f, "HTTPS ({because}; verified: {verified})"),
            "https" => write!(f, "HTTPS ({because}), with any certificate ({verified})"),
            _ if self.verified => write!(f, "HTTPS, or plain HTTP if it has no TLS ({because})"),
            _ => write!(
                f,
                "HTTPS with any certificate, or plain HTTP if it has no TLS ({because})"
            ),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.entry, self.is_helper) {
            (Some(program), true) => write!(f, "{program}, if it has some, which {} names", self.from)?,
            (Some(entry), false) => write!(f, "{entry} in {}", self.from)?,
            (None, _) => f.write_str(&self.from)?,
        }
        match &self.username {
            Some(user) => write!(f, " (user {user})"),
            None => Ok(()),
        }
    }
}
