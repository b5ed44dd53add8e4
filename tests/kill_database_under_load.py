"""SIGKILL of every PostgreSQL process, in a loop, under load, with the whole server in front.

usage: kill_database_under_load.py VALETKEY FOLDER XTASK

Clients make system users, posts and tokens, and revoke tokens, before, while and after the database
is down. Every acknowledged write must stay, and a revoked token must stay refused. A refused write
must never appear. A write with an unknown outcome must be there completely or not at all, and stay
so. Tables and ledger must agree, and the ledger must verify.
"""

import json
import random
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import dataclass
from http.client import HTTPException

from lib.demo import Demo, Report
from lib.postgres import Postgres

CLIENTS = 8
# How long the database is away. A node's lease runs for 5 s; once it has run out, the node may
# answer nothing until it has the lease again.
MOMENT, LONG, BOTH = "for a moment", "for longer than the lease runs", "and the node with it"
# Where commits are when the kill comes: anywhere; held back before they are flushed, so that they
# are lost; or held back between their flush and their answer, so that they are kept.
ANYWHERE, BEFORE, AFTER = "anywhere", "before their flush", "before their answer"
HOLD = {
    ANYWHERE: None,
    BEFORE: ("commit_delay", "100000", "0"),
    AFTER: ("synchronous_standby_names", "nobody", ""),
}
ROUNDS = [
    (MOMENT, ANYWHERE),
    (MOMENT, BEFORE),
    (MOMENT, AFTER),
    (LONG, BEFORE),
    (MOMENT, ANYWHERE),
    (BOTH, BEFORE),
    (BOTH, AFTER),
    (LONG, AFTER),
    (BOTH, ANYWHERE),
    (MOMENT, ANYWHERE),
]
LONG_S = 18
# How long the server may take to serve again once the database does.
RECOVERY_S = 8
# How long a client waits for an answer; the server itself gives up on a request after 60 s.
ANSWER_S = 90

DONE, REFUSED, UNKNOWN = "acknowledged", "refused", "without a known end"
# A revocation that the store couldn't take: the node refuses the token at once, and writes it as soon
# as it can, before anything else. It is lost only if the node ends before that.
IN_FORCE = "in force and not yet written"
OUTCOME_UNKNOWN, NOT_DURABLE = 9_000_018, 9_000_019
# Codes of errors. Clients try again after the first two.
FAULT, AWAY, REVOKED, WORKS = 1, 2, 190, None


@dataclass
class Write:
    """One write, and how its client learned that it ended."""

    kind: str
    name: str
    sent: float
    answered: float = 0
    outcome: str = UNKNOWN
    answer: dict | None = None
    revision: int = 0
    wrong: str | None = None

    @property
    def made(self):
        """The id that the answer names."""
        return self.answer.get("token_id") or self.answer.get("id", self.name)


class Load:
    """Clients that write until they are stopped, even while calls fail."""

    def __init__(self, demo, holder, number):
        self.demo, self.holder, self.number = demo, holder, number
        self.business, self.page = demo.facts["business"]["id"], demo.facts["pages"][0]["id"]
        self.app = demo.facts["app"]["id"]
        self.writes, self.lock, self.stopped = [], threading.Lock(), threading.Event()
        self.threads = [threading.Thread(target=self.client, args=(which,), daemon=True) for which in range(CLIENTS)]
        for thread in self.threads:
            thread.start()

    def client(self, which):
        act = [self.user, self.post, self.issue_and_revoke, self.issue_and_revoke][which % 4]
        count = 0
        while not self.stopped.is_set():
            count += 1
            if act(f"Load {self.number} {which} {count}") != DONE:
                self.stopped.wait(0.05)

    def user(self, name):
        return self.write("user", name, f"/{self.business}/system_users", f"name={name}&role=EMPLOYEE").outcome

    def post(self, name):
        return self.write("post", name, f"/{self.page}/feed", f"message={name}").outcome

    def issue_and_revoke(self, name):
        issued = self.write("token", name, f"/{self.holder}/access_tokens", f"business_app={self.app}&scope=pages_show_list")
        if issued.outcome != DONE:
            return issued.outcome
        return self.write("revoke", issued.made, f"/{issued.made}", None, "DELETE").outcome

    def write(self, kind, name, path, body, method="POST"):
        write = Write(kind, name, time.monotonic())
        try:
            with self.demo.open(path, body and body.replace(" ", "+"), method=method, timeout=ANSWER_S) as answer:
                said = json.loads(answer.read())
                # A client takes "success" for an acknowledgement, so that is checked first.
                write.answer, write.outcome = said, DONE
                write.revision = int(answer.headers["Valetkey-Revision"])
        except urllib.error.HTTPError as answer:
            write.outcome, write.wrong = refusal(answer)
        except (OSError, HTTPException, ValueError, TypeError) as error:
            # A connection may break, before an answer or during it. Anything else is a fault.
            if not isinstance(getattr(error, "reason", error), (ConnectionError, HTTPException)):
                write.wrong = f"a client met {error!r}"
        write.answered = time.monotonic()
        with self.lock:
            self.writes.append(write)
        return write

    def wait_until_held(self):
        """Waits until commits are held back, so that for a while nothing is acknowledged any more."""
        end = time.monotonic() + 20
        while any(write.outcome == DONE and write.answered > time.monotonic() - 0.3 for write in self.so_far()):
            if time.monotonic() > end:
                sys.exit("the commits could not be held back")
            time.sleep(0.05)

    def so_far(self):
        with self.lock:
            return list(self.writes)

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()
        return self.writes


