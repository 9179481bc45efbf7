//! What comes next for the person: sign in, choose, agree, or be sent back. OpenID Connect Core §3.1.2.3 and §3.1.2.4.

use super::request::Request;
use crate::model::{Client, Consent, ConsentPolicy, Session, User};
use crate::oauth::error::AuthorizeError;
use crate::oauth::{protected_resource, standing, subject, target};
use crate::types::{Scope, Timestamp};
use std::time::Duration;

/// Who is signed in.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The person.
    pub user: &'a User,
    /// Their session.
    pub session: &'a Session,
}

/// What this very request has asked of the person so far, proved by seals (`server::pages::interaction`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The person was sent to sign in at that moment, because the request wanted it.
    pub sign_in_since: Option<Timestamp>,
    /// The person chose the account.
    pub chosen: bool,
    /// The person allowed it just now.
    pub allowed: bool,
    /// The `sub` of a valid `id_token_hint`.
    pub hinted: Option<String>,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send an error back.
    Refuse(AuthorizeError),
    /// Show the sign-in page.
    SignIn,
    /// Show the page that asks which account.
    Choose,
    /// Ask for permission: the part of the scope that is new.
    Ask(Scope),
    /// Nothing is missing.
    Issue,
}

impl Step {
    /// Whether it shows a page to the person.
    pub fn is_page(&self) -> bool {
        matches!(self, Self::SignIn | Self::Choose | Self::Ask(_))
    }
}

/// The order of the questions.
pub fn next(
    request: &Request,
    client: &Client,
    subject: Option<Subject<'_>>,
    consent: Option<&Consent>,
    asked: &Asked,
    now: Timestamp,
) -> Step {
    let silent = request.prompt.none;
    let consent = client.standing(consent);
    let page = |page: Step, error: AuthorizeError| if silent { Step::Refuse(error) } else { page };

    let subject = match subject {
        Some(subject) if !must_sign_in(request, client, subject, asked, now) => subject,
        _ => return page(Step::SignIn, AuthorizeError::LoginRequired),
    };
    // Signing in is choosing.
    if request.prompt.select_account && !asked.chosen && !signed_in_for_this(subject, asked) {
        return page(Step::Choose, AuthorizeError::LoginRequired);
    }
    if !acr_is_met(request, subject) {
        return Step::Refuse(AuthorizeError::UnmetAuthentication);
    }
    if !standing::may_use(subject.user, client) {
        return Step::Refuse(AuthorizeError::NotInGroup);
    }
    if !asked.allowed && must_ask(request, client, consent) {
        let known = consent.map(|consent| &consent.scope);
        let new = request
            .asked_scope
            .tokens()
            .filter(|token| known.is_none_or(|known| !known.contains(token)));
        let new: Vec<&str> = new.collect();
        let scope = new.join(" ").parse().unwrap_or_default();
        return page(Step::Ask(scope), AuthorizeError::ConsentRequired);
    }
    Step::Issue
}

fn must_sign_in(
    request: &Request,
    client: &Client,
    subject: Subject<'_>,
    asked: &Asked,
    now: Timestamp,
) -> bool {
    let at = subject.session.authentication.time;
    // `default_max_age`: OpenID Connect Dynamic Client Registration §2.
    let registered = client.registered.as_ref();
    let usual = registered.and_then(|registered| registered.default_max_age);
    let max_age = request
        .max_age
        .or_else(|| usual.map(|seconds| Duration::from_secs(seconds.into())));
    let too_old = max_age.is_some_and(|max_age| !now.is_within(max_age, at) || max_age.is_zero());
    ((request.prompt.login || too_old) && !signed_in_for_this(subject, asked))
        || !is_who_is_meant(request, client, subject, asked)
        // Whatever this request asked for before: its marks do not age.
        || !protected_resource::may_give(&request.scope, &subject.session.authentication, now)
}

/// Sent to the sign-in page by this request, and signed in since.
fn signed_in_for_this(subject: Subject<'_>, asked: &Asked) -> bool {
    let at = subject.session.authentication.time;
    asked.sign_in_since.is_some_and(|since| at >= since)
}

/// The hint's person, and the `sub` that the `claims` parameter wants (OpenID Connect Core §5.5.1).
fn is_who_is_meant(
    request: &Request,
    client: &Client,
    subject: Subject<'_>,
    asked: &Asked,
) -> bool {
    let own = subject::of(subject.user, client);
    let mut wanted = [&request.claims.id_token, &request.claims.userinfo]
        .into_iter()
        .filter_map(|claims| claims.get("sub")?.value.as_ref());
    asked.hinted.as_ref().is_none_or(|hinted| *hinted == own)
        && wanted.all(|sub| sub.as_str() == Some(own.as_str()))
}

