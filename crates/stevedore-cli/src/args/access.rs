//! How a registry is reached: the same flags for a verb's only place, for a source and for a destination.

use std::path::PathBuf;

use clap::ArgAction;

/// How a registry is reached, as it was typed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Access {
    pub(crate) identity: Option<Identity>,
    pub(crate) authfile: Option<PathBuf>,
    pub(crate) tls_verify: Option<bool>,
    pub(crate) plain_http: bool,
    pub(crate) ca_files: Vec<PathBuf>,
    pub(crate) cert_dir: Option<PathBuf>,
    /// A client certificate and its key.
    pub(crate) pair: Option<(PathBuf, PathBuf)>,
    pub(crate) trusted_realms: Vec<String>,
}

/// Who to be, where that was typed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Identity {
    Nobody,
    User {
        name: String,
        /// `None` where it comes from stdin, or from a person.
        password: Option<String>,
        from_stdin: bool,
    },
    Token(String),
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Nobody => "Nobody",
            Self::User { .. } => "User",
            Self::Token(_) => "Token",
        })
    }
}

impl Access {
    /// The same, with what was said for all registries where nothing else was said for this one.
    pub(crate) fn or(self, all: &Self) -> Self {
        Self {
            identity: self.identity.or_else(|| all.identity.clone()),
            authfile: self.authfile.or_else(|| all.authfile.clone()),
            tls_verify: self.tls_verify.or(all.tls_verify),
            plain_http: self.plain_http || all.plain_http,
            ca_files: filled(self.ca_files, &all.ca_files),
            cert_dir: self.cert_dir.or_else(|| all.cert_dir.clone()),
            pair: self.pair.or_else(|| all.pair.clone()),
            trusted_realms: filled(self.trusted_realms, &all.trusted_realms),
        }
    }
}

fn filled<T: Clone>(own: Vec<T>, all: &[T]) -> Vec<T> {
    if own.is_empty() { all.to_vec() } else { own }
}

