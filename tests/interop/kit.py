#!/usr/bin/env python3
"""Iceberg's REST compatibility kit against `calve catalog serve`, through a proxy that holds every reply against Iceberg's OpenAPI document; and
again through one that strips what commits require.

usage: kit.py CALVE      reads ../shared/rck beside the repository; without it the checks are reported as not run. Needs Java 17 and Maven.
"""
import json, os, re, shutil, subprocess, sys, tempfile
import matrix
from proxy import Proxy
from replies import Replies

KIT = f"{os.path.dirname(os.path.abspath(__file__))}/../../../shared/rck/rck.sh"


def without_requirements(method, body):
    """A commit as it was sent, without what it requires of the table."""
    if method != "POST" or b'"requirements"' not in body:
        return body
    document = json.loads(body)
    for change in document.get("table-changes", [document]):
        change["requirements"] = [r for r in change.get("requirements", []) if r["type"] == "assert-create"]
    return json.dumps(document).encode()


def kit(calve, catalog, name, **proxied):
    """Passed and failed tests of one run on a fresh catalog."""
    project = tempfile.mkdtemp(prefix="calve_rck_")
    open(f"{project}/calve.yaml", "w").write(f"catalogs: {{lake: {catalog}}}\n")
    serving = subprocess.Popen([calve, "-C", project, "catalog", "serve", "--port", "0"], stdout=subprocess.PIPE, text=True,
                               env={**os.environ, "API_HOST": "127.0.0.1"})
    proxy = Proxy(int(re.search(r"http://127.0.0.1:(\d+)", serving.stdout.readline())[1]), **proxied)
    run = subprocess.run([KIT, f"http://127.0.0.1:{proxy.server_port}/", f"file://{project}/warehouse", "-Drck.requires-namespace-create=true"],
                         capture_output=True, text=True, env={**os.environ, "RCK_REPORTS": f"{project}/reports"})
    serving.terminate()
    serving.wait()
    proxy.shutdown()
    counted = {word: int(n) for n, word in re.findall(r"\[ +(\d+) tests (successful|failed|aborted|skipped) +\]", run.stdout)}
    print(name, counted, flush=True)
    failures = [line for line in run.stdout.splitlines() if "✘" in line]
    shutil.rmtree(project)
    return counted.get("successful", 0), counted.get("failed", -1), failures


def check_replies(replies):
    """Whether every reply of the server is as the document says, and every spoilt one is found out."""
    right, faults, missed = replies.check()
    for fault, count in faults.most_common():
        print(f"reply: {fault} ({count} times)")
    for words in missed:
        print(f"spoilt and not noticed: {words}")
    fault = next(iter(faults), f"{len(missed)} spoilt replies were not noticed" if missed else "" if right else "no reply")
    matrix.record(30, "kit", "failed" if fault else "equal", fault, right or 1)
    print(f"replies: {right} as the document says, {faults.total()} not; {len(missed)} spoilt ones not noticed")
    return not fault


def main():
    calve = os.path.abspath(sys.argv[1])
    if not os.path.exists(KIT):
        for check in (28, 29, 30):
            matrix.record(check, "kit", "known", "the kit is not here: this check was not run")
        print("kit: not here, not run")
        return
    replies = Replies()
    passed, failed, failures = kit(calve, "{type: sql}", "calve", saw=replies.saw)
    print("".join(line + "\n" for line in failures), end="")
    whole = (passed, failed) == (145, 0)
    matrix.record(28, "kit", "equal" if whole else "failed", "" if whole else f"{failed} tests fail", passed)
    described = check_replies(replies)
    _, stripped, _ = kit(calve, "{type: sql}", "strips requirements", change=without_requirements)
    matrix.record(29, "kit", "equal" if stripped >= 3 else "failed", "" if stripped >= 3 else f"only {stripped} tests fail without requirements", max(stripped, 0))
    print(f"kit: {passed} passed, {failed} failed; {'every reply' if described else 'not every reply'} as the document says; "
          f"without what commits require {stripped} fail")
    sys.exit(0 if whole and described and stripped >= 3 else 1)


if __name__ == "__main__":
    main()
