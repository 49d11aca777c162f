"""Load through a REST catalog while requests that change it fail, each in turn and in each way: the rows come in once.

usage: tests/services/with rest_reference.sh -- python3 tests/interop/rest_faults.py PROGRAM
"""
import os
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "services"))
from s3_faults import Fault, S3Faults  # noqa: E402

WAYS = ["error_before", "error_after", "no_reply", "cut_reply", "cut_head", "short_reply", "slow_down"]
RUNS_MAX = 3  # of a load that says that its outcome is unknown, or the server away
ROWS = 3


def run(program, folder, *words):
    return subprocess.run([program, "-C", str(folder), *words], capture_output=True, text=True)


def load(program, folder, proxy, way, first):
    """Load a new table, then more rows into it, with one request hit. Returns whether it was, and how often calve was run."""
    (folder / "config/jobs").mkdir(parents=True)
    (folder / "in").mkdir()
    (folder / "calve.yaml").write_text("catalogs:\n  lake: {type: rest, uri: '%s', warehouse: '%s'}\n" % (proxy.url, folder / "lake"))
    (folder / "config/jobs/load.yaml").write_text(
        "source: {type: csv, source_path: in/, incremental: true}\nloader: {type: iceberg, database: demo, table: t}\n")
    proxy.arm(Fault(way, first=first, methods=("POST",)))
    runs = 0
    for file in ("a", "b"):
        (folder / "in" / (file + ".csv")).write_text("id\n" + "".join("%s%d\n" % (file, row) for row in range(ROWS)))
        for _ in range(RUNS_MAX):
            runs += 1
            done = run(program, folder, "run", "load")
            if done.returncode == 0:
                break
        else:
            sys.exit("rest_faults: %s of change %d: %s%s" % (way, first, done.stdout, done.stderr))
    hit, _ = proxy.disarm()
    counted = run(program, folder, "query", "--format", "csv", "SELECT count(*) AS n, count(DISTINCT id) AS d FROM lake.demo.t").stdout.split()
    if counted[1:] != ["%d,%d" % (2 * ROWS, 2 * ROWS)]:
        sys.exit("rest_faults: %s of change %d: expected %d rows, each once, found %s" % (way, first, 2 * ROWS, counted[1:]))
    return hit, runs


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    keyed = pathlib.Path(os.environ["CALVE_TEST_REST_FOLDER"]) / "keyed"
    with tempfile.TemporaryDirectory(prefix="calve-faults-") as root:
        for kind in ("without keys", "with keys"):
            if kind == "with keys":
                keyed.touch()
            for way in WAYS:
                hits = again = 0
                for first in range(1, 100):
                    proxy = S3Faults(os.environ["CALVE_TEST_REST"])
                    hit, runs = load(program, pathlib.Path(root) / ("%s-%s-%d" % (kind.split()[0], way, first)), proxy, way, first)
                    if not hit:
                        break
                    hits += 1
                    again += runs - 2
                print("%-13s %-13s %2d changes hit, %2d times run again" % (kind, way, hits, again))


if __name__ == "__main__":
    main()
