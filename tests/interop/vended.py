"""Load through Iceberg's own REST server, which gives keys to the table's files, while these keys expire in the middle.

usage: tests/services/with s3.sh rest_reference.sh -- .deps/test-venv/bin/python tests/interop/vended.py PROGRAM
"""
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import pyarrow.fs

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "services"))
from expiring_keys import ExpiringKeys  # noqa: E402

ROWS_PER_FILE = 60_000
FILES = 4
MANY = 10**9


def run(program, folder, *words):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    done = subprocess.run([program, "-C", str(folder), *words], env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("vended: calve %s ended with %d\n%s%s" % (" ".join(words), done.returncode, done.stdout, done.stderr))
    return done.stdout


def project(folder, table):
    (folder / "config/jobs").mkdir(parents=True)
    (folder / "calve.yaml").write_text("catalogs:\n  lake: {type: rest, uri: '%s', warehouse: '%s'}\n" % (os.environ["CALVE_TEST_REST"], folder / "lake"))
    # The server's own files stay on its disk: it has no library for S3.
    (folder / "config/jobs/load.yaml").write_text(
        "source: {type: csv, source_path: in/}\n"
        "loader:\n  type: iceberg\n  database: demo\n  table: %s\n  location: s3://vended/%s\n"
        "  properties: {write.metadata.path: 'file://%s/metadata', write.target-file-size-bytes: '60000'}\n" % (table, table, folder))
    (folder / "in").mkdir()
    for number in range(FILES):
        with open(folder / "in" / ("%d.csv" % number), "w") as file:
            file.write("id,text\n")
            for row in range(ROWS_PER_FILE):
                file.write("%d,row %d of file %d\n" % (number * ROWS_PER_FILE + row, row, number))


def give(proxy, key, secret, expires=None):
    lines = ["prefix=s3://vended/", "s3.endpoint=" + proxy.url, "s3.access-key-id=" + key, "s3.secret-access-key=" + secret]
    if expires is not None:
        lines.append("s3.session-token-expires-at-ms=%d" % expires)
    place = pathlib.Path(os.environ["CALVE_TEST_REST_FOLDER"]) / "vended.properties"
    (place.parent / "next").write_text("\n".join(lines) + "\n")
    os.replace(place.parent / "next", place)


def check(program, folder, table, what):
    counted = run(program, folder, "query", "--format", "csv", "SELECT count(*) AS n, sum(id) AS s FROM lake.demo.%s" % table).split()
    rows = ROWS_PER_FILE * FILES
    if counted[1] != "%d,%d" % (rows, rows * (rows - 1) // 2):
        sys.exit("vended: %s: expected %d rows, found %s" % (what, rows, counted[1]))
    print("%-48s %d rows" % (what, rows))


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    first = os.environ["CALVE_TEST_S3_KEY"], os.environ["CALVE_TEST_S3_SECRET"]
    second = os.environ["CALVE_TEST_S3_OTHER_KEY"], os.environ["CALVE_TEST_S3_OTHER_SECRET"]
    with tempfile.TemporaryDirectory(prefix="calve-vended-") as root:
        # Keys that the store refuses from one request to the next, though nobody said when.
        folder = pathlib.Path(root) / "refused"
        proxy = ExpiringKeys(os.environ["CALVE_TEST_S3_ENDPOINT"])
        proxy.lives.update({first[0]: 4, second[0]: MANY})
        proxy.on_expiry = lambda key: give(proxy, *second)
        give(proxy, *first)
        store = pyarrow.fs.S3FileSystem(access_key=first[0], secret_key=first[1], scheme="http", allow_bucket_creation=True,
                                        endpoint_override=os.environ["CALVE_TEST_S3_ENDPOINT"].removeprefix("http://"))
        store.create_dir("vended")
        project(folder, "refused")
        run(program, folder, "run", "load")
        if not (proxy.refused[first[0]] and proxy.passed[second[0]]):
            sys.exit("vended: the key did not expire in the middle: %s let in, %s refused" % (proxy.passed, proxy.refused))
        check(program, folder, "refused", "keys that the store refuses in the middle")

        # Keys of which the server says when they expire: they are renewed before, and never refused.
        folder = pathlib.Path(root) / "renewed"
        proxy = ExpiringKeys(os.environ["CALVE_TEST_S3_ENDPOINT"])
        proxy.lives.update({first[0]: MANY, second[0]: MANY})
        ends = time.time() + 4

        def outlive(key):
            """Hold the third request, and those that came beside it, until its key has run out; who signs from then on has the other one."""
            if key == first[0] and proxy.passed[key] >= 3:
                give(proxy, *second, expires=int(time.time() * 1000) + 3_600_000)
                time.sleep(max(0, ends - time.time()))

        proxy.on_pass = outlive
        give(proxy, *first, expires=int(ends * 1000))
        project(folder, "renewed")
        run(program, folder, "run", "load")
        if not (proxy.passed[first[0]] and proxy.passed[second[0]]):
            sys.exit("vended: the key was not renewed in the middle: %s let in" % proxy.passed)
        if sum(proxy.refused.values()):
            sys.exit("vended: keys that were renewed in time were refused: %s" % proxy.refused)
        check(program, folder, "renewed", "keys that are renewed before they expire")
        if b"othersecret" in b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file() and path.suffix != ".csv"):
            sys.exit("vended: a secret is in a file of the project")


if __name__ == "__main__":
    main()
