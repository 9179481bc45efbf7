//! The limits of fetching, without a network.

use super::*;
use serde_json::json;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const START: Timestamp = Timestamp::from_secs(1_795_000_000);

fn at(seconds: u64) -> Timestamp {
    START.plus(Duration::from_secs(seconds))
}

fn url(text: &str) -> DocumentUrl {
    text.parse().unwrap()
}

fn notes() -> DocumentUrl {
    url("https://notes.example/client")
}

fn says(url: &DocumentUrl, lasts: Option<u64>) -> Answer {
    let Value::Object(members) = json!({
        "client_id": url, "redirect_uris": ["https://notes.example/cb"],
    }) else {
        unreachable!()
    };
    Ok((members, lasts.map(Duration::from_secs)))
}

fn from(n: u32) -> IpAddr {
    IpAddr::V4((0x0A00_0000 + n).into())
}

/// Whether a call is made.
fn calls(documents: &ClientDocuments, url: &DocumentUrl, seconds: u64, answer: Answer) -> bool {
    let mut called = false;
    let _ = documents.get(url, from(1), at(seconds), || {
        called = true;
        answer
    });
    called
}

#[test]
fn section_5_2_a_document_is_kept_as_long_as_it_says_within_a_minute_and_a_day() {
    let day = 24 * 3_600;
    for (lasts, until) in [
        (None, 3_600),
        (Some(0), 60),
        (Some(59), 60),
        (Some(600), 600),
        (Some(u64::MAX / 2_000), day),
    ] {
        let documents = ClientDocuments::default();
        assert!(calls(&documents, &notes(), 0, says(&notes(), lasts)));
        let again = |seconds| calls(&documents, &notes(), seconds, says(&notes(), lasts));
        assert!(!again(until - 1), "{lasts:?}");
        assert!(again(until), "{lasts:?}");
    }
}

#[test]
fn section_5_2_errors_and_invalid_documents_are_not_kept() {
    let other = url("https://other.example/client");
    for bad in [Err("it answered 500".to_owned()), says(&other, None)] {
        let documents = ClientDocuments::default();
        assert!(calls(&documents, &notes(), 0, bad.clone()));
        assert!(calls(&documents, &notes(), 1, says(&notes(), Some(60))));
        // One that was good before counts no more.
        assert!(calls(&documents, &notes(), 61, bad.clone()));
        assert!(calls(&documents, &notes(), 62, bad));
    }
}

#[test]
fn a_host_that_fails_is_left_in_peace_whoever_asks() {
    let documents = ClientDocuments::default();
    let mut made = 0;
    for n in 0..600 {
        let url = url(&format!("https://notes.example/{n}"));
        let asked = documents.get(&url, from(n), at(u64::from(n)), || {
            made += 1;
            Err("no answer".to_owned())
        });
        assert!(asked.is_err());
    }
    assert!(made <= 20, "{made}");
}

#[test]
fn one_address_gets_ever_fewer_and_does_not_hold_up_the_others() {
    let documents = ClientDocuments::default();
    let ask = |who: u32, n: u32, seconds: u64| {
        let url = url(&format!("https://host{n}.example/client"));
        documents.get(&url, from(who), at(seconds), || says(&url, None))
    };
    for n in 0..10 {
        assert!(ask(1, n, 0).is_ok());
    }
    let refused = DocumentError::TooOften(Duration::from_secs(2));
    assert_eq!(ask(1, 10, 0), Err(refused));
    assert!(ask(2, 11, 0).is_ok());
    let all = (0..200).filter(|n| ask(100 + n, 100 + n, 0).is_ok());
    assert_eq!(all.count(), 60 - 11);
}

#[test]
fn while_our_own_limit_stands_in_the_way_a_document_of_today_counts() {
    let documents = ClientDocuments::default();
    assert!(calls(&documents, &notes(), 0, says(&notes(), Some(60))));
    for n in 0..10 {
        let other = url(&format!("https://host{n}.example/c"));
        let _ = documents.get(&other, from(1), at(100), || Err("no".to_owned()));
    }
    let never = || unreachable!("it is called past the limit");
    assert!(documents.get(&notes(), from(1), at(100), never).is_ok());
}

#[test]
fn those_who_want_the_same_wait_for_one_call() {
    let (documents, made) = (ClientDocuments::default(), AtomicUsize::new(0));
    let slow = || {
        made.fetch_add(1, Ordering::SeqCst);
        thread::sleep(Duration::from_millis(300));
        says(&notes(), None)
    };
    thread::scope(|scope| {
        let all: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| documents.get(&notes(), from(1), at(0), slow).is_ok()))
            .collect();
        assert!(all.into_iter().all(|one| one.join().unwrap()));
    });
    assert_eq!(made.load(Ordering::SeqCst), 1);
}

#[test]
fn so_many_calls_and_so_many_who_wait_and_no_more() {
    let documents = ClientDocuments::default();
    let mut state = documents.lock();
    state.waiters = WAITERS;
    state.calls.insert(notes());
    drop(state);
    let never = || unreachable!("it is called past the limit");
    let waits = documents.get(&notes(), from(1), at(0), never);
    assert_eq!(waits, Err(DocumentError::Busy));
    let mut state = documents.lock();
    for n in 1..CALLS {
        state
            .calls
            .insert(url(&format!("https://host{n}.example/c")));
    }
    drop(state);
    let other = url("https://other.example/c");
    assert_eq!(
        documents.get(&other, from(1), at(0), never),
        Err(DocumentError::Busy)
    );
}

#[test]
fn a_call_that_panics_leaves_the_way_open() {
    let documents = ClientDocuments::default();
    let panics = std::panic::AssertUnwindSafe(|| {
        documents.get(&notes(), from(1), at(0), || panic!("a fault of ours"))
    });
    assert!(std::panic::catch_unwind(panics).is_err());
    assert!(calls(&documents, &notes(), 1, says(&notes(), None)));
}

#[test]
fn only_so_many_are_kept() {
    let documents = ClientDocuments::default();
    for n in 0..u64::try_from(KEPT).unwrap() + 20 {
        let url = url(&format!("https://host{n}.example/c"));
        let who = from(u32::try_from(n).unwrap());
        let got = documents.get(&url, who, at(n * 10), || says(&url, Some(24 * 3_600)));
        assert!(got.is_ok(), "{n}");
    }
    assert_eq!(documents.lock().kept.len(), KEPT);
}
