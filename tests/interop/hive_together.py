#!/usr/bin/env python3
"""calve, Spark and Trino append to one table of a Hive Metastore 3.1.3 at once, under its lock: no update is lost.

usage: tests/services/with hive_metastore.sh trino.sh -- build/interop/venv/bin/python tests/interop/hive_together.py CALVE [--commits 10]
"""
import argparse, json, os, shutil, subprocess, sys, tempfile, threading, time
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import matrix
from engines import Spark
from sql_servers import SqlError, Trino

HERE = os.path.dirname(os.path.abspath(__file__))
CHECK = 37  # of docs/interop.md
GIVE_UP_S = 300


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("calve")
    parser.add_argument("--commits", type=int, default=10)
    options = parser.parse_args()
    program, uri = os.path.abspath(options.calve), os.environ["CALVE_TEST_HIVE"]
    folder = tempfile.mkdtemp(prefix="calve-hive-together-")
    os.makedirs(f"{folder}/config/jobs")
    with open(f"{folder}/calve.yaml", "w") as out:
        out.write(f"catalogs:\n  hms: {{type: hive, uri: '{uri}', warehouse: 'file://{folder}/lake'}}\n")

    def calve(*words):
        return subprocess.run([program, "-C", folder, *words], capture_output=True, text=True)

    def load(job, row):
        with open(f"{folder}/config/jobs/{job}.yaml", "w") as out:
            json.dump({"source": {"type": "inline", "types": {"id": "long", "writer": "string"}, "rows": [{"id": row, "writer": "calve"}]},
                       "loader": {"type": "iceberg", "database": "shop", "table": "t"}}, out)
        return calve("run", job)

    made = load("first", 0)
    if made.returncode != 0:
        sys.exit(f"hive_together: calve cannot make the table: {made.stderr or made.stdout}")
    java_home = subprocess.run([f"{HERE}/java_home"], capture_output=True, text=True, check=True).stdout.strip()
    spark = Spark(folder, f"{HERE}/../../build/interop/jars", java_home)
    for key, value in {"": "org.apache.iceberg.spark.SparkCatalog", ".type": "hive", ".uri": uri, ".cache-enabled": "false"}.items():
        spark.session.sparkContext._jsc.sc().conf().set(f"spark.sql.catalog.hms{key}", value)  # for sessions to come
        spark.session.conf.set(f"spark.sql.catalog.hms{key}", value)
    spark.sql("ALTER TABLE hms.shop.t SET TBLPROPERTIES ('commit.retry.num-retries'='50', 'commit.retry.max-wait-ms'='2000')")
    trino = Trino(os.environ["CALVE_TEST_TRINO"])
    trino.add_catalog("hms", iceberg__catalog__type="hive_metastore", hive__metastore__uri=uri, fs__native_local__enabled="true", local__location="/")
    acknowledged, faults, lock = [0], [], threading.Lock()
    acts = {"calve": lambda row: load(f"at_{row}", row), "calve too": lambda row: load(f"at_{row}", row),
            "spark": lambda row: spark.session.newSession().sql(f"INSERT INTO hms.shop.t VALUES ({row}, 'spark')"),
            "trino": lambda row: trino.sql(f"INSERT INTO hms.shop.t VALUES ({row}, 'trino')")}

    def work(number, name):
        for step in range(options.commits):
            row, began = 1000 * (number + 1) + step, time.monotonic()
            while True:
                try:
                    done = acts[name](row)
                    said = "" if not hasattr(done, "returncode") or done.returncode == 0 else done.stderr or done.stdout
                    if said and done.returncode != 1:
                        raise RuntimeError(said)
                except Exception as error:
                    said = str(error)
                    # What says for sure that nothing was changed may be done again.
                    sure = isinstance(error, SqlError) and "ICEBERG_COMMIT_ERROR" in said or "CommitFailedException" in said
                    if not sure:
                        with lock:
                            faults.append(f"{name}: {said.strip().splitlines()[0][:300]}")
                        return
                if not said:
                    with lock:
                        acknowledged.append(row)
                    break
                if time.monotonic() - began > GIVE_UP_S:
                    with lock:
                        faults.append(f"{name}: row {row} was not taken within {GIVE_UP_S} s: {said[:200]}")
                    return

    threads = [threading.Thread(target=work, args=(number, name)) for number, name in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seen = {"trino": sorted(row[0] for row in trino.sql("SELECT id FROM hms.shop.t").rows), "spark": sorted(row.id for row in spark.sql("SELECT id FROM hms.shop.t").collect()),
            "calve": sorted(int(line) for line in calve("query", "--format", "csv", "--limit", "0", "SELECT id FROM hms.shop.t").stdout.split()[1:])}
    for engine, found in seen.items():
        fault = None if found == sorted(acknowledged) else f"{len(found)} rows, {len(acknowledged)} acknowledged"
        fault = fault or next((said for said in faults if said.startswith(engine)), None)
        matrix.record(CHECK, engine, "failed" if fault else "equal", fault or "", options.commits)
        if fault:
            print(f"  {engine}: {fault}")
            faults.append(fault)
    spark.session.stop()
    shutil.rmtree(folder, ignore_errors=True)
    print(f"hive together: {len(acknowledged)} commits acknowledged, {len(seen['calve'])} rows, {len(faults)} faults")
    sys.exit(1 if faults else 0)


main()