def refusal(answer):
    """What an error says about a write, and what is wrong with the error itself."""
    text = b"nothing"
    try:
        text = answer.read()
        error = json.loads(text)["error"]
        known = answer.code in (500, 503) and error["code"] in (FAULT, AWAY) and error["fbtrace_id"] and error["message"]
    except (ConnectionError, HTTPException):
        return UNKNOWN, None
    except (ValueError, KeyError, TypeError):
        known = False
    if not known:
        return UNKNOWN, f"a write was answered with {answer.code} {text[:300]!r}"
    if error.get("error_subcode") == NOT_DURABLE:
        return IN_FORCE, None
    if error.get("error_subcode") == OUTCOME_UNKNOWN or answer.code == 500:
        return UNKNOWN, None
    return REFUSED, None


class Books:
    """Compares what clients have seen so far with what the server shows."""

    def __init__(self, demo, holder):
        self.demo, self.holder = demo, holder
        self.writes, self.tokens, self.settled, self.ledger = [], {}, {}, {}
        self.read_ledger()
        # The demo's own data is not checked.
        self.since = max(self.ledger)

    def with_outcome(self, kind, *which):
        return [write for write in self.writes if write.kind == kind and write.outcome in which]

    def add(self, writes):
        self.writes += writes
        self.tokens |= issued(writes)

    def check(self):
        """The first fault, or None."""
        self.read_ledger()
        business, page = self.demo.facts["business"]["id"], self.demo.facts["pages"][0]["id"]
        users = list(self.demo.rows(f"/{business}/system_users?fields=id,name,role,created_time&limit=500"))
        posts = list(self.demo.rows(f"/{page}/feed?fields=id,message,from,created_time&limit=100"))
        users = [row for row in users if row["name"].startswith("Load ")]
        posts = [row for row in posts if row["message"].startswith("Load ")]
        tokens = list(self.demo.rows(f"/{self.holder}/access_tokens?limit=500"))
        looks = [
            lambda: self.check_named("user", users, "name", ("id", "role", "created_time")),
            lambda: self.check_named("post", posts, "message", ("id", "from", "created_time")),
            lambda: self.check_tokens(tokens),
            lambda: self.check_uses(tokens),
            lambda: self.check_against_ledger(users, posts, tokens),
            self.demo.verify,
        ]
        return next((problem for problem in (look() for look in looks) if problem), None)

    def check_named(self, kind, rows, text, rest):
        """System users or posts: each has its own name."""
        found = {row[text]: row["id"] for row in rows}
        if len(found) < len(rows):
            return f"one {kind} was asked for and {Counter(row[text] for row in rows).most_common(1)} were made"
        halves = [row for row in rows if any(not row.get(field) for field in rest)]
        if halves:
            return f"{len(halves)} of kind {kind} are half there, such as {halves[0]}"
        gone = [write.name for write in self.with_outcome(kind, DONE) if found.pop(write.name, None) != write.made]
        if gone:
            return f"{len(gone)} acknowledged of kind {kind} are gone, such as {gone[0]}"
        refused = [write.name for write in self.with_outcome(kind, REFUSED) if write.name in found]
        if refused:
            return f"{len(refused)} of kind {kind} were refused and are there, such as {refused[0]}"
        for write in self.with_outcome(kind, UNKNOWN):
            made = found.pop(write.name, None)
            if self.settled.setdefault(write.name, made) != made:
                return f"{write.name} was {self.settled[write.name]} once and is {made} now"
            if made and self.demo.call(f"/{made}?fields=id,{text}") != {"id": made, text: write.name}:
                return f"{write.name} is listed and can't be read"
        return f"nobody asked for {sorted(found)[:3]}" if found else None

    def check_tokens(self, rows):
        """Tokens: all that were issued, and at most as many more as have an unknown outcome."""
        status = {row["id"]: row["status"] for row in rows}
        gone = [write.made for write in self.with_outcome("token", DONE) if write.made not in status]
        if gone:
            return f"{len(gone)} acknowledged tokens are gone, such as {gone[0]}"
        others, most = len(status) - len(self.tokens), len(self.with_outcome("token", UNKNOWN))
        if others > most:
            return f"{others} tokens are there that nobody was given, and only {most} have no known end"
        for write in self.with_outcome("revoke", DONE, REFUSED, UNKNOWN, IN_FORCE):
            is_revoked = status[write.name] == "revoked"
            if write.outcome in (DONE, IN_FORCE) and not is_revoked:
                return f"the revocation of {write.name}, {write.outcome}, is gone"
            if write.outcome == REFUSED and is_revoked:
                return f"the revocation of {write.name} was refused and is there"
            if self.settled.setdefault(write.name, is_revoked) != is_revoked:
                return f"{write.name} was revoked: {self.settled[write.name]} once, {is_revoked} now"
        return None

    def check_uses(self, rows):
        """A token works if and only if the list says so."""
        status = {row["id"]: row["status"] for row in rows}
        for made, token in self.tokens.items():
            code = use(self.demo, token)
            if code != (WORKS if status[made] == "live" else REVOKED):
                return f"the token {made} is listed as {status[made]}, and a call with it was answered with {code}"
        return None

    def read_ledger(self):
        while True:
            ended = self.demo.run("ledger", "list", "--limit", "1000", "--after", str(max(self.ledger, default=0)))
            page = json.loads(ended.stdout)
            self.ledger |= {row["revision"]: row for row in page["rows"]}
            if page["next"] is None:
                return

    def check_against_ledger(self, users, posts, tokens):
        """Each acknowledged write has its entry, and the ledger has entries for exactly what exists."""
        for write in self.writes:
            subjects = self.ledger.get(write.revision, {}).get("subjects", [])
            if write.outcome == DONE and write.made.split("_")[-1] not in subjects:
                return f"{write.name} was acknowledged with revision {write.revision}, which is not about it"
        held = {row["id"] for row in tokens}
        for action, about, found in [
            ("system_user_created", None, [row["id"] for row in users]),
            ("content_created", self.demo.facts["pages"][0]["id"], [row["id"].split("_")[-1] for row in posts]),
            ("token_issued", self.holder, list(held)),
            ("token_revoked", None, [row["id"] for row in tokens if row["status"] == "revoked"]),
        ]:
            recorded = [entry["subjects"] for entry in self.ledger.values() if entry["action"] == action and self.is_ours(entry)]
            recorded = [subjects[0] for subjects in recorded if not about or about in subjects]
            if action == "token_revoked":
                # The demo revokes its own tokens when it starts again.
                recorded = [token for token in recorded if token in held]
            differ = Counter(found) - Counter(recorded) | Counter(recorded) - Counter(found)
            if differ:
                return f"of {action}, the ledger has {len(recorded)} and there are {len(found)}: {list(differ)[:3]}"
        return None

    def is_ours(self, entry):
        return entry["revision"] > self.since and entry["business"] == self.demo.facts["business"]["id"]


