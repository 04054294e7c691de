//! A lint that is silenced says why, beside it.

use std::path::Path;

use crate::finding::Finding;
use crate::source::Source;

const CHECK: &str = "silenced";

/// Finds `allow(…)` and `expect(…)` attributes with neither a `reason`, nor a comment behind them, nor one right above.
pub(crate) fn check(file: &Path, text: &str) -> Vec<Finding> {
    let source = Source::parse(text);
    attributes(&source)
        .filter(|attribute| silences(&source.code[attribute.clone()]))
        .filter(|attribute| !has_reason(&source, attribute.start, attribute.end))
        .map(|attribute| {
            let line = source.line_at(attribute.start) + 1;
            Finding::error(
                CHECK,
                file,
                line,
                "silences a lint and does not say why: add `reason = \"…\"`",
            )
        })
        .collect()
}

/// The ranges of `#[…]` and `#![…]`, brackets included.
fn attributes(source: &Source) -> impl Iterator<Item = std::ops::Range<usize>> {
    let code = &source.code;
    let starts = (0..code.len()).filter(|at| code[*at] == '#');
    starts.filter_map(|start| {
        let bang = usize::from(code.get(start + 1) == Some(&'!'));
        if code.get(start + 1 + bang) != Some(&'[') {
            return None;
        }
        let mut depth = 0_usize;
        for (offset, each) in code[start + 1 + bang..].iter().enumerate() {
            match each {
                '[' => depth += 1,
                ']' => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                return Some(start..start + 2 + bang + offset);
            }
        }
        None
    })
}

/// Whether the attribute, or a `cfg_attr` in it, has an `allow(` or `expect(`.
fn silences(attribute: &[char]) -> bool {
    let code: String = attribute.iter().collect();
    ["allow", "expect"].iter().any(|word| {
        code.match_indices(word).any(|(at, _)| {
            let before = code[..at].chars().next_back();
            let after = code[at + word.len()..].trim_start();
            before.is_none_or(|each| !is_word(each)) && after.starts_with('(')
        })
    })
}

fn has_reason(source: &Source, start: usize, end: usize) -> bool {
    let (first, last) = (source.line_at(start), source.line_at(end - 1));
    let behind = source.commented.contains(&last);
    let above = first > 0 && source.commented.contains(&(first - 1)) && source.is_without_code(first - 1);
    behind || above || states_reason(source, start, end)
}

/// Whether the attribute has `reason = "…"` with something in the quotes.
fn states_reason(source: &Source, start: usize, end: usize) -> bool {
    // Literals are blank in the code, so a `reason` found there is a word of the attribute.
    let code = &source.code[start..end];
    let word: Vec<char> = "reason".chars().collect();
    code.windows(word.len())
        .enumerate()
        .filter(|(_, window)| *window == word)
        .any(|(at, _)| {
            let whole_word = at > 0 && !is_word(code[at - 1]);
            let rest: String = source.text[start + at + word.len()..end].iter().collect();
            let text = rest
                .trim_start()
                .strip_prefix('=')
                .map(str::trim_start)
                .and_then(|rest| rest.strip_prefix('"'));
            whole_word && text.is_some_and(|text| text.trim_start().starts_with(|first| first != '"'))
        })
}

fn is_word(each: char) -> bool {
    each.is_alphanumeric() || each == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Vec<usize> {
        check(Path::new("x.rs"), text)
            .into_iter()
            .map(|finding| finding.line)
            .collect()
    }

    #[test]
    fn finds_a_lint_silenced_without_a_reason() {
        assert_eq!(lines("fn a() {}\n\n#[allow(dead_code)]\nfn b() {}\n"), [3]);
        assert_eq!(lines("#![allow(\n    dead_code,\n)]\n"), [1]);
        assert_eq!(lines("#[cfg_attr(test, allow(dead_code))]"), [1]);
        assert_eq!(lines("#[expect(dead_code)]"), [1]);
        assert_eq!(lines("#[allow (dead_code)] #[allow(unused)]"), [1, 1]);
    }

    #[test]
    fn takes_a_reason_inside_behind_or_above() {
        assert_eq!(
            lines("#[allow(dead_code, reason = \"kept for the bench\")]"),
            [0; 0]
        );
        assert_eq!(
            lines("#[allow(\n    dead_code,\n    reason = \"kept\"\n)]"),
            [0; 0]
        );
        assert_eq!(lines("#[allow(dead_code)] // kept for the bench"), [0; 0]);
        assert_eq!(lines("// kept for the bench\n#[allow(dead_code)]"), [0; 0]);
    }

    #[test]
    fn takes_no_empty_reason_and_no_documentation_for_one() {
        assert_eq!(lines("#[allow(dead_code, reason = \"\")]"), [1]);
        assert_eq!(lines("#[allow(dead_code)] //"), [1]);
        assert_eq!(lines("/// what it is\n#[allow(dead_code)]"), [2]);
        assert_eq!(lines("let a; // another line's\n#[allow(dead_code)]"), [2]);
        assert_eq!(lines("#[allow(no_reason = \"x\")]"), [1]);
    }

    #[test]
    fn looks_at_attributes_only() {
        assert_eq!(lines("fn f() { gate.allow(x); x.expect(\"y\"); }"), [0; 0]);
        assert_eq!(lines("// #[allow(dead_code)]\nlet a = \"#[allow(b)]\";"), [0; 0]);
        assert_eq!(
            lines("#[cfg(feature = \"allow(x)\")]\n#[disallow(x)]\n#[doc = \"expect(x)\"]"),
            [0; 0]
        );
        assert_eq!(lines("#[allow(dead_code"), [0; 0]);
    }
}
