"""Python's usual libraries: requests by hand, and Authlib with all that it checks; secrets and keys, plain and signed
requests."""

import json
import secrets
import time
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session, OAuthError
from authlib.oauth2.rfc6749 import MismatchingStateException
from authlib.oauth2.rfc7523 import (
    ClientSecretJWT,
    PrivateKeyJWT,
    client_secret_jwt_sign,
    private_key_jwt_sign,
)
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken, UserInfo
from joserfc import jwt
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey, KeySet, OctKey, OKPKey, RSAKey
from server import PASSWORD, REDIRECT, TIMEOUT, Doorlight, Person

SCOPE = "openid profile email groups offline_access"


@pytest.fixture(scope="module")
def doorlight(tmp_path_factory):
    server = Doorlight(tmp_path_factory.mktemp("doorlight"))
    try:
        server.wait()
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def person(doorlight):
    args = ["ann", "--email", "ann@example.com", "--group", "staff", "--password-stdin"]
    return doorlight.run("user", "add", *args, text=f"{PASSWORD}\n")


@pytest.fixture(scope="module")
def metadata(doorlight):
    url = f"{doorlight.issuer}/.well-known/openid-configuration"
    answer = requests.get(url, timeout=TIMEOUT)
    answer.raise_for_status()
    return answer.json()


@pytest.fixture(scope="module")
def keys(metadata):
    return KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=TIMEOUT).json())


@pytest.fixture(scope="module", params=["RS256", "ES256"])
def app(doorlight, request):
    return doorlight.run(
        *["client", "add", f"App {request.param}", "--redirect-uri", REDIRECT],
        *["--grant", "authorization_code,refresh_token,client_credentials", "--scope", SCOPE],
        *["--id-token-alg", request.param],
    )


def authorize(url):
    """Signs in and allows, as the person would; answers the address that Doorlight returns to."""
    with Person("ann") as person:
        return person.authorize(url)


def session_of(app, method="client_secret_basic"):
    return OAuth2Session(
        app["client_id"],
        app["client_secret"],
        token_endpoint_auth_method=method,
        scope=SCOPE,
        redirect_uri=REDIRECT,
        code_challenge_method="S256",
        default_timeout=TIMEOUT,
    )


def sign_in(client, metadata):
    """Code flow with PKCE and nonce; answers the tokens and the nonce."""
    nonce, verifier = secrets.token_urlsafe(16), secrets.token_urlsafe(48)
    url, state = client.create_authorization_url(
        metadata["authorization_endpoint"], nonce=nonce, code_verifier=verifier
    )
    assert create_s256_code_challenge(verifier) in url
    returned = authorize(url)
    assert parse_qs(urlsplit(returned).query)["iss"] == [metadata["issuer"]]
    token = client.fetch_token(
        metadata["token_endpoint"],
        authorization_response=returned,
        state=state,
        code_verifier=verifier,
    )
    return token, nonce


def post_credentials(metadata, app, **more):
    fields = {
        "grant_type": "client_credentials",
        "client_id": app["client_id"],
        "client_secret": app["client_secret"],
    }
    return requests.post(metadata["token_endpoint"], data=fields | more, timeout=TIMEOUT)


def test_client_credentials_in_the_form(metadata, app):
    answer = post_credentials(metadata, app)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    token = answer.json()
    assert token["token_type"].lower() == "bearer"
    assert token["expires_in"] > 0
    assert "refresh_token" not in token and "id_token" not in token


def test_a_wrong_secret_in_the_form_is_an_invalid_client(metadata, app):
    answer = post_credentials(metadata, app, client_secret="wrong")
    assert answer.status_code == 401, answer.text
    assert answer.json()["error"] == "invalid_client"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_code_flow_with_pkce_and_the_id_token(metadata, keys, person, app, method):
    with session_of(app, method) as client:
        token, nonce = sign_in(client, metadata)
    algorithms = metadata["id_token_signing_alg_values_supported"]
    decoded = jwt.decode(token["id_token"], keys, algorithms=algorithms)
    assert decoded.header["alg"] == app["id_token_alg"]
    claims = CodeIDToken(
        decoded.claims,
        decoded.header,
        options={
            "iss": {"essential": True, "value": metadata["issuer"]},
            "aud": {"essential": True, "value": app["client_id"]},
            "sub": {"essential": True, "value": person["id"]},
        },
        params={
            "nonce": nonce,
            "client_id": app["client_id"],
            "access_token": token["access_token"],
        },
    )
    claims.validate()
    assert claims["nonce"] == nonce


