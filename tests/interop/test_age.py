"""Encrypted backups and other programs of the age format: pyrage (the Rust implementation), and age (the Go one) where it
is installed. What Doorlight encrypts they open, and the other way round."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pyrage
import pytest

HERE = Path(__file__).resolve().parent
BIN = (HERE / os.environ.get("DOORLIGHT_BIN", "../../target/debug/doorlight")).resolve()
PASSPHRASE = "nine geese cross the frozen canal"
# The work of a passphrase takes a debug build seconds, and a slow machine several times as long.
TIMEOUT = 300


class House:
    """A data file with one person in it."""

    def __init__(self, folder):
        self.folder = folder
        self.data = folder / "doorlight.redb"
        self.verb("user", "add", "anna", "--no-password")

    def run(self, *args, data=None):
        env = {k: v for k, v in os.environ.items() if not k.startswith("DOORLIGHT_")}
        return subprocess.run(
            [BIN, "--data", data or self.data, "--json", *args],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            env=env,
        )

    def verb(self, *args, data=None):
        done = self.run(*args, data=data)
        assert done.returncode == 0, done.stderr.decode()
        return json.loads(done.stdout)

    def put(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def plain(self):
        path = self.folder / "plain.redb"
        self.verb("backup", path)
        return path

    def is_whole(self, path, *key):
        found = self.verb("verify", path, *key)
        return found["whole"] and found["checksums"] and found["people"] == 1


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


@pytest.fixture(scope="module")
def age():
    """Runs the public tool."""
    if not shutil.which("age") or not shutil.which("age-keygen"):
        pytest.skip("age is not installed")

    def run(*args):
        subprocess.run(args, stdin=subprocess.DEVNULL, check=True, capture_output=True, timeout=TIMEOUT)

    return run


def test_pyrage_opens_what_is_encrypted_to_keys(house):
    people = [pyrage.x25519.Identity.generate() for _ in range(3)]
    recipients = house.put("list", "".join(f"{one.to_public()}\n" for one in people[1:]))
    made = house.folder / "made.age"
    house.verb("backup", made, "--recipient", str(people[0].to_public()), "--recipients-file", recipients)
    for person in people:
        opened = house.put("opened.redb", pyrage.decrypt(made.read_bytes(), [person]))
        assert house.is_whole(opened)
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(made.read_bytes(), [pyrage.x25519.Identity.generate()])


def test_pyrage_opens_what_is_encrypted_with_a_passphrase(house):
    made = house.folder / "made.age"
    house.verb("backup", made, "--passphrase-file", house.put("passphrase", PASSPHRASE + "\n"))
    opened = house.put("opened.redb", pyrage.passphrase.decrypt(made.read_bytes(), PASSPHRASE))
    assert house.is_whole(opened)


def test_what_pyrage_encrypted_to_keys_is_checked_and_taken_into_use(house):
    own, other = (pyrage.x25519.Identity.generate() for _ in range(2))
    public = [other.to_public(), own.to_public()]
    made = house.put("made.age", pyrage.encrypt(house.plain().read_bytes(), public))
    key = house.put("key", f"# a key\n{own}\n")
    assert house.is_whole(made, "--identity", key)
    new = house.folder / "new.redb"
    assert house.verb("restore", made, "--identity", key, data=new)["people"] == 1
    assert house.verb("user", "list", data=new)[0]["username"] == "anna"
    armored = house.put("armored.age", pyrage.encrypt(house.plain().read_bytes(), public, armored=True))
    refused = house.run("verify", armored, "--identity", key)
    assert refused.returncode == 1 and b"without --armor" in refused.stderr


def test_what_pyrage_encrypted_with_a_passphrase_opens_or_asks_for_too_much(house):
    """It measures the machine and takes more work on a fast one than is done here for a stranger's file."""
    sealed = pyrage.passphrase.encrypt(house.plain().read_bytes(), PASSPHRASE)
    made = house.put("made.age", sealed)
    work = int(sealed.split(b"\n")[1].split(b" ")[-1])
    passphrase = house.put("passphrase", PASSPHRASE)
    if work <= 18:
        assert house.is_whole(made, "--passphrase-file", passphrase)
    else:
        refused = house.run("verify", made, "--passphrase-file", passphrase)
        assert refused.returncode == 1 and b"too much work" in refused.stderr


def test_age_opens_what_is_encrypted_to_a_key_that_it_made(house, age):
    key = house.folder / "key"
    age("age-keygen", "-o", key)
    public = next(line for line in key.read_text().splitlines() if "public key" in line).split()[-1]
    made = house.folder / "made.age"
    house.verb("backup", made, "--recipient", public)
    assert house.is_whole(made, "--identity", key)
    opened = house.folder / "opened.redb"
    age("age", "--decrypt", "-i", key, "-o", opened, made)
    assert house.is_whole(opened)


def test_what_age_encrypted_to_a_key_is_checked_and_taken_into_use(house, age):
    key = house.folder / "key"
    age("age-keygen", "-o", key)
    public = next(line for line in key.read_text().splitlines() if "public key" in line).split()[-1]
    made = house.folder / "made.age"
    age("age", "-r", public, "-o", made, house.plain())
    assert house.is_whole(made, "--identity", key)
    new = house.folder / "new.redb"
    assert house.verb("restore", made, "--identity", key, data=new)["people"] == 1
