"""kill -9 of the node, in a loop, under load: nothing acknowledged is lost, and the ledger verifies.

usage: kill_under_load.py VALETKEY FOLDER [STORE]

Each round starts the demo, lets several clients make system users and posts as fast as they can,
kills the process without a word, starts it again, and looks for everything that was acknowledged.
"""

import json
import os
import random
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

ROUNDS = 6
CLIENTS = 6


def main(valetkey, folder, *store):
    data = os.path.join(folder, "data")
    command = [valetkey, "demo", "--port", "0", "--data", data, *(["--store", store[0]] if store else [])]
    passed = failed = 0
    acknowledged = []
    for number in range(ROUNDS):
        server, demo = start(command, data)
        missing = [made for made in acknowledged if not there(demo, made)]
        problem = f"{len(missing)} of {len(acknowledged)} acknowledged writes are gone" if missing else verify(valetkey, data)
        print(f"{'not ok' if problem else 'ok'} - start {number}: {len(acknowledged)} acknowledged writes are there{': ' + problem if problem else ''}")
        passed, failed = passed + (not problem), failed + bool(problem)
        acknowledged += load(server, demo, random.uniform(0.2, 1.5))
    server, demo = start(command, data)
    missing = [made for made in acknowledged if not there(demo, made)]
    problem = f"{len(missing)} are gone" if missing else verify(valetkey, data)
    server.terminate()
    server.wait(30)
    print(f"{'not ok' if problem else 'ok'} - at the end: {len(acknowledged)} acknowledged writes are there{': ' + problem if problem else ''}")
    passed, failed = passed + (not problem), failed + bool(problem)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or len(acknowledged) < ROUNDS else 0


def start(command, data):
    path = os.path.join(data, "demo.json")
    before = os.stat(path).st_mtime_ns if os.path.exists(path) else 0
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    for _ in range(600):
        if server.poll() is not None:
            sys.exit("the demo did not start again")
        if os.path.exists(path) and os.stat(path).st_mtime_ns != before:
            return server, json.load(open(path))
        time.sleep(0.1)
    sys.exit("the demo did not start in time")


def load(server, demo, seconds):
    """Writes until the node is dead; gives what was acknowledged."""
    made, lock = [], threading.Lock()

    def client(which):
        business, page = demo["business"]["id"], demo["pages"][0]["id"]
        for number in range(100_000):
            try:
                if which % 2:
                    answer = call(demo, f"/{page}/feed", f"message=load+{which}+{number}")
                else:
                    answer = call(demo, f"/{business}/system_users", f"name=Load+{which}+{number}&role=EMPLOYEE")
            except (OSError, ValueError):
                return
            with lock:
                made.append(answer["id"])

    threads = [threading.Thread(target=client, args=(which,)) for which in range(CLIENTS)]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    server.kill()
    server.wait()
    for thread in threads:
        thread.join()
    return made


def there(demo, made):
    try:
        return call(demo, f"/{made}")["id"] == made
    except urllib.error.HTTPError:
        return False


def call(demo, path, body=None):
    headers = {"Authorization": "Bearer " + demo["admin_system_user"]["token"]}
    request = urllib.request.Request(demo["base_url"] + "/v26.0" + path, body and body.encode(), headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def verify(valetkey, data):
    ended = subprocess.run([valetkey, "ledger", "verify", "--data", data, "--json"], capture_output=True, text=True, timeout=120)
    return None if ended.returncode == 0 else f"ledger verify: {ended.stderr.strip()[:300]}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
