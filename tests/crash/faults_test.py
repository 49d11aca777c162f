#!/usr/bin/env python3
"""Break the promises on purpose, and see that tests/crash/faults finds it each time.

usage: faults_test.py CALVE       run with a Python that has PyIceberg

A program of our own stands before calve: it runs it, and then spoils what came of it.
"""
import concurrent.futures, importlib.machinery, os, re, stat, sys, tempfile

sys.dont_write_bytecode = True
faults = importlib.machinery.SourceFileLoader("faults", f"{os.path.dirname(os.path.abspath(__file__))}/faults").load_module()

PROGRAM = """#!{python}
import os, shutil, sqlite3, subprocess, sys
project = sys.argv[sys.argv.index("-C") + 1]
ended = subprocess.run(["{calve}"] + sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
code, said = ended.returncode, ended.stdout
published = code == 0 and not any(name in os.environ for name in ("DISK_BYTES", "DISK_REFUSED")) and b"nothing new" not in said
{sabotage}
sys.stdout.buffer.write(said)
sys.stdout.flush()
os._exit(code)  # else the library that plays the disk would report for this process too
"""
# What is done, under which fault, and what must be found.
SABOTAGES = [
    ("a failure is called a success", "code = 0", "disk full", "it ended with 0, but rows"),
    ("a failure has a code of its own", "code = 17 if code else 0", "disk full", "exit 17"),
    ("a failure is not explained", "said = b'' if code else said", "disk full", "the message does not say what happened"),
    ("a failure gives no advice", "said = b'the disk is full: ' + project.encode() + b'/x' if code else said", "disk full", "the message does not say what to do"),
    ("a file stays", """
if published:
    open(f"{project}/warehouse/demo/t/data/stray.parquet", "w").close()
""", "catalog's reply lost", "files that no snapshot reaches"),
    ("rows vanish", """
if published:
    with sqlite3.connect(f"{project}/metadata/catalog.db") as database:
        database.execute("UPDATE iceberg_tables SET metadata_location = previous_metadata_location")
""", "disk full", "but rows|has lost rows"),
    ("rows are doubled", """
if published and os.path.exists(f"{project}/contracts/demo.t.yaml"):
    os.remove(f"{project}/contracts/demo.t.yaml")
    shutil.copy(f"{project}/incoming/f00001.csv", f"{project}/incoming/again.csv")
    os.environ.pop("DISK_REPORT")
    subprocess.run(ended.args, stdout=subprocess.DEVNULL)
""", "disk full", "rows that are doubled"),
    ("a file of the table is gone", """
if published:
    for name in os.listdir(f"{project}/warehouse/demo/t/data"):
        os.remove(f"{project}/warehouse/demo/t/data/{name}")
""", "disk full", "main cannot be read"),
]


def look_for(calve, folder, number):
    """What is wrong with how a sabotage was found; nothing when it was."""
    what, sabotage, fault, expected = SABOTAGES[number]
    program = f"{folder}/calve{number}"
    with open(program, "w") as out:
        out.write(PROGRAM.replace("{python}", sys.executable).replace("{calve}", calve).replace("{sabotage}", sabotage))
    os.chmod(program, stat.S_IRWXU)
    lane = faults.Lane("local", program, 1, None, f"{folder}/disk.so", short=True)
    lane.work(3, fault, lambda _: None)
    if lane.failure and re.search(expected, lane.failure):
        return ""
    return f"{what}: expected a failure like '{expected}', found {lane.failure or 'none'}"


def main():
    calve = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory(prefix="calve_faults_test_") as folder, concurrent.futures.ThreadPoolExecutor(2) as pool:
        tempfile.tempdir = folder
        faults.build_disk(f"{folder}/disk.so")
        wrong = [text for text in pool.map(lambda number: look_for(calve, folder, number), range(len(SABOTAGES))) if text]
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(SABOTAGES)} broken promises were found")


if __name__ == "__main__":
    main()
