"""Load through calve's own catalog server while the tokens that it gave run out, or are refused, in the middle: the load goes on.

usage: .deps/test-venv/bin/python tests/interop/tokens.py PROGRAM
"""
import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "services"))
import s3_faults  # noqa: E402

SECRET = "a secret of the test's client"
ROWS = 1000
LIFETIME_S = 2
ANSWER_S = 0.4  # so that a load takes longer than a token lives
USES_MAX = 3


class Door(s3_faults.Handler):
    """Passes requests on after a while; refuses a token that has served `uses_max` times."""
    status, uses_max, slow = 401, None, 0.0
    uses, refused, given = collections.Counter(), collections.Counter(), []
    answered = collections.Counter()

    def play(self, fault, body):
        token = self.headers.get("Authorization", "")
        if not self.path.endswith("/oauth/tokens"):
            Door.uses[token] += 1
            if Door.uses_max is not None and Door.uses[token] > Door.uses_max:
                Door.refused[Door.status] += 1
                error = {"error": {"message": "the token is not good any more", "type": "NotAuthorizedException", "code": Door.status}}
                return self.answer(Door.status, [("Content-Type", "application/json")], json.dumps(error).encode())
            time.sleep(Door.slow)
        super().play(fault, body)

    def answer(self, status, headers, body, length=None):
        if self.path.endswith("/oauth/tokens") and status == 200:
            Door.given.append(self.path)
            Door.uses.clear()  # tokens of one second are the same text
        Door.answered[status] += 1
        super().answer(status, headers, body, length)

    @classmethod
    def reset(cls, **settings):
        cls.status, cls.uses_max, cls.slow = settings.get("status", 401), settings.get("uses_max"), settings.get("slow", 0.0)
        for counter in (cls.uses, cls.refused, cls.given, cls.answered):
            counter.clear()


def calve(program, folder, *words):
    done = subprocess.run([program, "-C", str(folder), *words], capture_output=True, text=True, timeout=300)
    if done.returncode != 0:
        sys.exit("tokens: calve %s ended with %d\n%s%s" % (" ".join(words), done.returncode, done.stdout, done.stderr))
    return done.stdout


def load(program, root, uri, table, what):
    folder = pathlib.Path(root) / table
    (folder / "config/jobs").mkdir(parents=True)
    (folder / "calve.yaml").write_text("catalogs:\n  lake: {type: rest, uri: '%s', credential: \"client:%s\"}\n" % (uri, SECRET))
    (folder / "config/jobs/load.yaml").write_text(
        "source: {type: csv, source_path: in/, incremental: true}\nloader: {type: iceberg, database: demo, table: %s}\n" % table)
    (folder / "in").mkdir()
    for number in range(2):
        (folder / "in" / ("%d.csv" % number)).write_text("id\n" + "".join("%d\n" % (number * ROWS + row) for row in range(ROWS)))
        calve(program, folder, "run", "load")
    counted = calve(program, folder, "query", "--format", "csv", "SELECT count(*) AS n, count(DISTINCT id) AS d FROM lake.demo.%s" % table).split()
    if counted[1:] != ["%d,%d" % (2 * ROWS, 2 * ROWS)]:
        sys.exit("tokens: %s: expected %d rows, each once, found %s" % (what, 2 * ROWS, counted[1:]))
    if SECRET.encode() in b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.name != "calve.yaml"):
        sys.exit("tokens: %s: the secret is in a file of the project" % what)
    refused = Door.answered[401] + Door.answered[419]
    print("%-52s %d rows, %d tokens got, %d times refused" % (what, 2 * ROWS, len(Door.given), refused), flush=True)


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    with tempfile.TemporaryDirectory(prefix="calve-tokens-") as root:
        served = pathlib.Path(root) / "served"
        served.mkdir()
        (served / "calve.yaml").write_text("catalogs: {served: {type: sql}}\nwarehouse: lake\ncatalog_server: {token_lifetime: %ds, clients: [{id: client, "
                                           "secret: \"%s\", rights: {'*': manage}}]}\n" % (LIFETIME_S, SECRET))
        serving = subprocess.Popen([program, "-C", str(served), "catalog", "serve", "--host", "127.0.0.1", "--port", "0"], stdout=subprocess.PIPE, text=True)
        try:
            proxy = s3_faults.S3Faults(re.search(r"http://[0-9.:]+", serving.stdout.readline())[0], Door)
            Door.reset(slow=ANSWER_S)
            load(program, root, proxy.url, "renewed", "tokens that run out in the middle, some on the way")
            # Two runs and a query would ask for three tokens if none ran out.
            if len(Door.given) <= 3:
                sys.exit("tokens: no token ran out in the middle: %d were given" % len(Door.given))
            for status in (401, 419):
                Door.reset(status=status, uses_max=USES_MAX)
                load(program, root, proxy.url, "refused_%d" % status, "tokens that the server refuses with %d in the middle" % status)
                if not Door.refused[status]:
                    sys.exit("tokens: no token was refused in the middle")
        finally:
            serving.terminate()
            serving.wait()


if __name__ == "__main__":
    main()
