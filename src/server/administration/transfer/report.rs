//! What an import did, or would have done, in numbers and in lines for whoever ran it.

use serde::{Deserialize, Serialize};

/// Lines of one kind that are told; of more, the number.
const LINES: usize = 500;

/// What became of a document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whether it was only looked at.
    pub dry_run: bool,
    /// New records.
    pub added: Counts,
    /// Records that are no longer what they were.
    pub changed: Counts,
    /// Records that were so already.
    pub unchanged: Counts,
    /// Who and what administers afterwards and did not before: apart, for among many notes nobody would see it.
    #[serde(default)]
    pub administers: Vec<String>,
    /// What is left to do by hand.
    pub notes: Vec<String>,
    /// Why nothing was written.
    pub problems: Vec<String>,
}

/// Numbers of records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// People.
    pub users: usize,
    /// Groups.
    pub groups: usize,
    /// Applications.
    pub clients: usize,
    /// Resources.
    pub resources: usize,
    /// Signing keys.
    pub signing_keys: usize,
    /// Settings of the house: one record.
    pub settings: usize,
}

impl Report {
    /// The report without the lines that are too many to read.
    pub fn shortened(mut self) -> Self {
        for lines in [&mut self.administers, &mut self.notes, &mut self.problems] {
            let more = lines.len().saturating_sub(LINES);
            if more > 0 {
                lines.truncate(LINES);
                lines.push(format!("… and {more} more"));
            }
        }
        self
    }
}

impl Counts {
    /// In words; `None` where there is nothing to count.
    pub fn words(&self) -> Option<String> {
        let each = [
            (self.users, "person", "people"),
            (self.groups, "group", "groups"),
            (self.clients, "application", "applications"),
            (self.resources, "API", "APIs"),
            (self.signing_keys, "signing key", "signing keys"),
            (self.settings, "the settings", "the settings"),
        ];
        let words: Vec<String> = each
            .into_iter()
            .filter(|(count, ..)| *count > 0)
            .map(|(count, one, many)| match (count, one == many) {
                (_, true) => one.to_owned(),
                (1, false) => format!("1 {one}"),
                (_, false) => format!("{count} {many}"),
            })
            .collect();
        (!words.is_empty()).then(|| words.join(", "))
    }
}
