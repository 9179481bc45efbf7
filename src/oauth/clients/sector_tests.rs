use super::*;
use crate::model::GrantType;
use crate::oauth::clients::{Around, edit};
use crate::oauth::testing::{NOW, by, client};

const SECTOR: &str = "https://sector.example/list.json";
const ONE: &str = "https://notes.example/cb";
const TWO: &str = "https://photos.example/cb";

fn around(document: Option<(&str, &[&str])>) -> Around {
    Around {
        sectors: Sectors {
            key: Some(vec![5; 32].into()),
            document: document.map(|(uri, lists)| Document {
                uri: uri.to_owned(),
                lists: lists.iter().map(|&text| text.to_owned()).collect(),
            }),
            allowed: ["home.example".parse().unwrap()].into(),
        },
        ..Around::default()
    }
}

fn wanted(redirects: &[&str], uri: Option<&str>) -> ClientEdit {
    ClientEdit {
        redirect_uris: redirects.iter().map(|&text| text.to_owned()).collect(),
        subject_type: SubjectType::Pairwise,
        sector_identifier_uri: uri.map(str::to_owned),
        ..ClientEdit::of(&client())
    }
}

fn saved(old: Client, wanted: &ClientEdit, around: &Around) -> Result<Client, AdminError> {
    edit(old, wanted, around, &by()).reply
}

fn sector(wanted: &ClientEdit, around: &Around) -> Result<Sector, AdminError> {
    saved(client(), wanted, around).map(|client| *client.sector.unwrap())
}

#[test]
fn core_section_8_1_the_one_host_is_the_sector_and_clients_of_it_agree() {
    let own = sector(
        &wanted(&[ONE, "https://Notes.example:8443/cb"], None),
        &around(None),
    );
    let own = own.unwrap();
    assert_eq!(own.host.as_str(), "notes.example");
    let at = "https://notes.example/list.json";
    let listed = sector(&wanted(&[TWO], Some(at)), &around(Some((at, &[TWO])))).unwrap();
    assert_eq!((&listed.host, &listed.key), (&own.host, &own.key));
    let other = sector(&wanted(&[TWO], None), &around(None)).unwrap();
    assert_ne!(other.key, own.key);
}

#[test]
fn core_section_8_1_where_the_host_is_not_one_the_document_is_needed() {
    for (what, redirects) in [
        ("two hosts", &[ONE, TWO][..]),
        ("loopback", &["http://127.0.0.1/cb"]),
        ("localhost", &["http://localhost/cb"]),
        ("a scheme", &["com.example.notes:/cb"]),
        ("a scheme with a host", &["notes://host/cb"]),
        ("one of the machine", &[ONE, "http://[::1]/cb"]),
    ] {
        let error = sector(&wanted(redirects, None), &around(None));
        assert!(
            matches!(&error, Err(AdminError::Invalid { field, .. }) if *field == URI),
            "{what}: {error:?}"
        );
        let fetched = around(Some((SECTOR, redirects)));
        let made = sector(&wanted(redirects, Some(SECTOR)), &fetched).unwrap();
        assert_eq!(made.host.as_str(), "sector.example", "{what}");
    }
    // Nobody is sent back to a device: it has no host at all.
    let device = ClientEdit {
        grants: [GrantType::DeviceCode].into(),
        ..wanted(&[], None)
    };
    assert!(sector(&device, &around(None)).is_err());
}

