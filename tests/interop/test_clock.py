"""A machine's clock that jumps under the whole server: Debian's libfaketime shows the program another wall clock, which can
be set while it runs, and leaves the machine's own count alone. The rule stands in src/ops/clock.rs."""

import base64
import json
import os
import secrets
import time
from datetime import datetime
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import pytest
import requests
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import OctKey
from server import PASSWORD, REDIRECT, TIMEOUT, Doorlight, Person

LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
pytestmark = pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed")

SCOPE = "openid profile offline_access"
GRANTS = "authorization_code,refresh_token,client_credentials,device_code"
MINUTE, HOUR, DAY = 60, 3_600, 86_400
# Less than the days that are told, which are rounded up.
YEAR = 365 * DAY - HOUR
# The server looks at the clock every 30 seconds at least, where the machine lets it.
SOON = 180


class House(Doorlight):
    """A server on a machine whose clock can be set, two people and two applications."""

    def __init__(self, folder):
        self.clock = folder / "clock"
        self.set(0)
        fake = {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self.clock),
            "FAKETIME_NO_CACHE": "1",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
        }
        env = {k: v for k, v in os.environ.items() if not k.startswith("DOORLIGHT_")}
        super().__init__(folder, env | fake)

    def furnish(self):
        self.wait()
        for name, more in [("ann", []), ("admin", ["--admin"])]:
            args = ["user", "add", name, "--password-stdin", *more]
            self.run(*args, text=f"{PASSWORD}\n")
        args = ["--redirect-uri", REDIRECT, "--grant", GRANTS, "--scope", SCOPE]
        self.app = self.run("client", "add", "App", *args)
        by_mac = ["--grant", "client_credentials", "--auth-method", "client_secret_jwt"]
        self.by_mac = self.run("client", "add", "By MAC", *by_mac)

    def set(self, seconds):
        """The clock goes so much ahead of the real time, or behind it."""
        new = self.clock.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.replace(self.clock)
        self.ahead = seconds

    def restart(self, at=None):
        """The machine is off meanwhile, if the clock is to show another time then."""
        self.stop()
        if at is not None:
            self.set(at)
        self.start()
        self.wait()

    def said(self):
        return self.log.read_text()

    def await_line(self, words, since=0):
        end = time.monotonic() + SOON
        while words not in self.said()[since:]:
            assert time.monotonic() < end, f"no line with {words!r}: {self.said()}"
            time.sleep(0.2)

    def keys(self):
        listed = self.run("keys", "list")
        published = requests.get(f"{self.issuer}/jwks.json", timeout=TIMEOUT).json()["keys"]
        assert {key["kid"] for key in listed} == {key["kid"] for key in published}
        return {key["kid"]: key["state"] for key in listed}

    def kept(self):
        """What a sweep could take away."""
        lines = self.verb("audit", "--limit", "100000").stdout.splitlines()
        events = {json.loads(line)["id"] for line in lines}
        people = [self.run("user", "show", name) for name in ["ann", "admin"]]
        return events, {session["id"] for person in people for session in person["sessions"]}

    def clock_finding(self):
        findings = json.loads(self.verb("doctor").stdout)
        return next(finding for finding in findings if finding["check"] == "clock")

    def doubt_seconds(self):
        samples = self.run("metrics")
        return [one["value"] for one in samples if one["name"] == "doorlight_clock_doubt_seconds"]

    def overview(self):
        with Person("admin") as admin:
            page = admin.open(f"{self.issuer}/admin")
        assert page.status_code == 200 and "Latest events" in page.text, page.text
        return page.text

    def post(self, path, fields, client=None):
        client = client or self.app
        return requests.post(
            f"{self.issuer}{path}",
            data=fields,
            auth=(client["client_id"], client["client_secret"]),
            timeout=TIMEOUT,
        )

    def code(self, person):
        """A code and its verifier."""
        verifier = secrets.token_urlsafe(48)
        query = {
            "response_type": "code",
            "client_id": self.app["client_id"],
            "redirect_uri": REDIRECT,
            "scope": SCOPE,
            "code_challenge": create_s256_code_challenge(verifier),
            "code_challenge_method": "S256",
        }
        to = person.authorize(f"{self.issuer}/authorize?{urlencode(query)}")
        return parse_qs(urlsplit(to).query)["code"][0], verifier

    def redeem(self, code, verifier):
        fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
        return self.post("/token", fields | {"code_verifier": verifier})

    def sign_in(self, person):
        answer = self.redeem(*self.code(person))
        assert answer.status_code == 200, answer.text
        return answer.json()

    def refresh(self, token):
        return self.post("/token", {"grant_type": "refresh_token", "refresh_token": token})

    def userinfo(self, token):
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(f"{self.issuer}/userinfo", headers=headers, timeout=TIMEOUT)

    def by_assertion(self):
        now = int(time.time()) + self.ahead
        client = self.by_mac["client_id"]
        claims = {"iss": client, "sub": client, "aud": self.issuer, "iat": now, "exp": now + 60}
        key = OctKey.import_key(self.by_mac["client_secret"])
        claims["jti"] = secrets.token_urlsafe(16)
        fields = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode({"alg": "HS256"}, claims, key),
        }
        return requests.post(f"{self.issuer}/token", data=fields, timeout=TIMEOUT)


