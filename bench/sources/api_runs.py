"""Seeded runs of the api source against a service that misbehaves: each loads, grows the collection, loads again, and counts.

usage: api_runs.py CALVE RUNS SEED      needs CALVE_TEST_API of tests/services/api.sh, and CALVE_TEST_STRIPE where stripe-mock is there
"""
import json, os, random, subprocess, sys, tempfile, urllib.request

CALVE, RUNS, SEED = os.path.abspath(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
API = os.environ["CALVE_TEST_API"]
ATTEMPTS_MAX = 20

STRATEGIES = {
    "page": ("", "pagination_strategy: page\n  pagination_config: {page_param: _page, size_param: _limit, size: SIZE, total_path: \"header:X-Total-Count\"}"),
    "link": ("", "params: {_page: \"1\", _limit: \"SIZE\"}\n  pagination_strategy: link"),
    "offset": ("/offset", "records_path: items\n  pagination_strategy: offset\n  pagination_config: {size_param: limit, size: SIZE, total_path: total}"),
    "cursor": ("/cursor", "records_path: data\n  pagination_strategy: cursor\n  pagination_config: {cursor_path: next_cursor, size_param: limit, size: SIZE}"),
}


def put(name, rows):
    request = urllib.request.Request(f"{API}/plain/_rows/{name}", json.dumps(rows).encode(), {"Content-Type": "application/json"}, method="POST")
    urllib.request.urlopen(request).read()


def calve(project, *arguments):
    return subprocess.run([CALVE, *arguments], cwd=project, capture_output=True, text=True)


def load(project):
    """How many runs ended with a clear error before one did well; None when that was none, or none did well."""
    for failed in range(ATTEMPTS_MAX):
        run = calve(project, "run", "t")
        if run.returncode == 0:
            return failed
        if run.returncode != 1 or "calve: " not in run.stderr:
            print(run.stderr)
            return None
    return None


def one_run(number, seed):
    """What went wrong, or None, and how often it was run again."""
    chance = random.Random(seed)
    strategy = list(STRATEGIES)[number % 4]
    word, options = STRATEGIES[strategy]
    name, size = f"t{seed}", chance.choice([1, 3, 7, 20])
    first, later = chance.randint(0, 9 * size), chance.randint(1, 3 * size)
    put(name, [{"id": n, "text": "x" * (n % 50), "at": f"2026-01-01T00:{n // 6 // 60:02}:{n // 6 % 60:02}Z"} for n in range(first)])
    with tempfile.TemporaryDirectory() as project:
        os.makedirs(f"{project}/config/jobs")
        open(f"{project}/config/jobs/t.yaml", "w").write(
            f"source:\n  type: api\n  base_url: {API}/faulty-{seed}{word}\n  endpoint: {name}\n  {options.replace('SIZE', str(size))}\n"
            "  incremental: true\n  cursor_column: at\n  cursor_param: at_gte\n  key: id\n  tries_max: 4\n"
            "loader: {type: iceberg, database: d, table: t}\n")
        again = load(project)
        put(name, [{"id": n, "text": "y", "at": f"2026-01-01T00:{n // 6 // 60:02}:{n // 6 % 60:02}Z"} for n in range(first, first + later)])
        more = load(project)
        if again is None or more is None:
            return f"{strategy}, seed {seed}: a run ended without a clear error", 0
        counted = calve(project, "query", "--format", "csv", "SELECT count(*), count(DISTINCT id), min(id), max(id) FROM d.t").stdout.split()[-1]
        expected = f"{first + later},{first + later},0,{first + later - 1}"
        if counted != expected:
            return f"{strategy}, seed {seed}: expected {expected}, found {counted}", 0
        return None, again + more


def stripe():
    """Whether Stripe's shapes are read, from what discover proposes."""
    base = f"source:\n  type: api\n  base_url: {os.environ['CALVE_TEST_STRIPE']}/v1\n  endpoint: ENDPOINT\n  auth_type: bearer\n  auth_config: {{token: sk_test_123}}\n"
    for endpoint in ("charges", "customers", "invoices", "payment_intents", "subscriptions"):
        with tempfile.TemporaryDirectory() as project:
            os.makedirs(f"{project}/config/jobs")
            job = base.replace("ENDPOINT", endpoint)
            loader = "loader: {type: iceberg, database: d, table: t}\n"
            open(f"{project}/config/jobs/t.yaml", "w").write(job + loader)
            found = json.loads(calve(project, "discover", "t", "--json").stdout or "{}")
            proposal = found.get("streams", [{}])[0].get("proposal", "")
            if "records_path: data" not in proposal or "cursor_param: starting_after" not in proposal:
                return f"{endpoint}: discover proposed {proposal!r}"
            open(f"{project}/config/jobs/t.yaml", "w").write(job + "".join(f"  {line}\n" for line in proposal.splitlines()) + loader)
            for _ in range(2):
                run = calve(project, "run", "t")
                if run.returncode != 0:
                    return f"{endpoint}: {run.stderr}"
            counted = calve(project, "query", "--format", "csv", "SELECT count(*) FROM d.t").stdout.split()[-1]
            if counted != "1":
                return f"{endpoint}: {counted} rows, expected 1"
    return None


def main():
    wrong, again, done = [], 0, 0
    for number in range(RUNS):
        fault, failed = one_run(number, SEED + number)
        done += 1
        again += failed
        if fault:
            wrong.append(fault)
            print(fault, flush=True)
    if "CALVE_TEST_STRIPE" in os.environ:
        fault = stripe()
        wrong += [fault] if fault else []
        print(f"stripe-mock: {fault or 'its charges, customers, invoices, payment intents and subscriptions are read as discover proposes'}")
    print(f"{done} runs, {again} ended with a clear error and were run again, {len(wrong)} wrong")
    sys.exit(1 if wrong else 0)


main()
