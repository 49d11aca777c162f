#!/usr/bin/env python3
"""The transformers of examples/exec, in Python and in C++, make the same of the same rows. usage: exec_test.py CALVE INITIALS"""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CALVE, INITIALS = (os.path.abspath(path) for path in sys.argv[1:3])
PYTHON = ROOT / ".deps" / "test-venv" / "bin" / "python"
ROWS = "".join(f"{n},{name}\n" for n, name in enumerate(["ada lovelace", "", "grace brewster murray hopper"] * 70_000))
EXPECTED = "".join(f"{n},{name},{made}\n" for n, (name, made) in
                   enumerate([("ada lovelace", "AL"), ("", ""), ("grace brewster murray hopper", "GBMH")] * 70_000))


def made_by(command):
    with tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        (project / "config" / "jobs").mkdir(parents=True)
        (project / "in").mkdir()
        (project / "calve.yaml").write_text("")
        (project / "in" / "a.csv").write_text("n,name\n" + ROWS)
        (project / "config" / "jobs" / "t.yaml").write_text(f"""
source: {{type: csv, source_path: in/a.csv}}
transformer: {{type: exec, command: [{', '.join(map(str, command))}]}}
loader: {{type: iceberg, database: demo, table: t}}
""")
        run = subprocess.run([CALVE, "-C", folder, "extract", "t", "--to", "csv"], capture_output=True, text=True)
        if run.returncode != 0:
            sys.exit(f"{command} failed: {run.stderr}")
        return run.stdout


for command in ([PYTHON, ROOT / "examples" / "exec" / "initials.py"], [INITIALS]):
    made = made_by(command)
    if made != "n,name,initials\n" + EXPECTED:
        sys.exit(f"{command} made other rows than expected:\n{made[:500]}")
    print(f"{Path(command[-1]).name}: {len(made.splitlines()) - 1} rows as expected")