@pytest.fixture
def house(tmp_path):
    house = House(tmp_path)
    try:
        house.furnish()
        yield house
    finally:
        house.stop()


@pytest.fixture
def ann():
    with Person("ann") as person:
        yield person


def assert_doubted(house, words):
    finding = house.clock_finding()
    # While it is behind, applications are refused.
    assert finding["level"] == ("warning" if house.ahead > 0 else "fault"), finding
    assert words in finding["found"] and words in house.overview()
    assert sum(house.doubt_seconds()) == pytest.approx(abs(house.ahead), abs=5 * MINUTE)


def assert_sure(house):
    finding = house.clock_finding()
    assert finding["level"] in ("ok", "note"), finding
    assert "The clock of this machine" not in house.overview()
    assert house.doubt_seconds() == [0, 0]


def refused(answer, error):
    assert answer.status_code in (400, 401), answer.text
    assert answer.json()["error"] == error, answer.text


@pytest.mark.parametrize(
    ("jump", "words"), [(YEAR, "365 days further"), (-YEAR, "gone back by 365 days")]
)
def test_a_year_forwards_or_back_costs_nobody_anything_and_the_administrator_is_told(
    house, ann, jump, words
):
    spent = house.sign_in(ann)["refresh_token"]
    tokens = house.refresh(spent).json()
    assert_sure(house)
    assert house.by_assertion().status_code == 200
    keys, (events, sessions) = house.keys(), house.kept()

    house.set(jump)
    house.await_line(words)
    assert_doubted(house, words)
    # A start doubts it as well: what the file tells is older, and there were only seconds.
    since = len(house.said())
    house.restart()
    house.await_line(words, since)
    assert_doubted(house, words)
    # People come in meanwhile, and keys sign.
    with Person("ann") as again:
        token = house.sign_in(again)["access_token"]
    assert house.userinfo(token).status_code == 200
    # What may be used once is refused only where it may have been used before, in the time that is shown again.
    assert house.by_assertion().status_code == (200 if jump > 0 else 503)
    assert house.keys().keys() == keys.keys()

    since = len(house.said())
    house.set(0)
    assert_sure(house)
    house.await_line("the clock is sure again", since)
    # Two looks later nothing is gone.
    house.restart()
    later_events, later_sessions = house.kept()
    assert events <= later_events and sessions <= later_sessions
    assert house.keys() == keys
    assert house.by_assertion().status_code == 200
    code = house.code(ann)
    assert ann.asked == []
    assert house.redeem(*code).status_code == 200
    fresh = house.refresh(tokens["refresh_token"])
    assert fresh.status_code == 200, fresh.text
    assert house.userinfo(fresh.json()["access_token"]).status_code == 200
    refused(house.refresh(spent), "invalid_grant")


# Back into a time that there was already, and not to before this program.
@pytest.mark.parametrize(
    ("jump", "words"), [(YEAR, "365 days further"), (-90 * DAY, "gone back by 90 days")]
)
@pytest.mark.parametrize("serves", [True, False])
def test_an_administrator_who_knows_that_the_clock_is_right_ends_the_doubt(
    house, ann, jump, words, serves
):
    tokens = house.sign_in(ann)
    house.set(jump)
    assert_doubted(house, words)
    if not serves:
        house.stop()
    trusted = house.run("clock", "trust")
    assert words in trusted["doubted"]
    shown = datetime.fromisoformat(trusted["time"]).timestamp()
    assert shown == pytest.approx(time.time() + jump, abs=MINUTE)
    if not serves:
        house.start()
        house.wait()
    assert_sure(house)
    assert house.by_assertion().status_code == 200
    events = [json.loads(line) for line in house.verb("audit").stdout.splitlines()]
    told = next(event for event in events if event["kind"] == "clock.trusted")
    assert told["actor"] == "command line" and words in told["detail"]
    # The starts to come believe it as well, and a second word is none.
    house.restart()
    assert_sure(house)
    assert house.run("clock", "trust")["doubted"] is None
    # What had its time by this clock is over.
    assert (house.refresh(tokens["refresh_token"]).status_code == 200) == (jump < 0)
    # A clock that nobody ever set is no time that anybody means.
    house.set(-40 * YEAR)
    answer = house.verb("clock", "trust")
    assert answer.returncode == 1 and "never set" in answer.stderr


