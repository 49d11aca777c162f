"""docs/interop.md: the words of page.md, and between them the matrix of checks and engines with the cause of each cell that is not whole."""
import collections, os, re

HERE = os.path.dirname(os.path.abspath(__file__))
ENGINES = {"java": "Iceberg Java", "spark": "Spark", "trino": "Trino", "flink": "Flink", "pyiceberg": "PyIceberg", "duckdb": "DuckDB", "chdb": "chdb"}
CHECKS = {
    1: "tables that others write, read by calve", 2: "tables that calve writes, read by others", 3: "the same by PyIceberg", 4: "the same by DuckDB",
    5: "manifests as Iceberg's Rust core reads them", 6: "fields, ids and header keys of manifests and lists", 7: "table metadata: valid, invalid, written again",
    8: "bucket of the specification's values, and of a million of each type", 9: "every transform over every type", 10: "bounds, byte for byte",
    11: "bounds of texts and bytes that are cut", 12: "counts and bounds of NaN, -0.0 and NULL", 13: "rows found by a filter on partitions and bounds",
    14: "deletion vectors, bit for bit", 15: "Puffin files", 16: "deletion vectors and position deletes", 17: "position deletes across an upgrade to version 3",
    18: "equality deletes", 19: "sequence numbers of rows and deletes", 20: "row ids", 21: "evolution of the schema by several writers",
    22: "evolution of the partition spec", 23: "files without ids and name mapping", 24: "defaults", 25: "variants", 26: "Parquet's encodings",
    27: "names and hints of metadata files", 28: "the compatibility kit on calve's server", 29: "the kit where commits require nothing: tests must fail",
    30: "replies of calve's server, each as the OpenAPI document says", 31: "clients of calve's server", 32: "calve as client of other servers", 33: "writers of several kinds on one table",
    34: "faults of the network at each change", 35: "kills of the server", 36: "a JDBC catalog of before views, shared", 37: "a Hive Metastore under its lock",
    40: "maintenance, by calve and by Spark, of tables that the other wrote",
}
# What calve itself cannot do of a check.
LACKING = {
}


def cell(results):
    equal = sum(r["count"] for r in results if r["outcome"] == "equal")
    other = {kind: sum(r["count"] for r in results if r["outcome"] == kind) for kind in ("known", "lacking", "failed")}
    parts = [str(equal)] if equal else []
    parts += [f"{count} {word}" for word, count in (("can't", other["known"]), ("lacking", other["lacking"]), ("**failed**", other["failed"])) if count]
    return ", ".join(parts)


def matrix(results):
    cells = collections.defaultdict(list)
    for result in results:
        cells[result["check"], result["engine"] if result["engine"] in ENGINES else "other"].append(result)
    lines = ["| check | " + " | ".join(ENGINES.values()) + " | others |", "|---|" + "--:|" * len(ENGINES) + "---|"]
    for check, title in CHECKS.items():
        row = [cell(cells[check, engine]) for engine in ENGINES]
        others = collections.defaultdict(list)
        for result in cells[check, "other"]:
            others[result["engine"]].append(result)
        said = [f"{engine} {cell(found)}" for engine, found in sorted(others.items())]
        said += ["lacking: " + LACKING[check]] if check in LACKING else []
        lines.append(f"| {check}. {title} | " + " | ".join(row) + f" | {'; '.join(said)} |")
    return "\n".join(lines)


def causes(results):
    """Each cause once, with how many comparisons it explains."""
    counted = collections.Counter()
    for result in results:
        if result["outcome"] in ("known", "lacking", "failed"):
            table, _, cause = result["cause"].partition(": ")
            counted[result["engine"], result["outcome"], cause or table] += result["count"]
    lines = []
    for (engine, outcome, cause), count in sorted(counted.items(), key=lambda item: (item[0][0], -item[1])):
        word = {"known": "", "lacking": "lacking: ", "failed": "**failed**: "}[outcome]
        lines.append(f"- {ENGINES.get(engine, engine)}, {count}: {word}{re.sub(r'/tmp/[^ ]*', '...', cause)[:300]}")
    return "\n".join(lines) or "None."


def write(place, results, golden):
    text = open(f"{HERE}/page.md").read()
    text = text.replace("{matrix}", matrix(results)).replace("{causes}", causes(results))
    text = text.replace("{golden}", "With" if golden else "Without")
    with open(place, "w") as out:
        out.write(text)