def use(demo, token):
    """The code of the error that a call with this token gets, if it gets one."""
    try:
        demo.call("/me", token=token, timeout=ANSWER_S)
        return WORKS
    except urllib.error.HTTPError as answer:
        return json.loads(answer.read())["error"]["code"]


def main(valetkey, folder, xtask):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped by a signal"))
    # So that `commit_delay` applies even if no other transaction is active.
    report, database = Report(), Postgres(xtask, "--set", "commit_siblings=0")
    demo = Demo(valetkey, folder, database.address)
    try:
        demo.start()
        books = Books(demo, make_holder(demo))
        for number, (what, where) in enumerate(ROUNDS):
            one_round(report, demo, database, books, number, what, where)
        demo.stop()
        database.kill_all()
        database.start()
        demo.start()
        report.say("at the end, after another start of both, all of it is still so", books.check())
    finally:
        try:
            demo.stop()
        finally:
            database.close()
        if report.failed:
            print(demo.last_words())
    return report.close()


def make_holder(demo):
    """A system user whose tokens are made and revoked."""
    holder = demo.call(f"/{demo.facts['business']['id']}/system_users", "name=Holder&role=EMPLOYEE")["id"]
    demo.call(f"/{holder}/applications", f"business_app={demo.facts['app']['id']}")
    return holder


