//! `blob get` and `blob head`.

use std::sync::Arc;

use serde::Serialize;
use stevedore_core::{ByteRange, Descriptor, Digest, Error, Hasher, Selector, Source, stream};

use crate::access::Reach;
use crate::args::BlobOf;
use crate::exit::Failure;
use crate::output;
use crate::settings::Settings;

#[derive(Serialize)]
struct Head {
    digest: String,
    size: u64,
}

/// Finds the blob whose digest the location names, and where it is to be read.
async fn find(args: &BlobOf, settings: &Settings) -> Result<(Descriptor, Digest, Arc<dyn Source>), Failure> {
    let Selector::Digest(digest) = args.blob.selector() else {
        let failure = Failure::usage(format!("{} names no digest", args.blob));
        return Err(failure.with_hint("say which blob: oci:DIR@sha256:…"));
    };
    let reach = Reach::new(args.access.clone().into(), settings, &[&args.blob]).await?;
    let source = reach.source(&args.blob)?;
    Ok((source.find_blob(&digest).await?, digest, source))
}

pub(crate) async fn get(args: BlobOf, settings: &Settings) -> Result<(), Failure> {
    if settings.json {
        let failure = Failure::usage("the result of blob get is the bytes of the blob, which are not JSON");
        return Err(failure.with_hint("blob head --json"));
    }
    let (found, digest, source) = find(&args, settings).await?;
    let mut body = source.blob(&found, ByteRange::FULL).await?.into_stream();
    let mut hasher = Hasher::new(digest.algorithm());
    let mut terminal = output::is_terminal().then(OnTerminal::default);
    let no_text = || {
        let failure = Failure::usage(format!("{digest} is no text, which a terminal could show"));
        failure.with_hint("send it to a file or a program: … > FILE")
    };
    while let Some(chunk) = stream::next(&mut body).await {
        let chunk = chunk?;
        hasher.update(&chunk);
        match &mut terminal {
            Some(terminal) => output::unchanged(terminal.take(&chunk).ok_or_else(no_text)?.as_bytes())?,
            None => output::unchanged(&chunk)?,
        }
    }
    if let Some(terminal) = terminal {
        output::unchanged(terminal.end().ok_or_else(no_text)?.as_bytes())?;
    }
    let actual = hasher.finish();
    if actual != digest {
        let what = format!("the blob at {}, which was just printed,", args.blob);
        let failure = Failure::new(Error::mismatch(what, digest, actual).into());
        return Err(failure.with_hint("throw away what was printed, and get it from another place"));
    }
    Ok(())
}

/// Text on its way to a terminal, chunk by chunk.
#[derive(Default)]
struct OnTerminal {
    /// The beginning of a character whose end is in the next chunk.
    cut: Vec<u8>,
    /// Whether the last line has no end yet.
    in_line: bool,
}

impl OnTerminal {
    /// What is shown of a chunk, or `None` where it is no text.
    fn take(&mut self, chunk: &[u8]) -> Option<String> {
        self.cut.extend_from_slice(chunk);
        let whole = match str::from_utf8(&self.cut) {
            Ok(text) => text.len(),
            Err(error) if error.error_len().is_none() => error.valid_up_to(),
            Err(_) => return None,
        };
        let rest = self.cut.split_off(whole);
        let text = String::from_utf8(std::mem::replace(&mut self.cut, rest)).ok()?;
        if !text.is_empty() {
            self.in_line = !text.ends_with('\n');
        }
        Some(output::escape(&text))
    }

    /// What is shown at the end.
    fn end(&self) -> Option<&'static str> {
        let end = if self.in_line { "\n" } else { "" };
        self.cut.is_empty().then_some(end)
    }
}

pub(crate) async fn head(args: BlobOf, settings: &Settings) -> Result<(), Failure> {
    let (found, ..) = find(&args, settings).await?;
    let (digest, size) = (found.digest.to_string(), found.size);
    if settings.json {
        output::json(&Head { digest, size })
    } else {
        output::line(&format!("{digest} {size}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_may_lie_in_two_chunks() {
        let text = "ümlaut\u{1b}[2J\nand 漢字";
        for cut in 0..=text.len() {
            let (one, other) = text.as_bytes().split_at(cut);
            let mut terminal = OnTerminal::default();
            let mut shown = terminal.take(one).expect("text");
            shown += &terminal.take(other).expect("text");
            shown += terminal.end().expect("text");
            assert_eq!(shown, "ümlaut\\u{1b}[2J\nand 漢字\n", "{cut}");
        }
    }

    #[test]
    fn what_is_no_text_is_not_shown() {
        assert_eq!(OnTerminal::default().take(b"a\xffb"), None);
        let mut terminal = OnTerminal::default();
        assert_eq!(terminal.take(b"a\xc3").as_deref(), Some("a"));
        assert_eq!(terminal.end(), None);
        let mut terminal = OnTerminal::default();
        assert_eq!(terminal.take(b"a\n").as_deref(), Some("a\n"));
        assert_eq!(terminal.end(), Some(""));
    }
}
