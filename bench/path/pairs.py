"""Runs calve and its peers on the same data in turns, and says medians: wall seconds, CPU seconds, peak memory."""
import glob, hashlib, os, shutil, statistics, subprocess, sys, tempfile, time
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "bars"))
import bar
import checks

PEERS = f"{bar.ROOT}/build/bench/venv/bin/python"
SPARK = f"{bar.ROOT}/build/interop/venv/bin/python"
DATA = f"{bar.ROOT}/build/bench/data"
TYPES = "{l_linenumber: int, l_quantity: 'decimal(15,2)', l_extendedprice: 'decimal(15,2)', l_discount: 'decimal(15,2)', l_tax: 'decimal(15,2)'}"

def setup():
    subprocess.run([f"{bar.ROOT}/bench/peers/setup"], check=True)
    shown = subprocess.run([PEERS, "-c", "import importlib.metadata as m; print(', '.join(f'{p} {m.version(p)}' for p in ('pyiceberg', 'pyarrow', 'duckdb', 'dlt')))"],
                           capture_output=True, text=True, check=True)
    print(f"peers: {shown.stdout.strip()}; {os.cpu_count()} cores")

def data(form, rows=6_000_000):
    made = subprocess.run([PEERS, f"{HERE}/data.py", DATA, form, str(rows)], capture_output=True, text=True, check=True).stdout.split()
    print(f"data: {os.path.basename(made[0])}, {os.path.getsize(made[0]):,} bytes, sha256 {made[1]}...")
    return made[0]

class Run:
    """One run of a command: what it took, and what it printed."""
    def __init__(self, command):
        start = time.monotonic()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        self.wall, self.cpu, self.peak = time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1000
        if process.returncode != 0:
            sys.exit(f"{' '.join(command)} ended with {process.returncode}: {self.said[-2000:]}")

class Project:
    """A folder with one job that loads a file as the benchmark asks."""
    def __init__(self, source, loader="", contract=False, settings=""):
        self.folder = tempfile.mkdtemp(prefix="bench_", dir=f"{bar.ROOT}/build/bench")
        os.makedirs(f"{self.folder}/config/jobs")
        os.makedirs(f"{self.folder}/contracts")
        self.write("calve.yaml", settings)
        self.write("config/jobs/lineitem.yaml", f"source:\n{source}\nloader:\n  type: iceberg\n  database: bench\n  table: lineitem\n{loader}")
        if contract:
            self.write("contracts/bench.lineitem.yaml", checks.contract())

    def write(self, name, text):
        with open(f"{self.folder}/{name}", "w") as out:
            out.write(text)

    def calve(self, *arguments):
        return Run([bar.CALVE, "-C", self.folder, *arguments])

    def bytes(self):
        return sum(map(os.path.getsize, glob.glob(f"{self.folder}/warehouse/bench/lineitem/data/**/*.parquet", recursive=True)))

    def remove(self):
        shutil.rmtree(self.folder)

def csv_source(path):
    return f"  type: csv\n  source_path: {path}\n  types: {TYPES}"

def load(source, **options):
    """A function that loads once into a new table, and gives the run with the table's bytes."""
    def once():
        project = Project(source, **options)
        run = project.calve("run", "lineitem")
        run.bytes = project.bytes()
        project.remove()
        return run
    return once

def peer(name, form, path, *options):
    def once():
        with tempfile.TemporaryDirectory(prefix="bench_", dir=f"{bar.ROOT}/build/bench") as folder:
            run = Run([SPARK if name == "spark" else PEERS, f"{HERE}/peer.py", name, form, path, folder, *options])
            run.bytes = int(run.said.split()[-1])
            return run
    return once

class Median:
    def __init__(self, name, runs):
        self.name = name
        for figure in ("wall", "cpu", "peak", "bytes"):
            values = [getattr(run, figure) for run in runs if hasattr(run, figure)]
            setattr(self, figure, statistics.median(values) if values else 0)

    def __str__(self):
        size = f", {self.bytes / 1e6:.0f} MB written" if self.bytes else ""
        return f"{self.name}: {self.wall:.2f} s, {self.cpu:.2f} CPU s, {self.peak:.0f} MB{size}"

def alternate(count=5, **runs):
    """Medians by name of `count` rounds in which each runs once."""
    done = {name: [] for name in runs}
    for _ in range(count):
        for name, once in runs.items():
            done[name].append(once())
    medians = {name: Median(name, all_runs) for name, all_runs in done.items()}
    for median in medians.values():
        print(f"  {median}", flush=True)
    return medians
