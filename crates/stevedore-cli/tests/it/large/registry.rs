//! A registry of one repository, `app`, that keeps blobs in sparse files, so that large ones of zeros cost it neither memory
//! nor disk. It can do just what a copy there and back asks for.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read, Seek as _, SeekFrom, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::FileExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use stevedore_core::{Algorithm, Hasher};
use tempfile::TempDir;

/// How much is looked at and written at a time.
const BLOCK: usize = 1 << 20;

/// Runs on threads that end with their connections.
pub(super) struct SparseRegistry {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    /// Has a file for each blob.
    dir: Arc<TempDir>,
}

#[derive(Default)]
struct State {
    /// Type and bytes by tag and digest.
    manifests: HashMap<String, (String, Vec<u8>)>,
    /// At which byte of a blob the next answer breaks off that is longer.
    break_off_at: Option<u64>,
    /// Which blobs were asked for, and from which byte on.
    asked: Vec<(String, u64)>,
}

impl SparseRegistry {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("an address");
        let dir = Arc::new(tempfile::tempdir().expect("a directory"));
        let state = Arc::new(Mutex::new(State::default()));
        let shared = (Arc::clone(&state), Arc::clone(&dir));
        // It goes with the process that the tests run in.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (state, dir) = shared.clone();
                let Ok(stream) = stream else { continue };
                std::thread::spawn(move || {
                    // That a client is gone is its own business.
                    drop(Connection { stream, state, dir }.serve());
                });
            }
        });
        Self { address, state, dir }
    }

    pub(super) fn host(&self) -> String {
        self.address.to_string()
    }

    /// The file of a blob.
    pub(super) fn blob(&self, digest: &str) -> PathBuf {
        self.dir.path().join(digest)
    }

    /// Breaks the next answer off that goes over this byte of a blob.
    pub(super) fn break_off_at(&self, byte: u64) {
        lock(&self.state).break_off_at = Some(byte);
    }

    /// From which bytes on a blob was asked for.
    pub(super) fn asked(&self, digest: &str) -> Vec<u64> {
        let state = lock(&self.state);
        let asked = state.asked.iter().filter(|(asked, _)| asked == digest);
        asked.map(|(_, from)| *from).collect()
    }
}

struct Connection {
    stream: TcpStream,
    state: Arc<Mutex<State>>,
    dir: Arc<TempDir>,
}

/// What of a request matters.
#[derive(Default)]
struct Head {
    method: String,
    path: String,
    query: String,
    length: u64,
    media_type: String,
    /// The first byte of the range.
    from: u64,
}

impl Connection {
    fn serve(&self) -> io::Result<()> {
        let mut reader = BufReader::with_capacity(BLOCK, self.stream.try_clone()?);
        while let Some(head) = read_head(&mut reader)? {
            let mut body = reader.by_ref().take(head.length);
            self.answer(&head, &mut body)?;
            io::copy(&mut body, &mut io::sink())?;
        }
        Ok(())
    }

    fn answer(&self, head: &Head, body: &mut impl Read) -> io::Result<()> {
        let Some(path) = head.path.strip_prefix("/v2/app/") else {
            let status = if head.path == "/v2/" {
                "200 OK"
            } else {
                "404 Not Found"
            };
            return self.say(status, &[], b"");
        };
        let digest = head
            .query
            .strip_prefix("digest=")
            .map(|it| it.replace("%3A", ":"));
        match (head.method.as_str(), path.split_once('/')) {
            ("GET" | "HEAD", Some(("manifests", reference))) => self.give_manifest(head, reference),
            ("PUT", Some(("manifests", reference))) => self.take_manifest(head, reference, body),
            ("GET" | "HEAD", Some(("blobs", digest))) => self.give_blob(head, digest),
            ("POST" | "PUT", Some(("blobs", _))) if digest.is_some() => {
                self.take_blob(&digest.unwrap_or_default(), body)
            }
            ("POST", Some(("blobs", "uploads/"))) => {
                self.say("202 Accepted", &[("location", "/v2/app/blobs/uploads/1")], b"")
            }
            _ => self.say("404 Not Found", &[], b""),
        }
    }

    fn give_manifest(&self, head: &Head, reference: &str) -> io::Result<()> {
        let found = lock(&self.state).manifests.get(reference).cloned();
        let Some((media_type, bytes)) = found else {
            return self.say("404 Not Found", &[], b"");
        };
        let digest = Algorithm::Sha256.digest(&bytes).to_string();
        let headers = [
            ("content-type", media_type.as_str()),
            ("docker-content-digest", &digest),
        ];
        self.say_head("200 OK", &headers, bytes.len() as u64)?;
        if head.method == "GET" {
            (&self.stream).write_all(&bytes)?;
        }
        Ok(())
    }

