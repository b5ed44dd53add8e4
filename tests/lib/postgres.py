"""A private PostgreSQL server that can be killed, with all its processes at once, and restarted.

`cargo xtask postgres` starts it; this file only sends its commands. The server ends with this program,
even if the program is killed.
"""

import json
import subprocess
import sys


class Postgres:
    def __init__(self, xtask, *options):
        """Starts one; `xtask` is the command, as a list of words, that has the command `postgres`."""
        words = [*([xtask] if isinstance(xtask, str) else xtask), "postgres", *options]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        said = self.answer("its address")
        self.address, self.folder, self.programs = said["address"], said["folder"], said["programs"]

    def ask(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        said = self.answer(line)
        if "error" in said:
            sys.exit(f"PostgreSQL: {line}: {said['error']}")

    def answer(self, to):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"the program that runs PostgreSQL ended before it answered {to}")
        return json.loads(line)

    def start(self):
        """Starts it again after an end, on the same port, and waits until it takes connections."""
        self.ask("start")

    def stop(self):
        self.ask("stop")

    def kill_all(self):
        """SIGKILL for every process of it. Data that was only in its memory is lost."""
        self.ask("kill")

    def set(self, name, value):
        """Changes a setting, for the running server and for the next start."""
        self.ask(f"set {name} {value}")

    def close(self):
        """Ends it, in any state."""
        self.process.stdin.close()
        self.process.wait()