def one_round(report, demo, database, books, number, what, where):
    load = Load(demo, books.holder, number)
    time.sleep(random.uniform(0.3, 1.5))
    if HOLD[where]:
        name, value, usual = HOLD[where]
        database.set(name, value)
        if where == AFTER:
            load.wait_until_held()
        else:
            time.sleep(random.uniform(0.3, 0.5))
    if what == BOTH:
        demo.process.kill()
    database.kill_all()
    away = time.monotonic()
    if what == BOTH:
        demo.kill()
    problem = watch(demo, books, load, away + (LONG_S if what == LONG else random.uniform(0.1, 2)), what)
    back = time.monotonic()
    if HOLD[where]:
        database.set(name, usual)
    database.start()
    if what != BOTH:
        report.say(*recover(demo, load, number))
    writes = load.stop()
    if not demo.runs():
        demo.start()
    for write in writes:
        # Only a revocation is in force before it is written, and only as long as its node lives.
        if write.outcome == IN_FORCE and (what == BOTH or write.kind != "revoke"):
            write.outcome = UNKNOWN
    books.add(writes)
    counts = Counter(write.outcome for write in writes)
    problem = problem or look_at_answers(writes, away, back)
    summary = ", ".join(f"{counts[outcome]} {outcome}" for outcome in (DONE, REFUSED, IN_FORCE, UNKNOWN))
    report.say(f"round {number}, away {what}, {back - away:.1f} s, with commits {where}: of the writes {summary}", problem)
    count = len([write for write in books.writes if write.outcome == DONE])
    report.say(f"round {number}: the ledger verifies, and all {count} acknowledged writes are there", books.check())


def watch(demo, books, load, end, what):
    """Tries revoked tokens while the database is away; returns what is wrong."""
    while True:
        writes = books.writes + load.so_far()
        revoked = [write.name for write in writes if write.kind == "revoke" and write.outcome in (DONE, IN_FORCE)]
        tokens = books.tokens | issued(load.so_far())
        for made in random.sample(revoked, min(8, len(revoked))) if what != BOTH else []:
            code = use(demo, tokens[made])
            if code not in (REVOKED, AWAY):
                return f"while the database was away, a call with the revoked token {made} was answered with {code}"
        if time.monotonic() > end:
            break
        time.sleep(0.1)
    if what == LONG:
        live = [token for made, token in tokens.items() if made not in revoked]
        codes = {use(demo, token) for token in [demo.facts["admin_system_user"]["token"], *live[:3]]}
        if codes != {AWAY} or ready(demo) != 503:
            return f"without a lease, calls were answered with {codes} and /readyz with {ready(demo)}"
    return None


def look_at_answers(writes, away, back):
    wrong = [write.wrong for write in writes if write.wrong]
    if wrong:
        return f"{len(wrong)} answers are not as they should be: {wrong[0]}"
    if not any(write.sent < back and write.answered > away for write in writes):
        return "nobody wrote while the database was away"
    early = [write for write in writes if write.outcome == DONE and away < write.sent and write.answered < back]
    return f"{len(early)} writes were acknowledged while there was no database" if early else None


def recover(demo, load, number):
    """Waits until the server takes writes again; returns what to report."""
    start = time.monotonic()
    attempt = 0
    while demo.runs() and time.monotonic() < start + ANSWER_S:
        attempt += 1
        if load.user(f"Load {number} recovery {attempt}") == DONE and ready(demo) == 200:
            took = time.monotonic() - start
            late = f"it may take {RECOVERY_S} s" if took > RECOVERY_S else None
            return f"round {number}: the server went on by itself, after {took:.1f} s", late
        time.sleep(0.05)
    return f"round {number}: the server goes on by itself", "it waits for ever" if demo.runs() else "it stopped"


def issued(writes):
    return {write.made: write.answer["access_token"] for write in writes if write.kind == "token" and write.outcome == DONE}


def ready(demo):
    try:
        with urllib.request.urlopen(demo.facts["base_url"] + "/readyz", timeout=ANSWER_S) as answer:
            return answer.code
    except urllib.error.HTTPError as answer:
        return answer.code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