def test_an_altered_id_token_is_refused(metadata, keys, person, app):
    with session_of(app) as client:
        token, _ = sign_in(client, metadata)
    header, payload, signature = token["id_token"].split(".")
    middle = len(signature) // 2
    other = "A" if signature[middle] != "A" else "B"
    bent = f"{signature[:middle]}{other}{signature[middle + 1:]}"
    with pytest.raises(BadSignatureError):
        jwt.decode(f"{header}.{payload}.{bent}", keys, algorithms=["RS256", "ES256"])


def test_userinfo_refresh_introspection_and_revocation(metadata, person, app):
    with session_of(app) as client:
        token, _ = sign_in(client, metadata)
        info = UserInfo(client.get(metadata["userinfo_endpoint"]).json())
        assert info.sub == person["id"]
        assert info.email == "ann@example.com"
        assert info["groups"] == ["staff"]

        fresh = client.refresh_token(metadata["token_endpoint"], token["refresh_token"])
        assert fresh["access_token"] != token["access_token"]

        introspection = metadata["introspection_endpoint"]
        said = client.introspect_token(introspection, token=fresh["access_token"]).json()
        assert said["active"] is True and said["sub"] == person["id"]
        answer = client.revoke_token(
            metadata["revocation_endpoint"], fresh["refresh_token"], "refresh_token"
        )
        assert answer.status_code == 200, answer.text
        with pytest.raises(OAuthError, match="invalid_grant"):
            client.refresh_token(metadata["token_endpoint"], fresh["refresh_token"])
        said = client.introspect_token(introspection, token=fresh["access_token"]).json()
        assert said == {"active": False}


def test_a_foreign_state_is_noticed(metadata, person, app):
    with session_of(app) as client:
        url, _ = client.create_authorization_url(
            metadata["authorization_endpoint"], code_verifier=secrets.token_urlsafe(48)
        )
        with pytest.raises(MismatchingStateException):
            client.fetch_token(
                metadata["token_endpoint"],
                authorization_response=authorize(url),
                state="another",
            )


@pytest.fixture(scope="module")
def own_keys():
    """The keys of an application, by the algorithm that it signs with."""
    named = {name: {"kid": name, "use": "sig"} for name in ["RS256", "PS256", "ES256", "EdDSA"]}
    return {
        "RS256": RSAKey.generate_key(2048, named["RS256"]),
        "PS256": RSAKey.generate_key(2048, named["PS256"]),
        "ES256": ECKey.generate_key("P-256", named["ES256"]),
        "EdDSA": OKPKey.generate_key("Ed25519", named["EdDSA"]),
    }


@pytest.fixture(scope="module")
def signer(doorlight, own_keys, tmp_path_factory):
    """An application that has no secret."""
    file = tmp_path_factory.mktemp("signer") / "jwks.json"
    public = [key.as_dict(private=False) for key in own_keys.values()]
    file.write_text(json.dumps({"keys": public}))
    return doorlight.run(
        *["client", "add", "Signer", "--redirect-uri", REDIRECT, "--scope", SCOPE],
        *["--grant", "authorization_code,refresh_token,client_credentials"],
        *["--auth-method", "private_key_jwt", "--jwks-file", file],
    )


class ShortPrivateKeyJWT(PrivateKeyJWT):
    """Authlib's assertions last for an hour, which no setting changes; Doorlight takes five minutes."""

    def sign(self, auth, token_endpoint):
        return private_key_jwt_sign(
            *[auth.client_secret, auth.client_id, token_endpoint],
            alg=self.alg,
            header={"kid": auth.client_secret.kid},
            expires_in=60,
        )


class ShortClientSecretJWT(ClientSecretJWT):
    """As above."""

    def sign(self, auth, token_endpoint):
        return client_secret_jwt_sign(
            *[OctKey.import_key(auth.client_secret), auth.client_id, token_endpoint],
            expires_in=60,
        )


def session_by_key(signer, metadata, key, algorithm, way=ShortPrivateKeyJWT):
    """Authlib signs an assertion for the token endpoint at each request."""
    client = session_of(signer | {"client_secret": key}, "private_key_jwt")
    client.register_client_auth_method(way(metadata["token_endpoint"], alg=algorithm))
    return client


