//! An authority and a certificate for this machine, by OpenSSL.

use std::fs;

use super::tools::Tool;
use super::{Bench, Checked};

/// A folder with the authority alone, as `--cert-dir` takes it.
pub(super) const AUTHORITY: &str = "tls";

/// The certificate of the server, and its key.
pub(super) const SERVER: &str = "server.crt";
pub(super) const KEY: &str = "server.key";

/// With nothing taken from the settings of the system.
const SETTINGS: &str = "\
[req]
distinguished_name = name
[name]
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[server]
basicConstraints = critical, CA:FALSE
subjectAltName = IP:127.0.0.1, IP:::1
";

/// Makes both, for two days.
pub(super) fn make(bench: &Bench, openssl: &Tool) -> Checked {
    fs::write(bench.dir.join("tls.cnf"), SETTINGS)?;
    fs::create_dir(bench.dir.join(AUTHORITY))?;
    let common = "req -x509 -config tls.cnf -nodes -days 2 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1";
    let request = |rest: &str| {
        let words = common.split(' ').chain(rest.split(' '));
        openssl.run(&words.collect::<Vec<_>>()).map(drop)
    };
    request("-extensions authority -subj /CN=authority -keyout authority.key -out tls/authority.crt")?;
    request(
        "-extensions server -subj /CN=server -keyout server.key -out server.crt \
         -CA tls/authority.crt -CAkey authority.key",
    )
}
