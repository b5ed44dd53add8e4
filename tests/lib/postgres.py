"""A private PostgreSQL server that can be killed, all of it at once, and started again.

It listens on the loopback address alone, asks for a password, and flushes what it commits. It must
never signal a process that does not work in its own folder.
"""

import os
import pwd
import random
import signal
import socket
import subprocess
import sys
import time
from secrets import token_hex

PATIENCE_S = 60
READY = b"database system is ready to accept connections"


class Postgres:
    def __init__(self, programs, folder):
        """A new cluster in a folder that is ours, with the programs of one installation."""
        self.programs, self.home = programs, os.path.realpath(os.path.join(folder, "postgres"))
        self.data, self.log = os.path.join(self.home, "data"), os.path.join(self.home, "log")
        self.process = None
        os.mkdir(self.home, 0o700)
        self.owner = other_user()
        if self.owner:
            os.chmod(folder, 0o711)
            os.chown(self.home, self.owner.pw_uid, self.owner.pw_gid)
        password, secret = token_hex(16), os.path.join(self.home, "password")
        with open(secret, "x", opener=private) as file:
            file.write(password)
        if self.owner:
            os.chown(secret, self.owner.pw_uid, self.owner.pw_gid)
        self.port = free_port()
        self.address = f"postgres://valetkey:{password}@127.0.0.1:{self.port}/postgres"
        words = ["-U", "valetkey", "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync", f"--pwfile={secret}"]
        made = self.popen("initdb", *words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said, _ = made.communicate(timeout=PATIENCE_S)
        if made.returncode:
            sys.exit(f"initdb failed:\n{said.decode(errors='replace')}")

    def popen(self, program, *words, **how):
        if self.owner:
            how |= {"user": self.owner.pw_uid, "group": self.owner.pw_gid, "extra_groups": []}
        command = [os.path.join(self.programs, program), "-D", self.data, *words]
        return subprocess.Popen(command, cwd=self.home, env={"LC_ALL": "C"}, **how)

    def start(self):
        """Starts it, the first time or again, and waits until it takes connections."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "logging_collector": "off",
            "fsync": "on",
            # `commit_delay` then counts whoever else is there.
            "commit_siblings": "0",
            # What a crash leaves of it then lies in the folder.
            "dynamic_shared_memory_type": "mmap",
        }
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with open(self.log, "ab") as log:
            start = log.seek(0, os.SEEK_END)
            self.process = self.popen(
                "postgres", "-p", str(self.port), *words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log
            )
        end = time.monotonic() + PATIENCE_S
        while READY not in self.said(start):
            if self.process.poll() is not None or time.monotonic() > end:
                sys.exit(f"PostgreSQL did not start:\n{self.said(start).decode(errors='replace')[-4000:]}")
            time.sleep(0.02)

    def set(self, name, value):
        """Changes a setting, for a server that runs and for the next start."""
        with open(os.path.join(self.data, "postgresql.conf"), "a") as settings:
            settings.write(f"{name} = '{value}'\n")
        if self.process:
            self.process.send_signal(signal.SIGHUP)

    def said(self, start):
        with open(self.log, "rb") as log:
            log.seek(start)
            return log.read()

    def kill_all(self):
        """SIGKILL for every process of it, until none is left. What was in its memory alone is lost."""
        end = time.monotonic() + PATIENCE_S
        left = [self.process.pid, *self.working()]
        while left:
            for pid in left:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            if time.monotonic() > end:
                sys.exit(f"processes {left} of PostgreSQL outlive SIGKILL")
            left = self.working()
        self.process.wait()
        self.process = None

    def working(self):
        """The processes whose working folder is ours: all of a server's are there, and nobody else's."""
        return [int(pid) for pid in os.listdir("/proc") if pid.isdigit() and reads_as(f"/proc/{pid}/cwd", self.data)]

    def close(self):
        """Ends it, whatever state it is in, and gives back what a kill left in the kernel."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.kill_all()
        left = os.path.join(self.data, "postmaster.pid")
        if os.path.exists(left):
            # Its seventh line names the small segment by which a server knows that it is alone.
            with open(left) as lines:
                words = lines.read().splitlines()[6:7]
            for word in words:
                subprocess.run(["ipcrm", "-m", word.split()[-1]], stderr=subprocess.DEVNULL, check=False)


def other_user():
    """PostgreSQL refuses to run as root, so root lends it another user."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    sys.exit("PostgreSQL can't run as root, and there is no user 'postgres' or 'nobody' to run it")


def free_port():
    """A free port below those that the kernel gives away by itself, so that nobody takes it while
    the server is down."""
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def private(path, flags):
    return os.open(path, flags, 0o600)


def reads_as(link, path):
    try:
        return os.readlink(link) == path
    except OSError:
        return False
