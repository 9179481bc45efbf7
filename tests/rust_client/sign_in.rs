//! The `openidconnect` crate: discovery, code flow, userinfo, refresh, dynamic registration.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on panics"
)]

use doorlight_rust_client::wire;
use doorlight_rust_client::world::{Browser, REDIRECT, World};
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreClientRegistrationRequest, CoreErrorResponseType,
    CoreProviderMetadata, CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::registration::EmptyAdditionalClientMetadata;
use openidconnect::{
    AccessToken, AccessTokenHash, AuthorizationCode, ClientId, ClientSecret, CsrfToken, IssuerUrl,
    Nonce, OAuth2TokenResponse, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl,
    RequestTokenError, Scope, TokenResponse,
};
use url::Url;

fn discover(world: &World) -> CoreProviderMetadata {
    let issuer = IssuerUrl::new(world.issuer()).unwrap();
    CoreProviderMetadata::discover(&issuer, &wire(world)).unwrap()
}

fn redirect() -> RedirectUrl {
    RedirectUrl::new(REDIRECT.to_owned()).unwrap()
}

/// The client of an application, as the crate makes it of the discovery document.
macro_rules! client {
    ($world:expr, $id:expr, $secret:expr) => {
        CoreClient::from_provider_metadata(discover($world), $id, $secret)
            .set_redirect_uri(redirect())
    };
}

/// What an authorization request is checked against when it comes back.
struct Asked {
    url: Url,
    state: CsrfToken,
    nonce: Nonce,
    verifier: PkceCodeVerifier,
}

macro_rules! ask {
    ($client:expr, $scopes:expr) => {{
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let flow = CoreAuthenticationFlow::AuthorizationCode;
        let (url, state, nonce) = $client
            .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
            .add_scopes($scopes.map(|scope: &str| Scope::new(scope.to_owned())))
            .set_pkce_challenge(challenge)
            .url();
        Asked {
            url,
            state,
            nonce,
            verifier,
        }
    }};
}

/// Goes there as the person, who says yes where asked; answers the code.
fn allow(browser: &mut Browser<'_>, asked: &Asked) -> AuthorizationCode {
    let target = format!("{}?{}", asked.url.path(), asked.url.query().unwrap());
    let mut page = browser.get(&target);
    if page.status == 200 {
        page = browser.submit(&page, "/consent", &[("decision", "allow")]);
    }
    assert_eq!(page.parameter("state").as_ref(), Some(asked.state.secret()));
    AuthorizationCode::new(page.parameter("code").unwrap())
}

/// The ID token, by its signature, issuer, audience, times, nonce and `at_hash`; answers the subject.
macro_rules! verified {
    ($client:expr, $tokens:expr, $nonce:expr) => {{
        let tokens: &CoreTokenResponse = $tokens;
        let verifier = $client.id_token_verifier();
        let id_token = tokens.id_token().unwrap();
        let claims = id_token.claims(&verifier, $nonce).unwrap();
        let alg = id_token.signing_alg().unwrap();
        let key = id_token.signing_key(&verifier).unwrap();
        let hash = AccessTokenHash::from_token(tokens.access_token(), alg, key).unwrap();
        assert_eq!(Some(&hash), claims.access_token_hash());
        claims.subject().clone()
    }};
}

#[test]
fn code_flow_with_pkce_nonce_userinfo_and_refresh() {
    for alg in ["RS256", "ES256"] {
        let world = World::started();
        world.user("alice");
        let scope = "openid email offline_access";
        let settings = [
            "--redirect-uri",
            REDIRECT,
            "--id-token-alg",
            alg,
            "--scope",
            scope,
        ];
        let grants = ["--grant", "authorization_code,refresh_token"];
        let made = world.client("Notes", &[settings.as_slice(), &grants].concat());
        let secret = Some(ClientSecret::new(made.secret));
        let client = client!(&world, ClientId::new(made.id), secret);
        let asked = ask!(client, ["email", "offline_access"]);
        let code = allow(&mut world.sign_in("alice"), &asked);
        let http = wire(&world);
        let exchange = client.exchange_code(code.clone()).unwrap();
        let tokens = exchange
            .set_pkce_verifier(asked.verifier)
            .request(&http)
            .unwrap();
        let subject = verified!(client, &tokens, &asked.nonce);
        let other = Nonce::new_random();
        let foreign = tokens.id_token().unwrap();
        assert!(foreign.claims(&client.id_token_verifier(), &other).is_err());

        let asked_for = Some(subject.clone());
        let request = client.user_info(tokens.access_token().clone(), asked_for);
        let info: CoreUserInfoClaims = request.unwrap().request(&http).unwrap();
        assert_eq!(info.subject(), &subject);
        assert!(info.email().is_some());

        let refresh = tokens.refresh_token().unwrap();
        let request = client.exchange_refresh_token(refresh).unwrap();
        let fresh = request.request(&http).unwrap();
        assert_ne!(
            fresh.access_token().secret(),
            tokens.access_token().secret()
        );
        let renewed = fresh.id_token().unwrap();
        let no_nonce = |_: Option<&Nonce>| Ok(());
        let claims = renewed
            .claims(&client.id_token_verifier(), no_nonce)
            .unwrap();
        assert_eq!(claims.subject(), &subject);

        match client.exchange_code(code).unwrap().request(&http) {
            Err(RequestTokenError::ServerResponse(error)) => {
                assert_eq!(error.error(), &CoreErrorResponseType::InvalidGrant);
            }
            other => panic!("a code was good twice: {other:?}"),
        }
    }
}

#[test]
fn it_registers_itself_and_signs_a_person_in() {
    let world = World::started();
    world.user("alice");
    assert!(discover(&world).registration_endpoint().is_none());
    world.verb(&["registration", "token"], "");
    let made = world.verb(&["registration", "add-token"], "");
    let initial = made["token"].as_str().unwrap();
    let endpoint = discover(&world).registration_endpoint().cloned().unwrap();
    let request = || {
        let initial = Some(AccessToken::new(initial.to_owned()));
        CoreClientRegistrationRequest::new(vec![redirect()], EmptyAdditionalClientMetadata {})
            .set_initial_access_token(initial)
    };
    let http = wire(&world);
    let registered = request().register(&endpoint, &http).unwrap();
    let secret = registered.client_secret().cloned();
    assert!(secret.is_some());
    let client = client!(&world, registered.client_id().clone(), secret);
    let asked = ask!(client, ["email"]);
    let code = allow(&mut world.sign_in("alice"), &asked);
    let exchange = client.exchange_code(code).unwrap();
    let tokens = exchange
        .set_pkce_verifier(asked.verifier)
        .request(&http)
        .unwrap();
    let subject = verified!(client, &tokens, &asked.nonce);
    assert!(!subject.is_empty());
    assert!(
        request().register(&endpoint, &http).is_err(),
        "a token was good twice"
    );
}
