"""A ledger entry is flushed after it is written and before the first byte of its answer.

usage: flush_trace.py VALETKEY FOLDER

Runs the demo under strace, makes one system user with a name that occurs nowhere else, and reads the
trace: the name is written to SQLite's log, that file is flushed, and only then the socket is answered.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request

UNSEEN = "the answer was not seen"


def main(valetkey, folder):
    data, trace = os.path.join(folder, "data"), os.path.join(folder, "trace")
    calls = "pwrite64,write,writev,sendto,sendmsg,fdatasync,fsync"
    command = ["strace", "-f", "-y", "-s", "65536", "-e", f"trace={calls}", "-o", trace, valetkey]
    # A full pipe that nobody reads would otherwise block the server.
    server = subprocess.Popen(command + ["demo", "--port", "0", "--data", data], stdout=subprocess.DEVNULL, start_new_session=True)
    passed = failed = 0
    try:
        demo = wait_for(os.path.join(data, "demo.json"), server)
        for number in range(3):
            name = f"Flushed {number} {os.getpid()}"
            make(demo, name)
            problem = look(trace, name, demo["made"])
            print(f"{'not ok' if problem else 'ok'} - write {number} is flushed before its answer{': ' + problem if problem else ''}")
            passed, failed = passed + (not problem), failed + bool(problem)
    finally:
        # strace itself does not stop for a signal; its child does.
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


def wait_for(path, server):
    for _ in range(600):
        if server.poll() is not None:
            sys.exit("the demo did not start")
        if os.path.exists(path):
            return json.load(open(path))
        time.sleep(0.2)
    sys.exit("the demo did not start in time")


def make(demo, name):
    url = f"{demo['base_url']}/v26.0/{demo['business']['id']}/system_users"
    body = f"name={name.replace(' ', '+')}&role=EMPLOYEE".encode()
    headers = {"Authorization": "Bearer " + demo["admin_system_user"]["token"]}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60) as answer:
        demo["made"] = json.load(answer)["id"]
    return demo["made"]


def look(trace, name, made):
    """The caller has its answer before strace has written the line about it, so wait for the line."""
    end = time.monotonic() + 20
    while True:
        problem = check(open(trace, errors="replace").read().splitlines(), name, made)
        if problem != UNSEEN or time.monotonic() > end:
            return problem
        time.sleep(0.05)


def check(lines, name, made):
    wrote = first(lines, 0, lambda l: "pwrite64(" in l and "-wal>" in l and name in l)
    if wrote is None:
        return "the entry was not seen on its way to the log"
    # A call that another thread interrupts is finished by a line of its own.
    flushed = first(lines, wrote + 1, lambda l: re.search(r"(fdatasync|fsync)\(.*-wal>", l))
    answered = first(lines, wrote, lambda l: "HTTP/1.1 200" in l and made in l and "-wal>" not in l)
    if flushed is None:
        return "the log was not flushed"
    done = flushed
    if "unfinished" in lines[flushed]:
        thread = lines[flushed].split()[0]
        done = first(lines, flushed + 1, lambda l: l.startswith(thread + " ") and re.search(r"(fdatasync|fsync) resumed", l))
    if answered is None:
        return UNSEEN
    if done is None or answered < done:
        return f"the answer left at line {answered + 1}, before the flush at line {done and done + 1}"
    if first(lines, 0, lambda l: "HTTP/1.1 200" in l and made in l) < done:
        return "some byte of the answer left before the flush"
    return None


def first(lines, start, wanted):
    return next((i for i in range(start, len(lines)) if wanted(lines[i])), None)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
