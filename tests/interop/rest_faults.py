"""Load through a REST catalog while requests that change it fail, each in turn and in each way: the rows come in once, and no file is missing.

usage: tests/services/with rest_reference.sh -- .deps/test-venv/bin/python tests/interop/rest_faults.py PROGRAM [--times N]
       tests/services/with calve_server.sh  -- ... the same, against calve's own server

For each way a load makes a table, and a second one adds to it; the first of their requests that change something is hit, in the next round the
second, and so on until there is none more; `--times` hits as many that follow each other. PyIceberg then reads, past the proxy: each row is there
once, and every file that any snapshot refers to is there. Where it can't be known whether a change was applied, calve must look before it
changes anything again, or ask again under the same idempotency key.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

from pyiceberg.catalog import load_catalog
from pyiceberg.manifest import DataFileContent

import matrix

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "services"))
from s3_faults import Fault, S3Faults  # noqa: E402

CHECK = 34  # of docs/interop.md
WAYS = [(kind, status) for kind in ("error_before", "error_after") for status in (500, 502, 503, 504)] + [
    (kind, 0) for kind in ("cut_request", "no_reply", "cut_reply", "cut_head", "short_reply", "late", "doubled")]
RUNS_MAX = 3  # of a load that says that its outcome is unknown, or the server away
ROWS = 3


def fail(what, said):
    matrix.record(CHECK, "calve", "failed", "%s: %s" % (what, said))
    sys.exit("rest_faults: %s: %s" % (what, said))


def load(program, folder, proxy, fault, what, warehouse):
    """Load a new table, then more rows into it, with a request hit. Returns how many were, and how often calve was run."""
    (folder / "config/jobs").mkdir(parents=True)
    (folder / "in").mkdir()
    (folder / "calve.yaml").write_text("catalogs:\n  lake: {type: rest, uri: '%s'%s}\n" % (proxy.url, ", warehouse: '%s'" % warehouse if warehouse else ""))
    (folder / "config/jobs/load.yaml").write_text(
        "source: {type: csv, source_path: in/, incremental: true}\nloader: {type: iceberg, database: %s, table: t}\n" % folder.name)
    proxy.arm(fault)
    runs = 0
    for file in ("a", "b"):
        (folder / "in" / (file + ".csv")).write_text("id\n" + "".join("%s%d\n" % (file, row) for row in range(ROWS)))
        for _ in range(RUNS_MAX):
            runs += 1
            done = subprocess.run([program, "-C", str(folder), "run", "load"], capture_output=True, text=True)
            if done.returncode == 0:
                break
        else:
            fail(what, done.stdout + done.stderr)
    log = proxy.log
    hits, _ = proxy.disarm()
    return hits, runs, log


def resolved(log, way):
    """How a change whose outcome can't be known was followed: looks, keys sent again, and others that are neither."""
    looks = keys = neither = 0
    for i, request in enumerate(log):
        if not request.hit or b'"stage-create":true' in request.body.replace(b" ", b""):
            continue  # which changes nothing
        if way == "short_reply" and request.path.endswith("/namespaces"):
            continue  # answered with 200: nobody needs its body
        after = next(iter(log[i + 1:]), None)
        key = request.headers.get("Idempotency-Key")
        if after is None or after.method in ("GET", "HEAD"):
            looks += 1
        elif key and after.path == request.path and after.headers.get("Idempotency-Key") == key:
            keys += 1
        else:
            neither += 1
    return looks, keys, neither


def verify(folder, service, what, warehouse):
    """Rows and files, as PyIceberg sees them."""
    catalog = load_catalog("lake", type="rest", uri=service, **({"warehouse": warehouse} if warehouse else {}))
    table = catalog.load_table((folder.name, "t"))
    ids = sorted(table.scan().to_arrow().column("id").to_pylist())
    expected = sorted("%s%d" % (file, row) for file in "ab" for row in range(ROWS))
    if ids != expected:
        fail(what, "expected %s, found %s" % (expected, ids))
    files = 0
    for snapshot in table.metadata.snapshots:
        for manifest in snapshot.manifests(table.io):
            for entry in manifest.fetch_manifest_entry(table.io, discard_deleted=True):
                files += 1
                if entry.data_file.content == DataFileContent.DATA and not table.io.new_input(entry.data_file.file_path).exists():
                    fail(what, "%s is referred to, and is not there" % entry.data_file.file_path)
    return files


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program")
    parser.add_argument("--times", type=int, default=1)
    options = parser.parse_args()
    program, service = str(pathlib.Path(options.program).resolve()), os.environ["CALVE_TEST_REST"]
    reference = "rest_reference" in os.environ.get("CALVE_TEST_REST_KIND", "rest_reference")
    keyed = pathlib.Path(os.environ["CALVE_TEST_REST_FOLDER"]) / "keyed"
    changes = total_runs = looks = keys = files = 0
    with tempfile.TemporaryDirectory(prefix="calve-faults-") as root:
        for kind in ["reference", "reference_with_keys"] if reference else ["calve_server"]:
            if kind == "reference_with_keys":
                keyed.touch()
            for way, status in WAYS:
                title = "%s %s" % (way, status or "")
                hits = again = 0
                for first in range(1, 100):
                    proxy = S3Faults(service)
                    folder = pathlib.Path(root) / ("%s_%s_%d_%d" % (kind, way, status, first))
                    warehouse = str(folder / "lake") if reference else ""
                    what = "%s, %s of change %d" % (kind, title, first)
                    fault = Fault(way, first=first, times=options.times, methods=("POST",), status=status)
                    hit, runs, log = load(program, folder, proxy, fault, what, warehouse)
                    proxy.server.shutdown()
                    proxy.server.server_close()
                    files += verify(folder, service, what, warehouse)
                    if not hit:
                        break
                    if way not in ("late", "doubled"):
                        looked, asked, neither = resolved(log, way)
                        if neither:
                            fail(what, "the change was followed by another one, unlooked: %s" % [(request.method, request.path, request.hit) for request in log])
                        looks, keys = looks + looked, keys + asked
                    hits += hit
                    again += runs - 2
                    matrix.record(CHECK, "calve", "equal")
                print("%-20s %-17s %2d changes hit, %2d times run again" % (kind, title, hits, again), flush=True)
                changes, total_runs = changes + hits, total_runs + again
    print("rest_faults: %d changes hit in %d ways; %d looked for, %d asked again under their key; %d times run again; every row once, all %d files there"
          % (changes, len(WAYS), looks, keys, total_runs, files))


if __name__ == "__main__":
    main()
