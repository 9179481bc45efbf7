//! Reading the one form of a page: its action and its hidden inputs.
//! Not an HTML parser: it reads pages that our own templates wrote.

pub struct Form {
    /// Empty: the address of the page itself.
    pub action: String,
    pub hidden: Vec<(String, String)>,
}

impl Form {
    /// The form that has a field of this name.
    pub fn with_field(page: &str, field: &str) -> Option<Self> {
        page.split("<form").skip(1).find_map(|rest| {
            let form = rest.split("</form").next()?;
            let mut inputs = form.split("<input").skip(1).map(tag);
            if !inputs
                .clone()
                .any(|input| attribute(input, "name").as_deref() == Some(field))
            {
                return None;
            }
            let hidden = inputs.by_ref().filter_map(|input| {
                let is_hidden = attribute(input, "type").as_deref() == Some("hidden");
                let name = attribute(input, "name").filter(|_| is_hidden)?;
                Some((name, attribute(input, "value").unwrap_or_default()))
            });
            Some(Self {
                hidden: hidden.collect(),
                action: attribute(tag(form), "action").unwrap_or_default(),
            })
        })
    }
}

/// The attributes of the tag that starts here: up to the first `>` outside quotes.
fn tag(rest: &str) -> &str {
    let mut quote = None;
    for (at, character) in rest.char_indices() {
        match (quote, character) {
            (None, '>') => return rest.get(..at).unwrap_or(rest),
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
    }
    rest
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag;
    loop {
        let at = rest.find(name)?;
        let before = rest.get(..at)?;
        rest = rest.get(at + name.len()..)?;
        let starts_a_word =
            before.is_empty() || before.ends_with(|c: char| c.is_ascii_whitespace());
        let Some(value) = rest
            .trim_start()
            .strip_prefix('=')
            .filter(|_| starts_a_word)
        else {
            continue;
        };
        let value = value.trim_start();
        let raw = match value.chars().next() {
            Some(quote @ ('"' | '\'')) => value.get(1..)?.split(quote).next()?,
            _ => value
                .split(|c: char| c.is_ascii_whitespace() || c == '/')
                .next()?,
        };
        return Some(unescape(raw));
    }
}

fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let (character, next) = match after.split_once(';') {
            Some((name, next)) => (entity(name), next),
            None => (None, after),
        };
        if let Some(character) = character {
            plain.push(character);
            rest = next;
        } else {
            plain.push('&');
            rest = after;
        }
    }
    plain + rest
}

fn entity(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            char::from_u32(code.ok()?)
        }
    }
}