def test_what_was_used_up_or_had_its_time_does_not_live_again_when_the_clock_goes_back(house, ann):
    code, used = house.code(ann), house.code(ann)
    assert house.redeem(*used).status_code == 200
    ended = house.sign_in(ann)
    answer = house.post("/revoke", {"token": ended["refresh_token"]})
    assert answer.status_code == 200
    spent = house.sign_in(ann)["refresh_token"]
    leaf = house.refresh(spent).json()
    device = house.post("/device_authorization", {"scope": "openid"}).json()
    waits = {
        "grant_type": "urn:ietf:params:oauth:grant-type:device_code",
        "device_code": device["device_code"],
    }
    refused(house.post("/token", waits), "authorization_pending")

    house.restart(at=40 * MINUTE)
    assert_sure(house)
    refused(house.redeem(*code), "invalid_grant")
    refused(house.post("/token", waits), "expired_token")

    house.set(-HOUR)
    assert house.clock_finding()["level"] == "fault"
    refused(house.redeem(*code), "invalid_grant")
    refused(house.post("/token", waits), "expired_token")
    assert house.userinfo(ended["access_token"]).status_code == 401
    refused(house.refresh(ended["refresh_token"]), "invalid_grant")
    # Used long before, and no answer that was lost: somebody else has it.
    refused(house.refresh(spent), "invalid_grant")
    refused(house.refresh(leaf["refresh_token"]), "invalid_grant")
    refused(house.redeem(*used), "invalid_grant")
    # Without a server, what a start would doubt.
    house.stop()
    assert house.clock_finding()["level"] == "fault"
    house.set(45 * MINUTE)
    assert house.clock_finding()["level"] in ("ok", "note")


def test_guesses_while_the_clock_was_ahead_lock_nobody_out_when_it_is_right_again(house, ann):
    def guess():
        with Person("ann") as stranger:
            page = stranger.get(f"{house.issuer}/admin")
            while page.is_redirect:
                page = stranger.get(urljoin(page.url, page.headers["location"]))
            return stranger.submit(page, "password", {"username": "ann", "password": "wrong"})

    house.set(YEAR)
    while (answer := guess()).status_code != 429:
        pass
    house.set(0)
    answer = guess()
    assert answer.status_code == 429
    # The longest delay is a minute, and there were few guesses.
    wait = int(answer.headers["retry-after"])
    assert 0 < wait <= MINUTE
    time.sleep(wait)
    house.code(ann)
    assert ann.asked[0] == "password"


@pytest.mark.parametrize("jump", [YEAR, -YEAR])
def test_a_reset_while_the_clock_is_wrong_shuts_out_who_was_in_and_not_the_owner(house, ann, jump):
    before = house.sign_in(ann)
    house.set(jump)
    with Person("ann") as thief:
        meanwhile = house.sign_in(thief)
        house.run("user", "passwd", "ann", "--password-stdin", text=f"{PASSWORD}\n")

        def assert_shut_out():
            for tokens in [before, meanwhile]:
                refused(house.refresh(tokens["refresh_token"]), "invalid_grant")
                assert house.userinfo(tokens["access_token"]).status_code == 401
            for browser in [ann, thief]:
                page = browser.get(f"{house.issuer}/admin")
                assert page.is_redirect and "login" in page.headers["location"], page.text

        def assert_lets_the_owner_in():
            with Person("ann") as owner:
                tokens = house.sign_in(owner)
                assert house.userinfo(tokens["access_token"]).status_code == 200
                assert house.refresh(tokens["refresh_token"]).status_code == 200

        assert_shut_out()
        assert_lets_the_owner_in()
        house.set(0)
        assert_shut_out()
        assert_lets_the_owner_in()


def test_a_key_that_is_made_while_the_clock_is_ahead_signs_on_when_it_is_right(house, ann):
    old = house.keys()
    house.set(YEAR)
    house.run("keys", "rotate")
    house.set(0)
    keys = house.keys()
    assert [keys[kid] for kid in old] == ["retired", "retired"], keys
    token = house.sign_in(ann)["id_token"]
    signed = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    assert keys[signed["kid"]] == "signing" and signed["kid"] not in old


def test_time_that_passes_is_no_doubt_and_keys_and_tokens_have_theirs(house, ann):
    old = house.sign_in(ann)["refresh_token"]
    first = house.keys()
    assert set(first.values()) == {"signing"}
    seen = set(first)
    for day in range(14, 127, 14):
        house.restart(at=day * DAY)
        keys = house.keys()
        seen |= keys.keys()
        if day < 89:
            assert keys == first, day
        assert len([kid for kid in keys if keys[kid] == "signing"]) == 2, (day, keys)
    assert "The clock of this machine" not in house.said()
    # Each had one successor, and went.
    assert len(seen) == 4 and not set(first) & house.keys().keys()
    refused(house.refresh(old), "invalid_grant")
    house.code(ann)
    assert ann.asked == ["password"]
    # And a jump back to the beginning brings nothing back.
    keys = house.keys()
    house.set(0)
    assert house.clock_finding()["level"] == "fault"
    refused(house.refresh(old), "invalid_grant")
    house.restart()
    assert house.keys().keys() == keys.keys()
