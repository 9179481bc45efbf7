//! What a person typed into a form, and what was wrong with it.

use std::collections::BTreeMap;

/// Values and errors of a form, by field name. A failed submit is drawn again from [`Form::from_pairs`] plus
/// [`Form::refuse`], so that nobody types anything twice. Passwords are never shown again, whatever is in here.
#[derive(Debug, Clone, Default)]
pub struct Form {
    values: BTreeMap<String, Vec<String>>,
    errors: BTreeMap<String, String>,
}

impl Form {
    /// A form without values.
    pub fn new() -> Self {
        Self::default()
    }

    /// The form as it was submitted. Lone and repeated fields alike.
    pub fn from_pairs<N: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let mut form = Self::new();
        for (name, value) in pairs {
            form.values
                .entry(name.into())
                .or_default()
                .push(value.into());
        }
        form
    }

    /// Sets the value of a field; `on` ticks a checkbox.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.values.insert(name.to_owned(), vec![value.into()]);
        self
    }

    /// Sets the values of a field that may be given several times (a group of checkboxes).
    #[must_use]
    pub fn with_all<V: Into<String>>(
        mut self,
        name: &str,
        values: impl IntoIterator<Item = V>,
    ) -> Self {
        self.values.insert(
            name.to_owned(),
            values.into_iter().map(Into::into).collect(),
        );
        self
    }

    /// Ticks or clears a checkbox.
    #[must_use]
    pub fn with_tick(self, name: &str, ticked: bool) -> Self {
        if ticked { self.with(name, "on") } else { self }
    }

    /// Says what is wrong with a field. The empty name stands for the whole form.
    pub fn refuse(&mut self, name: &str, why: impl Into<String>) {
        self.errors.insert(name.to_owned(), why.into());
    }

    /// The (first) value of a field, empty when there is none.
    pub fn value(&self, name: &str) -> &str {
        self.values
            .get(name)
            .and_then(|all| all.first())
            .map_or("", String::as_str)
    }

    /// All values of a field.
    pub fn values(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// Whether a field has this value among its values.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.values(name).iter().any(|v| v == value)
    }

    /// Whether a checkbox is ticked.
    pub fn ticked(&self, name: &str) -> bool {
        self.values(name).iter().any(|v| !v.is_empty())
    }

    /// What is wrong with a field.
    pub fn error(&self, name: &str) -> Option<&str> {
        self.errors.get(name).map(String::as_str)
    }

    /// All errors with their field names, the whole form's first.
    pub fn errors(&self) -> impl Iterator<Item = (&str, &str)> {
        self.errors
            .iter()
            .map(|(name, why)| (name.as_str(), why.as_str()))
    }

    /// Whether anything was wrong.
    pub fn has_errors(&self) -> bool {
        !self.errors.is_empty()
    }
}

/// A sentence begins with a capital.
pub fn capital(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// One of several possible values of a field.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The value that is submitted.
    pub value: String,
    /// What the person reads.
    pub label: String,
}
