"""Makes the fixture of a version: data that it wrote, and its answers to questions about them.

usage: make.py VALETKEY VERSION XTASK

VALETKEY is the binary of that version, VERSION the name of the folder that is made beside this file,
such as `cdb422c-0.1.0`, and XTASK this repository's own program, which starts PostgreSQL. The folder
then holds, for each store, the data as the server left them when it was stopped, and `expected.json.gz`.
A C compiler is needed too, for the clock.

What is in a fixture was made for it: its tokens and keys open nothing but its own data.
"""

import gzip
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path[:0] = [HERE, os.path.dirname(HERE)]

from company import DECLARED, Company  # noqa: E402
from lib.postgres import Postgres  # noqa: E402
from questions import answers  # noqa: E402
from server import Server  # noqa: E402

DAY_S = 86_400
# Before today, so that ends are over; and decades ahead, so that scheduled posts still wait.
EARLY_S, LATE_S = -30 * DAY_S, 50 * 365 * DAY_S


def main(valetkey, version, xtask):
    target = os.path.join(HERE, version)
    os.mkdir(target)
    with tempfile.TemporaryDirectory() as work:
        clock = os.path.join(work, "clock.so")
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", clock, os.path.join(HERE, "clock.c"), "-ldl"], check=True)
        config = os.path.join(work, "valetkey.toml")
        with open(config, "w") as file:
            file.write(DECLARED)
        sqlite(valetkey, os.path.join(target, "sqlite"), work, clock, config)
        postgres(valetkey, os.path.join(target, "postgres"), work, clock, config, xtask)


def sqlite(valetkey, target, work, clock, config):
    data = os.path.join(work, "sqlite")
    company = live(valetkey, data, None, clock, config)
    os.mkdir(target)
    keep_key(data, target)
    with open(os.path.join(data, "valetkey.db"), "rb") as file:
        keep_packed(file.read(), os.path.join(target, "valetkey.db.gz"))
    for left in ("valetkey.db-wal", "valetkey.db-shm"):
        if os.path.exists(os.path.join(data, left)):
            sys.exit(f"the server left {left} behind, which would have to be in the fixture too")
    ask(valetkey, data, None, company, target)


def postgres(valetkey, target, work, clock, config, xtask):
    data, database = os.path.join(work, "postgres"), Postgres(xtask)
    try:
        company = live(valetkey, data, database.address, clock, config)
        os.mkdir(target)
        keep_key(data, target)
        keep_packed(dump(database).encode(), os.path.join(target, "dump.sql.gz"))
        ask(valetkey, data, database.address, company, target)
    finally:
        database.close()


def live(valetkey, data, store, clock, config):
    """The history of the company: two runs of the server, each stopped in order."""
    early = Server(valetkey, data, store, (clock, EARLY_S), config)
    company = Company(early.run("init", "--business", "Harbour Press", "--admin-email", "ada@harbour.example"))
    with early:
        company.early(early)
    with Server(valetkey, data, store, (clock, LATE_S), config) as late:
        company.late(late)
    return company


def ask(valetkey, data, store, company, target):
    """Asks with today's clock, as the tests do."""
    with Server(valetkey, data, store) as server:
        found = answers(company, server)
    # One answer a line, so that a difference shows where it is.
    lines = [f'"tokens": {as_line(company.tokens)}', f'"ids": {as_line(company.ids)}']
    rows = ",\n".join(as_line(answer) for answer in found)
    text = "{" + ",\n".join(lines) + f',\n"answers": [\n{rows}\n]}}\n'
    keep_packed(text.encode(), os.path.join(target, "expected.json.gz"))


def as_line(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def dump(database):
    """The database as SQL that any `psql` accepts: without lines that only this version of pg_dump writes."""
    command = [os.path.join(database.programs, "pg_dump"), "--no-owner", "--no-privileges", "--no-comments", database.address]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    lines = [line for line in text.splitlines() if not line.startswith(("--", "SET ", "\\restrict", "\\unrestrict"))]
    return "SET client_encoding = 'UTF8';\n" + "\n".join(line for line in lines if line) + "\n"


def keep_key(data, target):
    shutil.copyfile(os.path.join(data, "master.key"), os.path.join(target, "master.key"))


def keep_packed(content, path):
    with open(path, "wb") as file:
        # No modification time, so that the same content gives the same file.
        file.write(gzip.compress(content, 9, mtime=0))


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
