#!/usr/bin/env python3
"""Write, audit, publish on Nessie and S3: a file is loaded onto a branch, NULLs are found there, a person is told and decides.

usage: tests/services/with s3.sh nessie.sh -- build/interop/venv/bin/python tests/interop/nessie_story.py PROGRAM

PyIceberg writes through Nessie's Iceberg REST door in between, which keeps no history in the table's metadata, and reads what calve left.
Prints one line a step and `nessie_story: N steps, M failed`; ends with 1 when one failed.
"""
import http.server, json, os, pathlib, re, subprocess, sys, tempfile, threading

import pyarrow as pa
import pyarrow.fs
from pyiceberg.catalog import load_catalog

PROGRAM = os.path.abspath(sys.argv[1])
ENDPOINT, KEY, SECRET = (os.environ["CALVE_TEST_S3_" + name] for name in ("ENDPOINT", "KEY", "SECRET"))
BUCKET = "calve-catalogs"
NOTICES = []


class Listener(http.server.BaseHTTPRequestHandler):
    """Takes what calve posts when an audit fails."""

    def do_POST(self):
        NOTICES.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_):
        pass


class Story:
    def __init__(self, folder, notice_url):
        self.folder, self.steps, self.failed = folder, 0, 0
        for name in ("config/jobs", "contracts", "in"):
            (folder / name).mkdir(parents=True)
        (folder / "calve.yaml").write_text(
            f"warehouse: s3://{BUCKET}/nessie\ncatalogs:\n  lake: {{type: nessie, uri: '{os.environ['CALVE_TEST_NESSIE']}'}}\n"
            f"notifications:\n  webhook: {{url: '{notice_url}'}}\n")
        (folder / "config/jobs/customers.yaml").write_text(
            "source: {type: csv, source_path: in/, incremental: true}\nloader: {type: iceberg, database: demo, table: customers}\n"
            "monitoring: {alert_on_failure: true, notification_channels: [webhook]}\n")
        (folder / "contracts/demo.customers.yaml").write_text("columns:\n  email: {type: string, required: true}\n")
        self.s3 = pyarrow.fs.S3FileSystem(endpoint_override=ENDPOINT, access_key=KEY, secret_key=SECRET, region="us-east-1", allow_bucket_creation=True)
        self.s3.create_dir(BUCKET)
        options = {"s3.endpoint": ENDPOINT, "s3.access-key-id": KEY, "s3.secret-access-key": SECRET, "s3.region": "us-east-1"}
        self.options = {"type": "rest", "uri": os.environ["CALVE_TEST_NESSIE_REST"], **options}

    def calve(self, *words, ends=0):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        environment |= {"AWS_ENDPOINT_URL": ENDPOINT, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "us-east-1"}
        done = subprocess.run([PROGRAM, "-C", str(self.folder), *words], env=environment, capture_output=True, text=True)
        if done.returncode != ends:
            raise AssertionError(f"calve {' '.join(words)} ended with {done.returncode}, expected {ends}\n{done.stdout}{done.stderr}")
        return done.stdout

    def ids(self, branch=""):
        table = f'demo.customers@"{branch}"' if branch else "demo.customers"
        return [int(line.split(",")[0]) for line in self.calve("query", "--format", "csv", f"SELECT id FROM {table} ORDER BY id").splitlines()[1:]]

    def others(self, branch=""):
        """What PyIceberg reads through Nessie's own door."""
        catalog = load_catalog("nessie", **self.options, **({"prefix": branch + "|warehouse"} if branch else {}))
        return catalog.load_table("demo.customers")

    def others_ids(self):
        return sorted(self.others().scan().to_arrow()["id"].to_pylist())

    def branches(self):
        return json.loads(self.calve("branch", "list", "--json"))

    def upload(self, name, *rows):
        (self.folder / "in" / name).write_text("id,email\n" + "".join(f"{number},{email}\n" for number, email in rows))

    def files(self):
        found = self.s3.get_file_info(pyarrow.fs.FileSelector(BUCKET + "/nessie/demo/customers", recursive=True))
        return {info.path for info in found if info.is_file}

    def step(self, what, holds, found=""):
        self.steps += 1
        self.failed += not holds
        print(f"{'ok    ' if holds else 'FAILED'} {what}{'' if holds else f': found {found}'}", flush=True)

    def append_by_others(self, number):
        table = self.others()
        table.append(pa.table({"id": pa.array([number], pa.int64()), "email": [f"{number}@example.com"]}, schema=table.schema().as_arrow()))

    def tell(self):
        self.upload("a.csv", (1, "a@example.com"), (2, "b@example.com"))
        self.calve("run", "customers")
        self.step("the first file makes the table and is published", self.ids() == [1, 2] and self.branches() == [], self.ids())
        self.step("PyIceberg reads it through Nessie's door", self.others_ids() == [1, 2], self.others_ids())

        self.upload("b.csv", (3, ""))
        told = self.calve("run", "customers", ends=4)
        branch = re.search(r"audit_\w+", told)[0]
        self.step("a NULL fails the audit, main stays", self.ids() == [1, 2], self.ids())
        self.step("the branch has the row", self.ids(branch) == [1, 2, 3], self.ids(branch))
        self.step("somebody is told which check failed", len(NOTICES) == 1 and "not_null(email)" in json.dumps(NOTICES), NOTICES)
        self.step("branch nulls counts it", re.search(r"email +0 +1", self.calve("branch", "nulls", branch)) is not None)
        self.step("the job waits", "WAITS" in self.calve("run", "customers", ends=5))

        before = self.ids()
        self.append_by_others(70)
        self.step("PyIceberg appends meanwhile", self.ids() == before + [70], self.ids())
        diff = json.loads(self.calve("branch", "diff", branch, "--json"))
        self.step("branch diff shows that main has moved, and Nessie's conflict", diff["main_moved"] and "conflict" in diff, diff)
        self.calve("branch", "publish", branch, ends=4)
        self.calve("branch", "publish", branch, "--waive", "not_null(email)")
        self.step("published by a person it goes on top", self.ids() == [1, 2, 3, 70], self.ids())
        self.step("the branch is gone", self.branches() == [], self.branches())

        self.append_by_others(71)
        self.upload("c.csv", (4, "d@example.com"))
        self.calve("run", "customers")
        self.step("the position below two commits without history is found", self.ids() == [1, 2, 3, 4, 70, 71], self.ids())

        statements = self.calve("snowflake", "ddl", "demo.customers")
        named = re.findall(r"(?:METADATA_FILE_PATH =|REFRESH) '(.*?)'", statements)
        newest = self.others().metadata_location.removeprefix(f"s3://{BUCKET}/")
        self.step("the statements for Snowflake name the newest metadata file", named == [newest, newest], (named, newest))

        files = self.files()
        self.upload("d.csv", (5, ""))
        branch = re.search(r"audit_\w+", self.calve("run", "customers", ends=4))[0]
        self.calve("branch", "discard", branch)
        self.step("a discarded branch leaves no file", self.files() == files, sorted(self.files() - files))
        self.step("and takes no row away", self.ids() == [1, 2, 3, 4, 70, 71], self.ids())
        self.step("PyIceberg reads the same", self.others_ids() == self.ids(), self.others_ids())


def main():
    listener = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Listener)
    threading.Thread(target=listener.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(prefix="calve_nessie_story_") as folder:
        story = Story(pathlib.Path(folder), f"http://127.0.0.1:{listener.server_port}/")
        try:
            story.tell()
        except AssertionError as error:
            story.step(str(error), False)
    listener.shutdown()
    print(f"nessie_story: {story.steps} steps, {story.failed} failed")
    sys.exit(1 if story.failed else 0)


main()
