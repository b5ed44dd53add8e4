"""kill -9 of the node, in a loop, under load: nothing acknowledged is lost, and the ledger verifies.

usage: kill_under_load.py VALETKEY FOLDER [STORE]

Each round starts the demo, lets several clients make system users and posts as fast as they can,
kills the process, starts it again, and looks for everything that was acknowledged.
"""

import random
import sys
import threading
import time
import urllib.error

from lib.demo import Demo, Report

ROUNDS = 6
CLIENTS = 6


def main(valetkey, folder, *store):
    demo, report = Demo(valetkey, folder, *store), Report()
    acknowledged = []
    try:
        for number in range(ROUNDS):
            demo.start()
            report.say(f"start {number}: {len(acknowledged)} acknowledged writes are there", missing(demo, acknowledged))
            acknowledged += load(demo, random.uniform(0.2, 1.5))
        demo.start()
        report.say(f"at the end: {len(acknowledged)} acknowledged writes are there", missing(demo, acknowledged))
    finally:
        demo.stop()
    if len(acknowledged) < ROUNDS:
        report.say("there was load", f"only {len(acknowledged)} writes were acknowledged")
    return report.close()


def load(demo, seconds):
    """Writes until the node is dead; returns what was acknowledged."""
    made, lock = [], threading.Lock()

    def client(which):
        business, page = demo.facts["business"]["id"], demo.facts["pages"][0]["id"]
        for number in range(100_000):
            try:
                if which % 2:
                    answer = demo.call(f"/{page}/feed", f"message=load+{which}+{number}")
                else:
                    answer = demo.call(f"/{business}/system_users", f"name=Load+{which}+{number}&role=EMPLOYEE")
            except (OSError, ValueError):
                return
            with lock:
                made.append(answer["id"])

    threads = [threading.Thread(target=client, args=(which,)) for which in range(CLIENTS)]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    demo.kill()
    for thread in threads:
        thread.join()
    return made


def missing(demo, acknowledged):
    gone = [made for made in acknowledged if not there(demo, made)]
    return f"{len(gone)} of them are gone" if gone else demo.verify()


def there(demo, made):
    try:
        return demo.call(f"/{made}")["id"] == made
    except urllib.error.HTTPError:
        return False


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