macro_rules! access_flags {
    (
        $(#[$doc:meta])* $name:ident, $heading:literal, $prefix:literal, $of:literal, hide = $hide:literal
        $(, short = ($user:literal, $password:literal))? $(, alias = $alias:literal)?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, clap::Args)]
        #[command(next_help_heading = $heading)]
        pub(crate) struct $name {
            #[arg(
                help = concat!("The user", $of, "; without a password it is asked for"),
                id = concat!($prefix, "creds"), long = concat!($prefix, "creds"), value_name = "USER[:PASSWORD]",
                hide_short_help = $hide $(, alias = concat!($alias, "creds"))?
            )]
            creds: Option<String>,
            #[arg(
                help = concat!("The user's name", $of),
                id = concat!($prefix, "username"), long = concat!($prefix, "username"), value_name = "USER",
                conflicts_with = concat!($prefix, "creds"), hide_short_help = $hide
                $(, short = $user)? $(, alias = concat!($alias, "username"))?
            )]
            username: Option<String>,
            #[arg(
                help = concat!("The user's password", $of, "; others on this machine may see it"),
                id = concat!($prefix, "password"), long = concat!($prefix, "password"), value_name = "PASSWORD",
                requires = concat!($prefix, "username"), hide_short_help = $hide
                $(, short = $password)? $(, alias = concat!($alias, "password"))?
            )]
            password: Option<String>,
            #[arg(
                help = concat!("Read the user's password", $of, " from stdin, up to the end of its first line"),
                id = concat!($prefix, "password-stdin"), long = concat!($prefix, "password-stdin"),
                conflicts_with = concat!($prefix, "password"), hide_short_help = $hide
                $(, alias = concat!($alias, "password-stdin"))?
            )]
            password_stdin: bool,
            #[arg(
                help = concat!("A bearer token", $of),
                id = concat!($prefix, "registry-token"), long = concat!($prefix, "registry-token"),
                value_name = "TOKEN", hide_short_help = $hide,
                conflicts_with_all = [concat!($prefix, "creds"), concat!($prefix, "username")]
                $(, alias = concat!($alias, "registry-token"))?
            )]
            registry_token: Option<String>,
            #[arg(
                help = concat!("Use no credentials", $of),
                id = concat!($prefix, "no-creds"), long = concat!($prefix, "no-creds"), hide_short_help = $hide,
                conflicts_with_all = [
                    concat!($prefix, "creds"), concat!($prefix, "username"), concat!($prefix, "registry-token")
                ]
                $(, alias = concat!($alias, "no-creds"))?
            )]
            no_creds: bool,
            #[arg(
                help = concat!("The only file with credentials", $of, " instead of all others"),
                id = concat!($prefix, "authfile"), long = concat!($prefix, "authfile"), value_name = "FILE",
                alias = concat!($prefix, "registry-config"), hide_short_help = $hide
                $(, alias = concat!($alias, "registry-config"))?
            )]
            authfile: Option<PathBuf>,
            #[arg(
                help = concat!("Whether the certificate", $of, " is verified; false also allows plain HTTP [default: true]"),
                id = concat!($prefix, "tls-verify"), long = concat!($prefix, "tls-verify"), value_name = "BOOL",
                num_args = 0..=1, require_equals = true, default_missing_value = "true",
                action = ArgAction::Set, hide_short_help = $hide
                $(, alias = concat!($alias, "tls-verify"))?
            )]
            tls_verify: Option<bool>,
            #[arg(
                help = concat!("The same as --", $prefix, "tls-verify=false"),
                id = concat!($prefix, "insecure"), long = concat!($prefix, "insecure"), hide_short_help = $hide,
                conflicts_with = concat!($prefix, "tls-verify") $(, alias = concat!($alias, "insecure"))?
            )]
            insecure: bool,
            #[arg(
                help = concat!("Speak plain HTTP", $of, "; on loopback this happens unasked"),
                id = concat!($prefix, "plain-http"), long = concat!($prefix, "plain-http"), hide_short_help = $hide
                $(, alias = concat!($alias, "plain-http"))?
            )]
            plain_http: bool,
            #[arg(
                help = concat!("Also trust the certification authorities of a file in PEM", $of),
                id = concat!($prefix, "ca-file"), long = concat!($prefix, "ca-file"), value_name = "FILE",
                hide_short_help = $hide $(, alias = concat!($alias, "ca-file"))?
            )]
            ca_file: Vec<PathBuf>,
            #[arg(
                help = concat!(
                    "A directory with authorities (*.crt) and client certificates with their keys (*.cert, *.key)", $of,
                    ", in place of certs.d"
                ),
                id = concat!($prefix, "cert-dir"), long = concat!($prefix, "cert-dir"), value_name = "DIR",
                hide_short_help = $hide $(, alias = concat!($alias, "cert-dir"))?
            )]
            cert_dir: Option<PathBuf>,
            #[arg(
                help = concat!("A file in PEM with a client certificate", $of),
                id = concat!($prefix, "cert"), long = concat!($prefix, "cert"), value_name = "FILE",
                alias = concat!($prefix, "cert-file"), requires = concat!($prefix, "key"), hide_short_help = $hide
                $(, alias = concat!($alias, "cert"))?
            )]
            cert: Option<PathBuf>,
            #[arg(
                help = concat!("A file in PEM with the key of the client certificate", $of),
                id = concat!($prefix, "key"), long = concat!($prefix, "key"), value_name = "FILE",
                alias = concat!($prefix, "key-file"), requires = concat!($prefix, "cert"), hide_short_help = $hide
                $(, alias = concat!($alias, "key"))?
            )]
            key: Option<PathBuf>,
            #[arg(
                help = concat!("A token service that may be told the credentials", $of),
                id = concat!($prefix, "trusted-realm"), long = concat!($prefix, "trusted-realm"),
                value_name = "HOST", hide_short_help = $hide $(, alias = concat!($alias, "trusted-realm"))?
            )]
            trusted_realm: Vec<String>,
        }

        impl From<$name> for Access {
            fn from(flags: $name) -> Self {
                let user = |name: String, password: Option<String>| Identity::User {
                    from_stdin: flags.password_stdin,
                    password,
                    name,
                };
                let identity = match (flags.creds, flags.username, flags.registry_token) {
                    (Some(creds), ..) => Some(match creds.split_once(':') {
                        Some((name, password)) => user(name.to_owned(), Some(password.to_owned())),
                        None => user(creds, None),
                    }),
                    (None, Some(name), _) => Some(user(name, flags.password)),
                    (None, None, Some(token)) => Some(Identity::Token(token)),
                    (None, None, None) if flags.password_stdin => Some(user(String::new(), None)),
                    (None, None, None) => flags.no_creds.then_some(Identity::Nobody),
                };
                Self {
                    identity,
                    authfile: flags.authfile,
                    tls_verify: flags.tls_verify.or(flags.insecure.then_some(false)),
                    plain_http: flags.plain_http,
                    ca_files: flags.ca_file,
                    cert_dir: flags.cert_dir,
                    pair: flags.cert.zip(flags.key),
                    trusted_realms: flags.trusted_realm,
                }
            }
        }
    };
}

access_flags! {
    /// For the registries of a verb, all of them.
    AccessFlags, "Registry", "", "", hide = false, short = ('u', 'p')
}

access_flags! {
    /// For the source of a copy.
    SourceFlags, "Registry of the source, in place of the above", "src-", " at the source", hide = true, alias = "from-"
}

access_flags! {
    /// For the destination of a copy.
    DestinationFlags, "Registry of the destination, in place of the above", "dest-", " at the destination",
    hide = true, alias = "to-"
}
