//! The look of a document, so that what is new looks like what was there.

use super::Form;
use crate::json::{Kind, Member, Value};

/// How the entries of one container are set.
#[derive(Clone, Debug, Default)]
pub(super) struct Style {
    /// If entries stand on lines of their own: the white space before each, line break and indent.
    line: Option<String>,
    /// If not: what stands between a comma and the next entry.
    gap: String,
    /// What one level of indent adds.
    unit: String,
    /// What stands before and after the colon of a member.
    colon: (String, String),
}

impl Style {
    /// The style of the entries of `container`, which itself stands in this style.
    pub(super) fn within(&self, container: Value<'_>) -> Self {
        let document = container.document();
        let mut entries = super::entries(container);
        let Some(last) = entries.pop() else {
            return self.nested();
        };
        let mut style = self.clone();
        if let Some(member) = container.members().last() {
            let between = &document[member.name.end()..member.value.start()];
            let (before, after) = between.split_once(':').unwrap_or_default();
            style.colon = (before.to_owned(), after.to_owned());
        }
        let before = entries.pop();
        let lead = match before {
            Some(before) => {
                document[before.end..last.start]
                    .split_once(',')
                    .unwrap_or_default()
                    .1
            }
            None => &document[container.start() + 1..last.start],
        };
        if lead.contains('\n') {
            let close = indent(&document[last.end..container.end() - 1]);
            if let Some(unit) = indent(lead).strip_prefix(close) {
                unit.clone_into(&mut style.unit);
            }
            style.line = Some(lead.to_owned());
        } else {
            style.line = None;
            // White space after an opening bracket says nothing about commas; that after a colon does.
            style.gap = match before {
                Some(_) => lead.to_owned(),
                None if style.colon.1.is_empty() => String::new(),
                None => " ".to_owned(),
            };
        }
        style
    }

    /// What goes between a comma and the next entry.
    pub(super) fn lead(&self) -> &str {
        self.line.as_deref().unwrap_or(&self.gap)
    }

    /// A member of this style.
    pub(super) fn member(&self, key: &str, value: &str) -> String {
        let key = serde_json::Value::from(key);
        format!("{key}{}:{}{value}", self.colon.0, self.colon.1)
    }

    /// What goes between the brackets of a container that stands in the style `outer` for entries of this style.
    pub(super) fn enclose(&self, outer: &Self, entries: &str) -> String {
        match (&self.line, &outer.line) {
            (Some(line), Some(close)) => format!("{line}{entries}{close}"),
            _ => entries.to_owned(),
        }
    }

    /// A value that stands in this style.
    pub(super) fn spell(&self, value: Value<'_>, form: Form) -> String {
        if form == Form::Verbatim {
            return value.document().to_owned();
        }
        let inner = self.nested();
        let (brackets, entries): (_, Vec<_>) = match value.kind() {
            Kind::Object => {
                let entry = |member: Member<'_>| inner.member(&member.key, &inner.spell(member.value, form));
                (["{", "}"], value.members().map(entry).collect())
            }
            Kind::Array => (
                ["[", "]"],
                value
                    .elements()
                    .map(|element| inner.spell(element, form))
                    .collect(),
            ),
            _ => return value.as_written().to_owned(),
        };
        let [open, close] = brackets;
        if entries.is_empty() {
            return format!("{open}{close}");
        }
        let entries = entries.join(&format!(",{}", inner.lead()));
        format!("{open}{}{close}", inner.enclose(self, &entries))
    }

    /// Objects of one member each, one in the other, down to `leaf`; the outermost stands in this style.
    pub(super) fn wrap(&self, keys: &[&str], leaf: Value<'_>, form: Form) -> String {
        let Some((key, keys)) = keys.split_first() else {
            return self.spell(leaf, form);
        };
        let inner = self.nested();
        let member = inner.member(key, &inner.wrap(keys, leaf, form));
        format!("{{{}}}", inner.enclose(self, &member))
    }

    /// The style of the entries of a new container that stands in this style.
    fn nested(&self) -> Self {
        let line = self.line.as_ref().map(|line| format!("{line}{}", self.unit));
        Self { line, ..self.clone() }
    }
}

/// The white space after the last line break.
fn indent(space: &str) -> &str {
    space.rsplit_once('\n').map_or("", |(_, indent)| indent)
}
