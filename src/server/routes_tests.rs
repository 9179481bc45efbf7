use super::*;

#[test]
fn a_path_finds_the_rows_that_it_fits_and_a_name_never_spans_two_parts() {
    for (row, path, named) in [
        ("/admin/people/*", "/admin/people/a", Some("a")),
        ("/admin/people/*", "/admin/people/", None),
        ("/admin/people/*", "/admin/people", None),
        ("/admin/people/*", "/admin/people/a/b", None),
        ("/admin/people/*/link", "/admin/people/a/link", Some("a")),
        ("/admin/people/*/link", "/admin/people//link", None),
        ("/admin/people/*/link", "/admin/people/link", None),
        ("/admin/people/*/link", "/admin/people/a/b/link", None),
        ("/admin", "/admin/", None),
    ] {
        assert_eq!(fits(row, path), named, "{row} {path}");
    }
    let new = rows_at("/admin/people/new");
    assert!(
        new.len() == 2
            && new
                .iter()
                .all(|(row, named)| row.path.ends_with("/new") && named.is_empty())
    );
}

#[test]
fn no_two_rows_answer_the_same_request() {
    for (place, row) in ROUTES.iter().enumerate() {
        for other in ROUTES.iter().skip(place + 1) {
            let same = row.method == other.method && row.path == other.path;
            assert!(!same, "{} {}", row.method, row.path);
            assert!(row.path.matches('*').count() < 2, "{}", row.path);
        }
    }
}
