//! A list that is searched and turned page by page: people, applications, groups. Owns: how many rows a page has, how
//! far one search looks, and where the next page begins. Not here: what a row shows (each page's own).

use super::desk;
use crate::server::incoming::Incoming;
use crate::views::admin::ListHead;

/// Rows that a list shows.
pub(super) const ROWS: usize = 50;
/// Records that one search looks at: a search that finds nothing must not read a whole file.
const SEARCHED: usize = 10_000;
/// Records that are read at a time.
const BATCH: usize = 200;

/// What a list was asked for: `q` is searched, `after` is the key of the last record of the page before.
pub(super) struct Listing<'a> {
    incoming: &'a Incoming<'a>,
    path: &'static str,
    wanted: String,
    after: String,
}

impl<'a> Listing<'a> {
    /// As the address asks.
    pub(super) fn asked(incoming: &'a Incoming<'a>, path: &'static str) -> Self {
        let query = incoming.query().unwrap_or_default();
        Self {
            incoming,
            path,
            wanted: query.text("q").trim().to_owned(),
            after: query.text("after").to_owned(),
        }
    }

    /// One page of the records that `texts` has the wanted words of, and its head. `read` gives records after a key
    /// (from the first one after the empty key), in the order of their keys, and none only at the end.
    pub(super) fn page<T, E>(
        &self,
        read: impl FnMut(&str, usize) -> Result<Vec<T>, E>,
        key: impl Fn(&T) -> String,
        texts: impl Fn(&T) -> Vec<String>,
    ) -> Result<(Vec<T>, ListHead), E> {
        let wanted = self.wanted.to_lowercase();
        let fits = |record: &T| {
            let texts = texts(record);
            texts
                .iter()
                .any(|text| text.to_lowercase().contains(&wanted))
        };
        let (rows, next) = search(&self.after, read, key, fits)?;
        Ok((rows, self.head(next.as_deref())))
    }

    fn head(&self, next: Option<&str>) -> ListHead {
        let base = self.incoming.ctx.config.issuer.path();
        let query = ("q", self.wanted.as_str());
        let address = |pairs: &[(&str, &str)]| desk::address(base, self.path, pairs);
        ListHead {
            query: self.wanted.clone(),
            next: next.map(|next| address(&[query, ("after", next)])),
            first: (!self.after.is_empty()).then(|| address(&[query])),
        }
    }
}

/// The records that fit, and the key to go on after where there may be more.
fn search<T, E>(
    after: &str,
    mut read: impl FnMut(&str, usize) -> Result<Vec<T>, E>,
    key: impl Fn(&T) -> String,
    fits: impl Fn(&T) -> bool,
) -> Result<(Vec<T>, Option<String>), E> {
    let (mut found, mut seen, mut after) = (Vec::new(), 0, after.to_owned());
    loop {
        let batch = read(&after, BATCH)?;
        let Some(last) = batch.last().map(&key) else {
            return Ok((found, None));
        };
        seen += batch.len();
        for record in batch.into_iter().filter(&fits) {
            if found.len() == ROWS {
                let shown = found.last().map(&key);
                return Ok((found, shown));
            }
            found.push(record);
        }
        if seen >= SEARCHED {
            return Ok((found, Some(last)));
        }
        after = last;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A list of the numbers from 0, whose key is the number in five digits.
    fn numbers(
        count: usize,
        after: &str,
        fits: impl Fn(&usize) -> bool,
    ) -> (Vec<usize>, Option<String>) {
        let read = |after: &str, limit: usize| {
            let from = after.parse::<usize>().map_or(0, |after| after + 1);
            Ok::<_, ()>((from..count).take(limit).collect())
        };
        search(after, read, |number| format!("{number:05}"), fits).unwrap()
    }

    /// Every page from the first to the last.
    fn turned(count: usize, fits: impl Fn(&usize) -> bool + Copy) -> Vec<Vec<usize>> {
        let (mut pages, mut after) = (Vec::new(), String::new());
        loop {
            let (rows, next) = numbers(count, &after, fits);
            pages.push(rows);
            match next {
                Some(next) => after = next,
                None => return pages,
            }
        }
    }

    #[test]
    fn turning_the_pages_shows_every_record_once_and_no_empty_page() {
        for count in [0, 1, ROWS - 1, ROWS, ROWS + 1, BATCH, BATCH + 1, 3 * ROWS] {
            let pages = turned(count, |_| true);
            assert_eq!(pages.len(), count.div_ceil(ROWS).max(1), "{count}");
            assert_eq!(pages.concat(), (0..count).collect::<Vec<_>>(), "{count}");
        }
        let odd = turned(401, |number| number % 2 == 1);
        assert_eq!(odd.len(), 4);
        assert_eq!(
            odd.concat(),
            (0..401).filter(|n| n % 2 == 1).collect::<Vec<_>>()
        );
    }

    #[test]
    fn a_search_that_finds_nothing_stops_and_can_be_gone_on_with() {
        let late = |number: &usize| *number == SEARCHED + 7;
        let (rows, next) = numbers(SEARCHED + 10, "", late);
        assert_eq!((rows.len(), next.as_deref()), (0, Some("09999")));
        assert_eq!(
            numbers(SEARCHED + 10, "09999", late),
            (vec![SEARCHED + 7], None)
        );
    }
}