#[test]
fn registration_section_5_addresses_and_documents_that_do_not_do() {
    let long = format!("https://sector.example/{}", "x".repeat(2_000));
    for (what, uri, lists) in [
        ("http", "http://sector.example/list", &[ONE][..]),
        ("another scheme", "ftp://sector.example/list", &[ONE]),
        ("no address", "sector.example", &[ONE]),
        ("fragment", "https://sector.example/list#x", &[ONE]),
        ("a name", "https://me@sector.example/list", &[ONE]),
        ("a space", "https://sector.example/l ist", &[ONE]),
        ("too long", &long, &[ONE]),
        ("lists nothing", SECTOR, &[]),
        ("lists another", SECTOR, &[TWO]),
        ("lists a longer one", SECTOR, &["https://notes.example/cb/"]),
        (
            "lists it in other letters",
            SECTOR,
            &["https://NOTES.example/cb"],
        ),
    ] {
        let error = sector(&wanted(&[ONE], Some(uri)), &around(Some((uri, lists))));
        assert!(
            matches!(&error, Err(AdminError::Invalid { field, .. }) if *field == URI),
            "{what}: {error:?}"
        );
    }
    let public = ClientEdit {
        subject_type: SubjectType::Public,
        ..wanted(&[ONE], Some(SECTOR))
    };
    assert!(sector(&public, &around(Some((SECTOR, &[ONE])))).is_err());
    let home = "http://home.example/list";
    let made = sector(&wanted(&[ONE], Some(home)), &around(Some((home, &[ONE]))));
    assert_eq!(made.unwrap().host.as_str(), "home.example");
}

#[test]
fn the_document_is_asked_for_when_the_address_or_a_redirect_uri_is_new() {
    let with = |lists: &[&str]| around(Some((SECTOR, lists)));
    let before = saved(client(), &wanted(&[ONE], Some(SECTOR)), &with(&[ONE])).unwrap();
    let old = Some(&before);
    let (same, more) = (
        wanted(&[ONE], Some(SECTOR)),
        wanted(&[ONE, TWO], Some(SECTOR)),
    );
    assert_eq!(to_fetch(None, &same), Some(SECTOR));
    assert_eq!(to_fetch(Some(&client()), &same), Some(SECTOR));
    assert_eq!(to_fetch(old, &same), None);
    assert_eq!(to_fetch(old, &more), Some(SECTOR));
    assert_eq!(to_fetch(old, &wanted(&[ONE], None)), None);
    let elsewhere = wanted(&[ONE], Some("https://sector.example/other"));
    assert_eq!(
        to_fetch(old, &elsewhere),
        elsewhere.sector_identifier_uri.as_deref()
    );

    // Not fetched, because it was not needed when the change began.
    let raced = saved(before.clone(), &more, &around(None));
    assert_eq!(raced, Err(AdminError::ChangedMeanwhile));
    let another = around(Some(("https://sector.example/other", &[ONE, TWO])));
    assert_eq!(
        saved(before.clone(), &more, &another),
        Err(AdminError::ChangedMeanwhile)
    );
    assert!(saved(before.clone(), &more, &with(&[ONE])).is_err());
    let after = saved(before.clone(), &more, &with(&[TWO, ONE])).unwrap();
    assert_eq!(after.sector, before.sector);
    assert_eq!(after.tokens_not_before, before.tokens_not_before);
}

#[test]
fn core_section_12_2_who_gets_other_names_gets_other_tokens() {
    let own = saved(client(), &wanted(&[ONE], None), &around(None)).unwrap();
    assert!(own.tokens_not_before > NOW);
    let back = ClientEdit {
        subject_type: SubjectType::Public,
        ..ClientEdit::of(&own)
    };
    let old = Client {
        tokens_not_before: Default::default(),
        ..own
    };
    let public = saved(old.clone(), &back, &around(None)).unwrap();
    assert_eq!(public.sector, None);
    assert!(public.tokens_not_before > NOW);
    // A document at the same host gives the same names.
    let at = "https://notes.example/list.json";
    let listed = around(Some((at, &[ONE, TWO])));
    let same = saved(old, &wanted(&[ONE, TWO], Some(at)), &listed).unwrap();
    assert_eq!(same.tokens_not_before, Default::default());
}

#[test]
fn without_the_files_secret_there_is_no_name() {
    let none = Around {
        sectors: Sectors::default(),
        ..around(None)
    };
    assert!(matches!(
        sector(&wanted(&[ONE], None), &none),
        Err(AdminError::Invalid { field: TYPE, .. })
    ));
}
