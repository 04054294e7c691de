//! Says what references are, for comparisons with other parsers: `cargo run --example references`.
//!
//! A JSON string a line comes in, an answer a line goes out: the parts of the reference, what Docker would take, and what
//! it is where the ID of an image is as good. A member is null where the text is refused.

use std::io::{self, BufRead as _, BufWriter, Write as _};

use serde_json::{Value, json};
use stevedore_core::Reference;
use stevedore_core::reference::AnyReference;

fn main() -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let text: String = serde_json::from_str(&line?)?;
        writeln!(out, "{}", answer(&text))?;
    }
    out.flush()
}

fn answer(text: &str) -> Value {
    let reference: Option<Reference> = text.parse().ok();
    json!({
        "normalized": reference.as_ref().map(parts),
        "docker": Reference::parse_docker(text).ok().map(|reference| reference.to_string()),
        "any": text.parse().ok().map(|any: AnyReference| any.to_string()),
    })
}

fn parts(reference: &Reference) -> Value {
    json!({
        "registry": reference.registry(),
        "repository": reference.repository(),
        "tag": reference.tag().map_or("", |tag| tag.as_str()),
        "digest": reference.digest().map(|digest| digest.to_string()).unwrap_or_default(),
        "canonical": reference.canonical(),
        "familiar": reference.familiar(),
    })
}
