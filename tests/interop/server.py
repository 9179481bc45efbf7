"""A server of a test's own, and a person at a browser in front of it."""

import html
import json
import os
import random
import re
import socket
import subprocess
import time
from pathlib import Path
from urllib.parse import urljoin

import requests

HERE = Path(__file__).resolve().parent
BIN = (HERE / os.environ.get("DOORLIGHT_BIN", "../../target/debug/doorlight")).resolve()
PASSWORD = "seven lamps beside the door"
REDIRECT = "http://127.0.0.1:9/callback"
# For what comes in a moment, also on a slow machine that does something else too.
TIMEOUT = 120


def free_port():
    """Linux gives whoever connects a port from 32768 on: these are left alone until they are used."""
    while True:
        port = random.randrange(10_000, 30_000)
        with socket.socket() as free:
            try:
                free.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port


class Doorlight:
    """A server in a folder of its own."""

    def __init__(self, folder, env=None):
        self.port = free_port()
        self.data = folder / "doorlight.redb"
        self.issuer = f"http://127.0.0.1:{self.port}"
        self.log = folder / "log"
        self.env = env
        self.start()

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [BIN, "serve", "--data", self.data]
                + ["--listen", f"127.0.0.1:{self.port}", "--issuer", self.issuer],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.env,
            )

    def wait(self):
        end = time.monotonic() + TIMEOUT
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if requests.get(f"{self.issuer}/readyz", timeout=TIMEOUT).status_code == 200:
                    return
            except (requests.ConnectionError, requests.Timeout):
                pass
            time.sleep(0.05)
        raise AssertionError(f"not ready: {self.log.read_text()}")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def verb(self, *args, text=""):
        return subprocess.run(
            [BIN, *args, "--data", self.data, "--json"],
            input=text,
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            env=self.env,
        )

    def run(self, *args, text=""):
        done = self.verb(*args, text=text)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)


class Person:
    """Somebody at a browser, who signs in and allows wherever that is asked."""

    def __init__(self, name):
        self.name = name
        self.browser = requests.Session()
        self.asked = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.browser.close()

    def authorize(self, url):
        """Answers the address that Doorlight returns to."""
        page = self.open(url)
        to = urljoin(page.url, page.headers.get("location", ""))
        assert to.startswith(REDIRECT), f"{page.status_code} at {page.url}: {page.text}"
        return to

    def open(self, url):
        """Goes on until there is nothing more to answer, and answers the page; notes what was asked."""
        self.asked = []
        page = self.get(url)
        for _ in range(10):
            if page.is_redirect:
                to = urljoin(page.url, page.headers["location"])
                if to.startswith(REDIRECT):
                    break
                page = self.get(to)
            elif 'name="password"' in page.text:
                self.asked.append("password")
                credentials = {"username": self.name, "password": PASSWORD}
                page = self.submit(page, "password", credentials)
            elif 'name="decision" value="allow"' in page.text:
                self.asked.append("consent")
                page = self.submit(page, "decision", {"decision": "allow"})
            else:
                break
        return page

    def get(self, url):
        return self.browser.get(url, allow_redirects=False, timeout=TIMEOUT)

    def submit(self, page, field, values):
        """Posts the form with this field, and all its hidden fields."""
        forms = re.findall(r'<form method="post" action="([^"]+)"[^>]*>(.*?)</form>', page.text, re.S)
        action, inner = next(form for form in forms if f'name="{field}"' in form[1])
        hidden = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', inner)
        fields = {name: html.unescape(value) for name, value in hidden}
        url = urljoin(page.url, html.unescape(action))
        return self.browser.post(url, data=fields | values, allow_redirects=False, timeout=TIMEOUT)
