"""What every bar shares: its limit from limits.yaml, the test Python, and the one last line."""
import os, re, subprocess, sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CALVE = os.environ.get("CALVE", f"{ROOT}/build/calve")

def limit(name):
    for line in open(f"{ROOT}/bench/bars/limits.yaml"):
        found = re.match(rf'{name}: "(.*)"$', line.strip())
        if found:
            return found[1]
    sys.exit(f"limits.yaml has no limit for {name}")

def test_python():
    """A Python that has PyIceberg: the one of the lock file's test group."""
    subprocess.run([f"{ROOT}/tools/bootstrap", "test"], check=True)
    return f"{ROOT}/.deps/test-venv/bin/python"

def end(name, figure, passed):
    print(f"{name}: {figure}; limit: {limit(name)} {'PASS' if passed else 'SHORT'}")
    sys.exit(0 if passed else 1)