    fn take_manifest(&self, head: &Head, reference: &str, body: &mut impl Read) -> io::Result<()> {
        let mut bytes = Vec::new();
        body.read_to_end(&mut bytes)?;
        let digest = Algorithm::Sha256.digest(&bytes).to_string();
        let manifests = &mut lock(&self.state).manifests;
        for key in [reference, &digest] {
            manifests.insert(key.to_owned(), (head.media_type.clone(), bytes.clone()));
        }
        self.say("201 Created", &[("docker-content-digest", &digest)], b"")
    }

    fn give_blob(&self, head: &Head, digest: &str) -> io::Result<()> {
        let Ok(mut file) = File::open(self.dir.path().join(digest)) else {
            return self.say("404 Not Found", &[], b"");
        };
        let size = file.metadata()?.len();
        if head.method == "HEAD" {
            return self.say_head("200 OK", &[], size);
        }
        let from = head.from;
        let until = {
            let mut state = lock(&self.state);
            state.asked.push((digest.to_owned(), from));
            state.break_off_at.take_if(|byte| (from..size).contains(byte))
        };
        let range = format!("bytes {from}-{}/{size}", size - 1);
        let (status, headers) = match from {
            0 => ("200 OK", &[][..]),
            _ => ("206 Partial Content", &[("content-range", range.as_str())][..]),
        };
        self.say_head(status, headers, size - from)?;
        file.seek(SeekFrom::Start(from))?;
        io::copy(&mut file.take(until.unwrap_or(size) - from), &mut &self.stream)?;
        if until.is_some() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        Ok(())
    }

    fn take_blob(&self, digest: &str, body: &mut impl Read) -> io::Result<()> {
        let staged = tempfile::NamedTempFile::new_in(self.dir.path())?;
        let mut hasher = Hasher::new(Algorithm::Sha256);
        let (mut buffer, zeros) = (vec![0; BLOCK], vec![0; BLOCK]);
        loop {
            let count = body.read(&mut buffer)?;
            if count == 0 {
                break;
            }
            if buffer[..count] != zeros[..count] {
                staged.as_file().write_all_at(&buffer[..count], hasher.len())?;
            }
            hasher.update(&buffer[..count]);
        }
        staged.as_file().set_len(hasher.len())?;
        if hasher.finish().to_string() != digest {
            return self.say(
                "400 Bad Request",
                &[],
                br#"{"errors":[{"code":"DIGEST_INVALID"}]}"#,
            );
        }
        fs::rename(staged.into_temp_path().keep()?, self.dir.path().join(digest))?;
        self.say(
            "201 Created",
            &[("location", &format!("/v2/app/blobs/{digest}"))],
            b"",
        )
    }

    fn say(&self, status: &str, headers: &[(&str, &str)], body: &[u8]) -> io::Result<()> {
        self.say_head(status, headers, body.len() as u64)?;
        (&self.stream).write_all(body)
    }

    fn say_head(&self, status: &str, headers: &[(&str, &str)], length: u64) -> io::Result<()> {
        let mut lines = vec![format!("HTTP/1.1 {status}"), format!("content-length: {length}")];
        lines.extend(headers.iter().map(|(name, value)| format!("{name}: {value}")));
        let text = lines.join("\r\n") + "\r\n\r\n";
        (&self.stream).write_all(text.as_bytes())
    }
}

/// The next request, or nothing where no more come.
fn read_head(reader: &mut BufReader<TcpStream>) -> io::Result<Option<Head>> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    let mut words = line.split(' ');
    let mut head = Head {
        method: words.next().unwrap_or_default().to_owned(),
        ..Head::default()
    };
    let target = words.next().unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    (head.path, head.query) = (path.to_owned(), query.to_owned());
    loop {
        line.clear();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.split_once(':') else {
            return Ok(Some(head));
        };
        let value = value.trim();
        match name.to_ascii_lowercase().as_str() {
            "content-length" => head.length = value.parse().map_err(io::Error::other)?,
            "content-type" => value.clone_into(&mut head.media_type),
            "range" => {
                let from = value.strip_prefix("bytes=").and_then(|it| it.split('-').next());
                head.from = from.unwrap_or_default().parse().map_err(io::Error::other)?;
            }
            _ => {}
        }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no thread panicked")
}
