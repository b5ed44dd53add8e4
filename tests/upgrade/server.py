"""A Valetkey of some version as a process, for the program that makes fixtures.

It must never leave a server running, whatever happens to the program that started it.
"""

import http.client
import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

START_S = 60
STOP_S = 30


class Refused(Exception):
    """A call that was answered with an error; `status` and `body` say which."""

    def __init__(self, status, body):
        super().__init__(f"{status} {json.dumps(body)[:600]}")
        self.status, self.body = status, body


class Server:
    """`valetkey serve` on a data folder, with a wall clock that may differ from ours."""

    def __init__(self, valetkey, data, store=None, clock=None, config=None):
        self.valetkey, self.data, self.process = valetkey, data, None
        self.more = ["--data", data, *(["--store", store] if store else [])]
        self.config = ["--config", config] if config else []
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("VALETKEY_")}
        self.offset_s = 0
        if clock:
            shim, self.offset_s = clock
            self.environment |= {"LD_PRELOAD": shim, "CLOCK_OFFSET_S": str(self.offset_s)}

    def run(self, *words):
        """Runs a command to its end; returns its JSON output."""
        command = [self.valetkey, *words, *self.more, "--json"]
        ended = subprocess.run(command, env=self.environment, capture_output=True, text=True, timeout=START_S)
        if ended.returncode:
            sys.exit(f"{' '.join(words)}: {ended.stderr or ended.stdout}")
        return json.loads(ended.stdout)

    def __enter__(self):
        command = [self.valetkey, "serve", "--port", "0", *self.config, *self.more]
        self.process = subprocess.Popen(command, env=self.environment, stderr=subprocess.PIPE, text=True)
        said = ""
        for line in self.process.stderr:
            said += line
            if found := re.search(r"serves (http://\S+)", line):
                self.base = found[1]
                # A full pipe that nobody reads would block the server.
                self.reader = threading.Thread(target=self.process.stderr.read, daemon=True)
                self.reader.start()
                return self
        self.process.wait()
        sys.exit(f"the server did not start:\n{said}")

    def __exit__(self, *_):
        self.process.terminate()
        try:
            status = self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self.reader.join()
        if status:
            sys.exit(f"the server was asked to stop and ended with {status}")

    def graph(self, token, method, path, /, **parameters):
        """A Graph call; returns the answer, or raises `Refused`."""
        form = urllib.parse.urlencode({name: as_text(value) for name, value in parameters.items()})
        url, body = f"{self.base}/v26.0{path}", None
        if method == "POST":
            body = form.encode()
        elif form:
            url += ("&" if "?" in url else "?") + form
        headers = {"Authorization": "Bearer " + token} if token else {}
        request = urllib.request.Request(url, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=STOP_S) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as answer:
            raise Refused(answer.code, json.loads(answer.read())) from None

    def command(self, name, token=None, /, **parameters):
        """A command of `/v1` over the operator's socket; with a token, as the token's user."""
        headers = {"Content-Type": "application/json"} | ({"Authorization": "Bearer " + token} if token else {})
        path = "/v1/sign-in" if name == "sign-in" else f"/v1/commands/{name}"
        connection = http.client.HTTPConnection("localhost", timeout=STOP_S)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(STOP_S)
        connection.sock.connect(os.path.join(self.data, "valetkey.sock"))
        connection.request("POST", path, json.dumps(parameters), headers)
        answer = connection.getresponse()
        body = json.loads(answer.read())
        connection.close()
        if answer.status != 200:
            raise Refused(answer.status, body)
        return body["result"]

    def now(self):
        """The time of its wall clock, in unix seconds."""
        return int(time.time()) + self.offset_s

    def wait_for(self, what, look):
        end = time.monotonic() + START_S
        while not look():
            if time.monotonic() > end:
                sys.exit(f"{what} did not happen in time")
            time.sleep(0.05)


def as_text(value):
    return value if isinstance(value, str) else json.dumps(value)
