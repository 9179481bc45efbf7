"""Python's usual clients: requests for a service, Authlib for a sign-in."""

import html
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import time
import urllib.parse

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from joserfc import jwt
from joserfc.jwk import KeySet

ROOT = pathlib.Path(__file__).parents[2]
BINARY = os.environ.get("DOORLIGHT_BIN", str(ROOT / "target/debug/doorlight"))
PASSWORD = "correct horse battery staple"
REDIRECT = "https://app.example/callback"


class Doorlight:
    """A real server on a free loopback port with an empty data file."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.issuer = f"http://127.0.0.1:{port}"
        self.flags = ["--data", str(folder / "doorlight.redb"), "--issuer", self.issuer]
        self.environment = {k: v for k, v in os.environ.items() if not k.startswith("DOORLIGHT_")}
        listen = ["--listen", f"127.0.0.1:{port}"]
        self.process = subprocess.Popen([BINARY, "serve", *self.flags, *listen], env=self.environment)
        for _ in range(600):
            try:
                if requests.get(f"{self.issuer}/readyz", timeout=5).ok:
                    return
            except requests.ConnectionError:
                pass
            time.sleep(0.05)
        raise RuntimeError("Doorlight did not become ready")

    def verb(self, *words, stdin=""):
        done = subprocess.run(
            [BINARY, *words, *self.flags, "--json"], input=stdin, env=self.environment, text=True,
            capture_output=True, check=True,
        )
        return json.loads(done.stdout)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(timeout=20) == 0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    doorlight = Doorlight(tmp_path_factory.mktemp("doorlight"))
    doorlight.verb("user", "add", "alice", "--email", "alice@example.org", "--password-stdin", stdin=PASSWORD)
    yield doorlight
    doorlight.stop()


def test_requests_posts_client_credentials_with_id_and_secret_in_the_form(server):
    client = server.verb("client", "add", "Backup", "--grant", "client_credentials", "--scope", "backup:run")
    answer = requests.post(f"{server.issuer}/token", timeout=30, data={
        "grant_type": "client_credentials",
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
    })
    assert answer.status_code == 200
    assert answer.json()["scope"] == "backup:run"
    assert "refresh_token" not in answer.json()


def form_to(page, path):
    form = re.search(rf'<form[^>]*action="{path}"[^>]*>(.*?)</form>', page, re.S)
    if not form:
        return None
    fields = {}
    for tag in re.findall(r"<input[^>]*>", form.group(1)):
        attributes = {name: html.unescape(value) for name, value in re.findall(r'(\w+)="([^"]*)"', tag)}
        if attributes.get("type") == "hidden":
            fields[attributes["name"]] = attributes["value"]
    return fields


def sign_in(server, address):
    browser = requests.Session()
    page = browser.get(address, timeout=30)
    fields = form_to(page.text, "/login") | {"username": "alice", "password": PASSWORD}
    page = browser.post(f"{server.issuer}/login", data=fields, timeout=30)
    fields = form_to(page.text, "/consent") | {"decision": "allow"}
    back = browser.post(f"{server.issuer}/consent", data=fields, timeout=30, allow_redirects=False)
    return back.headers["Location"]


def test_authlib_signs_in_with_code_and_pkce(server):
    client = server.verb("client", "add", "Notebook", "--redirect-uri", REDIRECT)
    metadata = requests.get(f"{server.issuer}/.well-known/openid-configuration", timeout=30).json()
    session = OAuth2Session(
        client["client_id"], client["client_secret"], scope="openid email", redirect_uri=REDIRECT,
        code_challenge_method="S256",
    )
    verifier = "v" * 64
    address, state = session.create_authorization_url(
        metadata["authorization_endpoint"], code_verifier=verifier, nonce="n-1",
    )
    back = sign_in(server, address)
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["iss"] == [server.issuer]
    token = session.fetch_token(
        metadata["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier,
    )
    keys = JsonWebKey.import_key_set(requests.get(metadata["jwks_uri"], timeout=30).json())
    claims = jwt.decode(token["id_token"], keys, claims_options={
        "iss": {"essential": True, "value": server.issuer},
        "aud": {"essential": True, "value": client["client_id"]},
        "nonce": {"essential": True, "value": "n-1"},
    })
    claims.validate()
    info = session.get(metadata["userinfo_endpoint"], timeout=30).json()
    assert info["sub"] == claims["sub"]
    assert info["email"] == "alice@example.org"