/// An `acr` that is called essential must be reached, or the sign-in has failed (OpenID Connect Core §5.5.1.1).
fn acr_is_met(request: &Request, subject: Subject<'_>) -> bool {
    let Some(wish) = request
        .claims
        .id_token
        .get("acr")
        .filter(|wish| wish.essential)
    else {
        return true;
    };
    let acr = subject.session.authentication.acr();
    let mut named = wish
        .value
        .iter()
        .chain(wish.values.iter().flatten())
        .peekable();
    named.peek().is_none() || named.any(|value| value.as_str() == Some(acr))
}

fn must_ask(request: &Request, client: &Client, consent: Option<&Consent>) -> bool {
    if request.prompt.consent {
        return true;
    }
    match client.consent {
        ConsentPolicy::Trusted => false,
        ConsentPolicy::Always => true,
        // RFC 8252 §8.6: any program on the person's device can listen where a native application does.
        ConsentPolicy::Once if is_native(request, client) => true,
        ConsentPolicy::Once => {
            consent.is_none_or(|consent| !request.asked_scope.is_within(&consent.scope))
                || !target::agreed(client, &request.resources, consent)
        }
    }
}

/// Whether the answer goes to a program on the person's device by a way that no name proves.
fn is_native(request: &Request, client: &Client) -> bool {
    let https = request
        .target
        .redirect_uri
        .as_str()
        .get(..8)
        .is_some_and(|start| start.eq_ignore_ascii_case("https://"));
    client.is_native() && !https
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ClientKind, SelfRegistered};
    use crate::oauth::authorize::request::target;
    use crate::oauth::testing::{NOW, client, self_registered, session, user};
    use crate::types::{Form, UserId};

    fn request(extra: &str) -> Request {
        let client = client();
        let form = format!(
            "response_type=code&redirect_uri=https%3A%2F%2Fnotes.example%2Fcb&scope=openid+email&{extra}"
        );
        let form = Form::parse(form.as_bytes()).unwrap();
        Request::parse(target(&client, &form).unwrap(), &client, &form).unwrap()
    }

    fn consent(scope: &str) -> Consent {
        Consent {
            user: user().id,
            client: client().id,
            scope: scope.parse().unwrap(),
            resources: [].into(),
            given: NOW,
        }
    }

    fn step(
        extra: &str,
        signed_in: bool,
        consent: Option<&Consent>,
        asked: &Asked,
        now: Timestamp,
    ) -> Step {
        let (user, session) = (user(), session());
        let subject = signed_in.then_some(Subject {
            user: &user,
            session: &session,
        });
        next(&request(extra), &client(), subject, consent, asked, now)
    }

    /// A thief at a browser that was left open has no password: what the admin pages deny is not had by a token.
    #[test]
    fn the_right_to_administer_is_given_away_only_right_after_a_sign_in() {
        let admins = Client {
            scope: "openid doorlight:read doorlight:write".parse().unwrap(),
            consent: ConsentPolicy::Trusted,
            ..client()
        };
        let step = |scope: &str, extra: &str, asked: &Asked, minutes: u64| {
            let form = format!(
                "response_type=code&redirect_uri=https%3A%2F%2Fnotes.example%2Fcb&scope={scope}{extra}"
            );
            let form = Form::parse(form.as_bytes()).unwrap();
            let request = Request::parse(target(&admins, &form).unwrap(), &admins, &form).unwrap();
            let (user, session) = (user(), session());
            let subject = Some(Subject {
                user: &user,
                session: &session,
            });
            let now = NOW.plus(Duration::from_secs(minutes * 60));
            next(&request, &admins, subject, None, asked, now)
        };
        let nothing = Asked::default();
        assert_eq!(step("doorlight:write", "", &nothing, 15), Step::Issue);
        assert_eq!(step("doorlight:write", "", &nothing, 16), Step::SignIn);
        assert_eq!(
            step("doorlight:write", "&prompt=none", &nothing, 16),
            Step::Refuse(AuthorizeError::LoginRequired)
        );
        // An address of an earlier sign-in for this very request is no sign-in.
        let marked = Asked {
            sign_in_since: Some(NOW),
            ..Asked::default()
        };
        assert_eq!(
            step("doorlight:write", "&prompt=login", &marked, 16),
            Step::SignIn
        );
        assert_eq!(step("openid+doorlight:read", "", &nothing, 16), Step::Issue);
    }

    #[test]
    fn sign_in_then_permission_then_a_code() {
        let nothing = Asked::default();
        assert_eq!(step("", false, None, &nothing, NOW), Step::SignIn);
        assert_eq!(
            step("", true, None, &nothing, NOW),
            Step::Ask("openid email".parse().unwrap())
        );
        assert_eq!(
            step("", true, Some(&consent("openid")), &nothing, NOW),
            Step::Ask("email".parse().unwrap())
        );
        assert_eq!(
            step(
                "",
                true,
                Some(&consent("openid email groups")),
                &nothing,
                NOW
            ),
            Step::Issue
        );
        assert_eq!(
            step(
                "",
                true,
                None,
                &Asked {
                    allowed: true,
                    ..nothing
                },
                NOW
            ),
            Step::Issue
        );
    }

    #[test]
    fn prompt_none_never_shows_a_page() {
        let nothing = Asked::default();
        assert_eq!(
            step("prompt=none", false, None, &nothing, NOW),
            Step::Refuse(AuthorizeError::LoginRequired)
        );
        assert_eq!(
            step("prompt=none", true, None, &nothing, NOW),
            Step::Refuse(AuthorizeError::ConsentRequired)
        );
        assert_eq!(
            step(
                "prompt=none",
                true,
                Some(&consent("openid email")),
                &nothing,
                NOW
            ),
            Step::Issue
        );
        let old = NOW.plus(Duration::from_secs(61));
        let refused = Step::Refuse(AuthorizeError::LoginRequired);
        assert_eq!(
            step(
                "prompt=none&max_age=60",
                true,
                Some(&consent("openid email")),
                &nothing,
                old
            ),
            refused
        );
    }

    #[test]
    fn prompt_login_and_max_age_want_a_sign_in_that_came_after() {
        let agreed = consent("openid email");
        for extra in ["prompt=login", "max_age=0"] {
            assert_eq!(
                step(extra, true, Some(&agreed), &Asked::default(), NOW),
                Step::SignIn,
                "{extra}"
            );
            let before = Asked {
                sign_in_since: Some(NOW.plus(Duration::from_secs(1))),
                ..Asked::default()
            };
            assert_eq!(
                step(extra, true, Some(&agreed), &before, NOW),
                Step::SignIn,
                "{extra}"
            );
            let since = Asked {
                sign_in_since: Some(NOW),
                ..Asked::default()
            };
            assert_eq!(
                step(extra, true, Some(&agreed), &since, NOW),
                Step::Issue,
                "{extra}"
            );
        }
        let young = step(
            "max_age=60",
            true,
            Some(&agreed),
            &Asked::default(),
            NOW.plus(Duration::from_secs(60)),
        );
        assert_eq!(young, Step::Issue);
    }

    #[test]
    fn another_person_than_the_hinted_one_must_sign_in() {
        let agreed = consent("openid email");
        let other = UserId(crate::types::Id::new(NOW, [42; 10]));
        let hinted = |id: UserId| Asked {
            hinted: Some(id.to_string()),
            ..Asked::default()
        };
        assert_eq!(
            step("", true, Some(&agreed), &hinted(user().id), NOW),
            Step::Issue
        );
        assert_eq!(
            step("", true, Some(&agreed), &hinted(other), NOW),
            Step::SignIn
        );
        let claims =
            "claims=%7B%22id_token%22%3A%7B%22sub%22%3A%7B%22value%22%3A%22someone%22%7D%7D%7D";
        assert_eq!(
            step(claims, true, Some(&agreed), &Asked::default(), NOW),
            Step::SignIn
        );
    }

    #[test]
    fn a_claim_asked_for_by_name_is_asked_about_and_never_beyond_the_client() {
        let agreed = consent("openid email");
        let claims =
            "claims=%7B%22userinfo%22%3A%7B%22groups%22%3Anull%2C%22phone_number%22%3Anull%7D%7D";
        let asked = step(claims, true, Some(&agreed), &Asked::default(), NOW);
        assert_eq!(asked, Step::Ask("groups".parse().unwrap()));
        let kept: Vec<String> = request(claims).claims.userinfo.into_keys().collect();
        assert_eq!(kept, ["groups"], "the client may not see phone numbers");
    }

    #[test]
    fn select_account_and_consent_are_asked_even_when_known() {
        let agreed = consent("openid email");
        assert_eq!(
            step(
                "prompt=select_account",
                true,
                Some(&agreed),
                &Asked::default(),
                NOW
            ),
            Step::Choose
        );
        let chosen = Asked {
            chosen: true,
            ..Asked::default()
        };
        assert_eq!(
            step("prompt=select_account", true, Some(&agreed), &chosen, NOW),
            Step::Issue
        );
        assert!(matches!(
            step(
                "prompt=consent",
                true,
                Some(&agreed),
                &Asked::default(),
                NOW
            ),
            Step::Ask(_)
        ));
    }

    #[test]
    fn an_essential_acr_that_is_not_reached_fails() {
        let agreed = consent("openid email");
        let with = |values: &str| {
            let claims =
                format!(r#"{{"id_token":{{"acr":{{"essential":true,"values":[{values}]}}}}}}"#);
            let claims: String = url::form_urlencoded::byte_serialize(claims.as_bytes()).collect();
            step(
                &format!("claims={claims}"),
                true,
                Some(&agreed),
                &Asked::default(),
                NOW,
            )
        };
        assert_eq!(with(r#""1""#), Step::Issue);
        assert_eq!(
            with(r#""9""#),
            Step::Refuse(AuthorizeError::UnmetAuthentication)
        );
    }

    #[test]
    fn a_person_outside_the_groups_is_refused() {
        let closed = Client {
            allowed_groups: ["staff".parse().unwrap()].into(),
            ..client()
        };
        let (user, session) = (user(), session());
        let subject = Some(Subject {
            user: &user,
            session: &session,
        });
        let step = next(&request(""), &closed, subject, None, &Asked::default(), NOW);
        assert_eq!(step, Step::Refuse(AuthorizeError::NotInGroup));
    }

    /// RFC 8252 §8.6: whoever listens on a loopback port is not known to be the application that was agreed to.
    #[test]
    fn a_native_application_is_asked_for_each_time() {
        let (user, session, consent) = (user(), session(), consent("openid email"));
        let subject = Some(Subject {
            user: &user,
            session: &session,
        });
        let native = |redirect_uri: &str| {
            let client = Client {
                kind: ClientKind::Native,
                redirect_uris: vec![redirect_uri.parse().unwrap()],
                ..client()
            };
            let form = Form::default()
                .with("response_type", "code")
                .with("redirect_uri", redirect_uri)
                .with("scope", "openid email");
            let request = Request::parse(target(&client, &form).unwrap(), &client, &form).unwrap();
            next(
                &request,
                &client,
                subject,
                Some(&consent),
                &Asked::default(),
                NOW,
            )
        };
        // Nothing of it is new, and still it is a question.
        let asked = Step::Ask(Scope::default());
        assert_eq!(native("http://127.0.0.1:9/cb"), asked);
        assert_eq!(native("app.notes:/cb"), asked);
        assert_eq!(native("https://notes.example/cb"), Step::Issue);
    }

    fn of_registered(registered: SelfRegistered, consent: &Consent, now: Timestamp) -> Step {
        let (user, session) = (user(), session());
        let subject = Some(Subject {
            user: &user,
            session: &session,
        });
        let client = Client {
            registered: Some(Box::new(registered)),
            ..client()
        };
        let asked = Asked::default();
        next(&request(""), &client, subject, Some(consent), &asked, now)
    }

    /// Whoever could change where an application returns people to could have had their answers sent there unasked.
    #[test]
    fn people_are_asked_again_after_an_application_changed_its_addresses() {
        let agreed = consent("openid email");
        for (from, step) in [
            (Timestamp::default(), Step::Issue),
            (NOW, Step::Issue),
            (NOW.just_after(), Step::Ask("openid email".parse().unwrap())),
        ] {
            let registered = SelfRegistered {
                consents_not_before: from,
                ..self_registered()
            };
            assert_eq!(of_registered(registered, &agreed, NOW), step);
        }
    }

    #[test]
    fn dynamic_registration_section_2_default_max_age_holds_where_a_request_has_none() {
        let agreed = consent("openid email");
        for (default, now, step) in [
            (None, 3_600, Step::Issue),
            (Some(60), 60, Step::Issue),
            (Some(60), 61, Step::SignIn),
            (Some(0), 0, Step::SignIn),
        ] {
            let registered = SelfRegistered {
                default_max_age: default,
                ..self_registered()
            };
            let now = NOW.plus(Duration::from_secs(now));
            assert_eq!(of_registered(registered, &agreed, now), step);
        }
    }
}
