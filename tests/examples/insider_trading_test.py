#!/usr/bin/env python3
"""The project of examples/insider_trading loads its register, by pages and by the export. usage: insider_trading_test.py CALVE"""
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "insider_trading"
CALVE = os.path.abspath(sys.argv[1])
EXPECTED = """issuer,volume,price
Nordlake Shipping AB,3000,92.000
Tammi Forest Oyj,150000,7.125
Grenen Bryggeri A/S,2000,88.000
Fjell Kraft ASA,800,1212.500
Nordlake Shipping AB,12500,104.350
"""

with tempfile.TemporaryDirectory() as folder:
    project = Path(folder) / "project"
    shutil.copytree(EXAMPLE, project)
    # The register of the example need not be spared.
    job = project / "config" / "jobs" / "transactions.yaml"
    job.write_text(job.read_text() + "source: {requests_per_minute: 0}\n")
    job = project / "config" / "jobs" / "export.yaml"
    job.write_text(job.read_text().replace("  next_page:\n", "  next_page:\n  requests_per_minute: 0\n"))
    register = subprocess.Popen([sys.executable, EXAMPLE / "register.py"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    environment = {**os.environ, "REGISTER": f"http://127.0.0.1:{register.stdout.readline().strip()}"}
    try:
        for job, table in (("transactions", "insider_trading"), ("export", "insider_trading_export")):
            for command in (["run", job], ["query", "--format", "csv", f"SELECT issuer, volume, price FROM finance.{table} ORDER BY publication_date"]):
                ended = subprocess.run([CALVE, "-C", project, *command], capture_output=True, text=True, env=environment)
                if ended.returncode != 0:
                    sys.exit(f"calve {' '.join(command)} failed: {ended.stderr}")
            if ended.stdout != EXPECTED:
                sys.exit(f"expected\n{EXPECTED}found\n{ended.stdout}")
            print(f"{job}: {len(EXPECTED.splitlines()) - 1} rows as expected")
    finally:
        register.stdin.close()
        register.wait()
