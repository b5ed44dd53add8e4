"""The demo as a process, for the programs that kill it or its database.

It must never leave a server running after it was closed.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request

START_S = 60
STOP_S = 30


class Demo:
    """`valetkey demo` in a folder, over SQLite or over the database that `store` names."""

    def __init__(self, valetkey, folder, store=None):
        self.valetkey, self.data = valetkey, os.path.join(folder, "data")
        self.command = [valetkey, "demo", "--port", "0", "--data", self.data, *(["--store", store] if store else [])]
        self.log = os.path.join(folder, "server.log")
        self.process = None
        self.facts = {}

    def start(self):
        """Starts it and waits for the file that says where it listens."""
        path = os.path.join(self.data, "demo.json")
        before = os.stat(path).st_mtime_ns if os.path.exists(path) else 0
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        end = time.monotonic() + START_S
        while time.monotonic() < end:
            if self.process.poll() is not None:
                sys.exit(f"the demo did not start:\n{self.last_words()}")
            if os.path.exists(path) and os.stat(path).st_mtime_ns != before:
                self.facts = json.load(open(path))
                return
            time.sleep(0.05)
        sys.exit(f"the demo did not start in time:\n{self.last_words()}")

    def runs(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        """Kills it."""
        self.process.kill()
        self.process.wait()

    def stop(self):
        """Ends it in order, or kills it if it does not end."""
        if not self.runs():
            return
        self.process.terminate()
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def open(self, path, body=None, method=None, token=None, timeout=60):
        """One Graph call; returns the open response, or raises what urllib raises."""
        headers = {"Authorization": "Bearer " + (token or self.facts["admin_system_user"]["token"])}
        url = path if path.startswith("http") else self.facts["base_url"] + "/v26.0" + path
        request = urllib.request.Request(url, None if body is None else body.encode(), headers, method=method)
        return urllib.request.urlopen(request, timeout=timeout)

    def call(self, path, body=None, **how):
        with self.open(path, body, **how) as answer:
            return json.loads(answer.read())

    def rows(self, path):
        """All rows of a list, page by page."""
        while path:
            page = self.call(path)
            yield from page["data"]
            path = page.get("paging", {}).get("next")

    def run(self, *words):
        """A command line on the same data."""
        return subprocess.run([self.valetkey, *words, "--data", self.data, "--json"], capture_output=True, text=True, timeout=120)

    def verify(self):
        """What is wrong with the ledger, or None."""
        ended = self.run("ledger", "verify")
        return None if ended.returncode == 0 else f"ledger verify: {(ended.stderr or ended.stdout).strip()[:300]}"

    def last_words(self):
        with open(self.log, "rb") as log:
            return b"".join(log.readlines()[-40:]).decode(errors="replace")


class Report:
    """One line for each check, and the line that `cargo xtask test` reads."""

    def __init__(self):
        self.passed = self.failed = 0

    def say(self, what, problem=None):
        print(f"{'not ok' if problem else 'ok'} - {what}{': ' + problem if problem else ''}", flush=True)
        self.passed, self.failed = self.passed + (not problem), self.failed + bool(problem)

    def close(self):
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed or not self.passed else 0