def signed_request(signer, metadata, key, algorithm, **parameters):
    """An authorization request as an object (RFC 9101 section 4), in an address."""
    now = int(time.time())
    claims = {
        "iss": signer["client_id"],
        "aud": metadata["issuer"],
        "nbf": now,
        "exp": now + 60,
        "client_id": signer["client_id"],
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": SCOPE,
    } | parameters
    header = {"alg": algorithm, "kid": key.kid, "typ": "oauth-authz-req+jwt"}
    outside = {
        "client_id": signer["client_id"],
        "response_type": "code",
        "scope": "openid",
        "request": jwt.encode(header, claims, key, algorithms=[algorithm]),
    }
    return f"{metadata['authorization_endpoint']}?{urlencode(outside)}"


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_private_key_jwt_at_the_token_endpoint(
    metadata, keys, person, signer, own_keys, algorithm
):
    with session_by_key(signer, metadata, own_keys[algorithm], algorithm) as client:
        token, nonce = sign_in(client, metadata)
        claims = jwt.decode(token["id_token"], keys, algorithms=["RS256", "ES256"]).claims
        assert claims["nonce"] == nonce and claims["sub"] == person["id"]
        fresh = client.refresh_token(metadata["token_endpoint"], token["refresh_token"])
        assert fresh["access_token"] != token["access_token"]
        own = client.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")
        assert own["access_token"]


def test_a_key_that_is_not_registered_is_an_invalid_client(metadata, signer, own_keys):
    stranger = ECKey.generate_key("P-256", {"kid": own_keys["ES256"].kid})
    with session_by_key(signer, metadata, stranger, "ES256") as client:
        with pytest.raises(OAuthError, match="invalid_client"):
            client.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")


def test_an_assertion_that_lasts_for_an_hour_is_an_invalid_client(metadata, signer, own_keys):
    with session_by_key(signer, metadata, own_keys["ES256"], "ES256", PrivateKeyJWT) as client:
        with pytest.raises(OAuthError, match="invalid_client"):
            client.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")


def test_client_secret_jwt_at_the_token_endpoint(doorlight, metadata):
    made = doorlight.run(
        *["client", "add", "By MAC", "--grant", "client_credentials"],
        *["--auth-method", "client_secret_jwt", "--scope", SCOPE],
    )
    with session_of(made, "client_secret_jwt") as client:
        client.register_client_auth_method(ShortClientSecretJWT(metadata["token_endpoint"]))
        assert client.fetch_token(metadata["token_endpoint"], grant_type="client_credentials")


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_signed_request_through_a_whole_code_flow(
    metadata, keys, person, signer, own_keys, algorithm
):
    key = own_keys[algorithm]
    state, nonce, verifier = (secrets.token_urlsafe(48) for _ in range(3))
    url = signed_request(
        *[signer, metadata, key, algorithm],
        state=state,
        nonce=nonce,
        code_challenge=create_s256_code_challenge(verifier),
        code_challenge_method="S256",
    )
    with session_by_key(signer, metadata, key, algorithm) as client:
        token = client.fetch_token(
            metadata["token_endpoint"],
            authorization_response=authorize(url),
            state=state,
            code_verifier=verifier,
        )
        claims = jwt.decode(token["id_token"], keys, algorithms=["RS256", "ES256"]).claims
        assert claims["nonce"] == nonce and claims["sub"] == person["id"]
        # The scope inside counts, not the one outside.
        assert set(token["scope"].split()) == set(SCOPE.split())
        assert client.get(metadata["userinfo_endpoint"]).json()["email"] == "ann@example.com"


def test_an_altered_signed_request_is_refused(metadata, signer, own_keys):
    url = signed_request(signer, metadata, own_keys["ES256"], "ES256", state="inside")
    other = signed_request(signer, metadata, own_keys["ES256"], "ES256", state="other")
    bent = url.rpartition(".")[0] + "." + other.rpartition(".")[2]
    answer = requests.get(
        f"{bent}&{urlencode({'redirect_uri': REDIRECT, 'state': 'outside'})}",
        allow_redirects=False,
        timeout=TIMEOUT,
    )
    returned = parse_qs(urlsplit(answer.headers["location"]).query)
    assert returned["error"] == ["invalid_request_object"]
    assert returned["state"] == ["outside"]
