"""What happens to a table in a history: each step is done by calve or by Spark, and to the model.

A step takes the history and gives words that say what was done, or None when it does not suit the table as it is. `history.commit` runs what may
commit and gives the row ids that were assigned meanwhile and the sequence number of main after it.
"""
import json
import pyarrow
from engines import CATALOG, Refused
from model import FIXED, WIDER

SPARK_TYPES = {"int": "int", "long": "bigint", "float": "float", "double": "double", "string": "string", "boolean": "boolean", "decimal(9, 2)": "decimal(9,2)",
               "decimal(20, 2)": "decimal(20,2)", "date": "date"}
FREE = [kind for kind in SPARK_TYPES if kind not in ("decimal(20, 2)",)]
SPECS = [[], ["part"], ["bucket(4, id)"], ["part", "month(day)"], ["day(day)"], ["truncate(2, part)", "bucket(3, id)"]]
PARTITIONS_ARE_PARTS = [["part"]]


# ---- Rows, by calve.

def append(h):
    values = h.new_rows(h.rng.randrange(1, 120))
    h.load(values, write_mode="append")
    return f"append {len(values)} rows"


def merge(h):
    ids = h.rng.sample(h.model.ids(), min(len(h.model.ids()), h.rng.randrange(1, 40))) + [h.fresh_id() for _ in range(h.rng.randrange(0, 20))]
    values = h.model.new_values(h.rng, len(ids), ids)
    gone = h.model.where("id", set(ids).__contains__)
    h.load(values, gone=gone, write_mode="merge", key=["id"])
    return f"merge {len(values)} rows, {len(gone)} give way"


def merge_changes(h):
    """A list of changes: a key several times, of which the row with the greatest u holds; some of them delete."""
    ids = h.rng.sample(h.model.ids(), min(len(h.model.ids()), h.rng.randrange(1, 30))) + [h.fresh_id() for _ in range(h.rng.randrange(0, 10))]
    ids = [i for i in ids for _ in range(h.rng.choice([1, 1, 2, 3]))]
    values = h.model.new_values(h.rng, len(ids), ids)
    h.rng.shuffle(values)
    flags = [h.rng.choice([True, False, False, None]) for _ in values]
    key, u = h.model.key_of("id"), h.model.key_of("u")
    latest = {}
    for row, flag in sorted(zip(values, flags), key=lambda change: change[0][u]):
        latest[row[key]] = (row, flag)
    table = h.model.arrow(values)
    table = table.append_column("gone", pyarrow.array(flags, pyarrow.bool_()))
    gone = h.model.where("id", set(ids).__contains__)
    held = [row for row, flag in latest.values() if not flag]
    h.load_table(table, held, gone=gone, write_mode="merge", key=["id"], latest_by=["u"], delete_flag="gone")
    return f"merge {len(values)} changes, {len(held)} rows hold, {len(gone)} give way"


def overwrite_part(h):
    """Rows of a part give way: as a whole where partitions are parts, else files that hold others too are refused."""
    part = h.rng.choice(["north", "south", None])
    values = h.new_rows(h.rng.randrange(1, 30))
    gone = h.model.where("part", lambda found: found == part)
    try:
        h.load(values, gone=gone, write_mode="overwrite", overwrite="filter", where={"part": part})
    except Refused as error:
        if h.specs == PARTITIONS_ARE_PARTS or "every row or no row" not in str(error):
            raise
        return f"overwrite where part is {part}: refused, a file has other rows"
    return f"overwrite where part is {part}: {len(gone)} rows give way to {len(values)}"


def overwrite_partitions(h):
    if h.specs != PARTITIONS_ARE_PARTS:
        return None
    values = h.new_rows(h.rng.randrange(1, 6))
    key = h.model.key_of("part")
    parts = {row[key] for row in values}
    gone = h.model.where("part", parts.__contains__)
    h.load(values, gone=gone, write_mode="overwrite", overwrite="partitions")
    return f"overwrite partitions {sorted(map(str, parts))}: {len(gone)} rows give way to {len(values)}"


def overwrite_table(h):
    if h.rng.random() < 0.7:
        return None
    values = h.new_rows(h.rng.randrange(100, 400))
    h.load(values, gone=list(h.model.rows), write_mode="overwrite")
    return f"overwrite all by {len(values)} rows"


# ---- SQL by calve.

SQL_TYPES = {"int": "INTEGER", "long": "BIGINT", "float": "FLOAT", "double": "DOUBLE", "string": "VARCHAR", "boolean": "BOOLEAN", "decimal(9, 2)": "DECIMAL(9,2)",
             "decimal(20, 2)": "DECIMAL(20,2)", "date": "DATE"}


def literals(h, values):
    """Rows as SQL's VALUES."""
    def literal(item, kind):
        text = "NULL" if item is None else "'" + str(item).replace("'", "''") + "'"
        return f"CAST({text} AS {SQL_TYPES[kind]})"
    return ", ".join("(" + ", ".join(literal(row[c.key], c.type) for c in h.model.columns) + ")" for row in values)


def sql_insert(h):
    values = h.new_rows(h.rng.randrange(1, 20))
    names = ", ".join(c.name for c in h.model.columns)
    ids, changed = h.commit(lambda: h.calve("query", f"INSERT INTO {h.table} ({names}) VALUES {literals(h, values)}"))
    h.model.add(values, ids, changed)
    return f"INSERT of {len(values)} rows"


def sql_delete(h):
    n = h.rng.randrange(3, 12)
    gone = h.model.where("id", lambda i: i % n == 0)
    h.commit(lambda: h.calve("query", f"DELETE FROM {h.table} WHERE id % {n} = 0"))
    h.model.remove(gone)
    return f"DELETE of {len(gone)} rows"


def sql_update(h):
    """Rows that are updated stay who they are."""
    n, part = h.rng.randrange(2, 9), h.rng.choice(["north", "west"])
    us = h.model.where("id", lambda i: i % n == 1)
    _, changed = h.commit(lambda: h.calve("query", f"UPDATE {h.table} SET part = '{part}' WHERE id % {n} = 1"))
    for u in us:
        h.model.update(u, {h.model.key_of("part"): part}, changed)
    return f"UPDATE of {len(us)} rows"


def merge_by(h, run, source):
    """MERGE by SQL of whose engine ever: rows that match keep their u, and who they are."""
    ids = h.rng.sample(h.model.ids(), min(len(h.model.ids()), 20)) + [h.fresh_id() for _ in range(10)]
    values = h.model.new_values(h.rng, len(ids), ids)
    names = [c.name for c in h.model.columns]
    sets = ", ".join(f"{name} = n.{name}" for name in names if name != "u")
    assigned, changed = h.commit(lambda: run(
        f"USING {source(values)} n ON t.id = n.id WHEN MATCHED THEN UPDATE SET {sets} WHEN NOT MATCHED THEN INSERT ({', '.join(names)}) "
        f"VALUES ({', '.join('n.' + name for name in names)})"))
    key, u = h.model.key_of("id"), h.model.key_of("u")
    for row in values:
        matched = h.model.where("id", lambda i: i == row[key])
        for other in matched:
            h.model.update(other, {k: v for k, v in row.items() if k != u}, changed)
        if not matched:
            h.model.add([row], assigned, changed)
    return f"MERGE of {len(values)} rows"


def sql_merge(h):
    names = ", ".join(c.name for c in h.model.columns)
    return merge_by(h, lambda rest: h.calve("query", f"MERGE INTO {h.table} AS t {rest}"),
                    lambda values: f"(SELECT * FROM (VALUES {literals(h, values)}) AS v({names}))")


SQL = [(sql_insert, 2), (sql_delete, 3), (sql_update, 3), (sql_merge, 3)]


# ---- Columns and specs, by calve.

def evolve_columns(h):
    free = [c for c in h.model.columns if c.name not in dict(FIXED)]
    does, column = h.rng.choice(["add", "add", "drop", "rename", "widen", "move"]), h.rng.choice(free) if free else None
    if does != "add" and column is None or does == "widen" and column.type not in WIDER:
        does = "add"
    names = {c.name for c in h.model.columns}
    new = h.rng.choice([name for name in (f"c{i}" for i in range(12)) if name not in names])  # also of one that was dropped
    if does == "add":
        kind = h.rng.choice(FREE)
        said = f"add {new} {kind}"
    else:
        said = {"drop": f"drop {column.name}", "rename": f"rename {column.name} to {new}", "widen": f"widen {column.name} to {WIDER.get(column.type)}",
                "move": f"move {column.name} after day"}[does]
    h.alter(said)
    if does == "add":
        h.model.columns.append(h.model.column(new, kind))
    elif does == "drop":
        h.model.columns.remove(column)
    elif does == "rename":
        column.name = new
    elif does == "widen":
        column.type = WIDER[column.type]
    else:
        h.model.columns.remove(column)
        h.model.columns.insert(len(FIXED), column)
    return said


def evolve_spec(h):
    spec = h.rng.choice([s for s in SPECS if s != h.specs[-1]])
    h.alter("partition by " + (", ".join(spec) or "nothing"))
    h.specs.append(spec)
    return f"partition by {spec}"


def upgrade(h):
    if h.model.version >= 3 or h.rng.random() < 0.6:
        return None
    h.alter("upgrade to format 3")
    h.model.upgrade()
    return "upgrade to format 3"


# ---- Upkeep, by calve.

def compact(h):
    words = ["--all"] if h.rng.random() < 0.4 else ["--min-files", str(h.rng.randrange(2, 6))]
    h.commit(lambda: h.calve("table", "compact", h.table, *words))
    return "compact " + " ".join(words)


def rewrite_manifests(h):
    words = ["--all"] if h.rng.random() < 0.5 else []
    h.commit(lambda: h.calve("table", "rewrite-manifests", h.table, *words))
    return "manifests " + " ".join(words)


def expire(h):
    words = ["--older-than", "0s", *(["--keep", str(h.rng.randrange(2, 5))] if h.rng.random() < 0.3 else [])]
    h.calve("table", "expire", h.table, *words)
    return "expire " + " ".join(words)


def orphans(h):
    """Nothing is lost in a history without kills: what is found is what should have gone."""
    found = json.loads(h.calve("table", "orphans", h.table, "--older-than", "0s", "--delete", "--json").stdout)
    h.orphans += len(found.get("files", []))
    return f"orphans: {len(found.get('files', []))} found"


def tag(h):
    name = f"t{len(h.model.tags)}"
    h.calve("table", "tag", h.table, name)
    h.model.tag(name)
    return f"tag {name}"


def rollback(h):
    if not h.model.tags or h.rng.random() < 0.5:
        return None
    name = h.rng.choice(sorted(h.model.tags))
    try:
        h.calve("table", "rollback", h.table, "--to", name)
    except Refused as error:
        if "is no ancestor of main" not in str(error):
            raise
        return f"rollback to {name}: refused, the snapshots between are gone"
    h.model.rollback(name)
    return f"rollback to {name}"


# ---- Branches: loads whose audit fails wait until somebody decides.

def allow_all(h):
    h.project.write(f"contracts/{h.table}.yaml", {"columns": {"u": {"type": "long"}}})


def stage(h):
    values = h.model.new_values(h.rng, 5, [h.fresh_id() for _ in range(5)])
    part = h.model.key_of("part")
    for row in values:
        row[part] = "staged"
    run = h.project.load(h.table, h.model.arrow(values), contract={"checks": [{"unique": ["part"]}]}, check=False)
    allow_all(h)
    if run.returncode != 4:
        raise Refused(f"an audit that must fail ended with {run.returncode}: {run.stderr}")
    branches = {b["branch"] for b in json.loads(h.calve("branch", "list", "--json").stdout) if b["table"] == h.table} - h.model.staged.keys()
    branch, = (b for b in branches if b.startswith("audit_"))
    h.model.staged[branch] = values
    return f"stage 5 rows on {branch}"


def publish(h):
    if not h.model.staged:
        return None
    branch = h.rng.choice(sorted(h.model.staged))
    ids, changed = h.commit(lambda: h.calve("branch", "publish", branch, "--by", "somebody"))
    h.model.add(h.model.staged.pop(branch), ids, changed)
    return f"publish {branch}"


def discard(h):
    if not h.model.staged:
        return None
    branch = h.rng.choice(sorted(h.model.staged))
    h.calve("branch", "discard", branch)
    del h.model.staged[branch]
    return f"discard {branch}"


CALVE = [(append, 6), (merge, 6), (merge_changes, 4), (overwrite_part, 2), (overwrite_partitions, 3), (overwrite_table, 1), (evolve_columns, 5), (evolve_spec, 2), (upgrade, 1),
         (compact, 4), (rewrite_manifests, 2), (expire, 3), (orphans, 2), (tag, 2), (rollback, 1), (stage, 2), (publish, 2), (discard, 1)]


# ---- By Spark.

def spark_insert(h):
    values = h.new_rows(h.rng.randrange(1, 60))
    h.spark_view(values)
    names = ", ".join(c.name for c in h.model.columns)
    ids, changed = h.commit(lambda: h.sql(f"INSERT INTO {h.at} ({names}) SELECT {names} FROM news"))
    h.model.add(values, ids, changed)
    return f"INSERT of {len(values)} rows"


def spark_delete(h):
    n = h.rng.randrange(3, 12)
    gone = h.model.where("id", lambda i: i % n == 0)
    h.commit(lambda: h.sql(f"DELETE FROM {h.at} WHERE id % {n} = 0"))
    h.model.remove(gone)
    return f"DELETE of {len(gone)} rows"


def spark_update(h):
    n, part = h.rng.randrange(3, 9), h.rng.choice(["north", "west"])
    us = h.model.where("id", lambda i: i % n == 1)
    _, changed = h.commit(lambda: h.sql(f"UPDATE {h.at} SET part = '{part}' WHERE id % {n} = 1"))
    for u in us:
        h.model.update(u, {h.model.key_of("part"): part}, changed)
    return f"UPDATE of {len(us)} rows"


def spark_merge(h):
    def view(values):
        h.spark_view(values)
        return "news"
    return merge_by(h, lambda rest: h.sql(f"MERGE INTO {h.at} t {rest}"), view)


def spark_columns(h):
    free = [c for c in h.model.columns if c.name not in dict(FIXED)]
    does, names = h.rng.choice(["add", "drop", "rename", "widen"]), {c.name for c in h.model.columns}
    column = h.rng.choice(free) if free else None
    if column is None or does == "widen" and column.type not in WIDER:
        does = "add"
    new = h.rng.choice([name for name in (f"c{i}" for i in range(12)) if name not in names])
    kind = h.rng.choice(FREE)
    h.sql(f"ALTER TABLE {h.at} " + {
        "add": lambda: f"ADD COLUMN {new} {SPARK_TYPES[kind]}", "drop": lambda: f"DROP COLUMN {column.name}", "rename": lambda: f"RENAME COLUMN {column.name} TO {new}",
        "widen": lambda: f"ALTER COLUMN {column.name} TYPE {SPARK_TYPES[WIDER[column.type]]}"}[does]())
    if does == "add":
        h.model.columns.append(h.model.column(new, kind))
    elif does == "drop":
        h.model.columns.remove(column)
    elif does == "rename":
        column.name = new
    else:
        column.type = WIDER[column.type]
    return f"ALTER: {does} {column.name if column and does != 'add' else new}"


def spark_spec(h):
    """A field more, or one less."""
    now = list(h.specs[-1])
    field = {"bucket(4, id)": "bucket(4, id)", "part": "part", "day(day)": "days(day)"}
    if now and now[-1] in field and h.rng.random() < 0.5:
        h.sql(f"ALTER TABLE {h.at} DROP PARTITION FIELD {field[now[-1]]}")
        h.specs.append(now[:-1])
        return f"DROP PARTITION FIELD {now[-1]}"
    new = h.rng.choice(sorted(field))
    taken = {name.split("(")[-1].rstrip(")").split(", ")[-1] for name in now}
    if new.split("(")[-1].rstrip(")").split(", ")[-1] in taken | {f for f in now} or "truncate(2, part)" in now:
        return None
    h.sql(f"ALTER TABLE {h.at} ADD PARTITION FIELD {field[new]}")
    h.specs.append(now + [new])
    return f"ADD PARTITION FIELD {new}"


def spark_call(h):
    name = f"'{h.table}'"
    call = h.rng.choice([f"rewrite_data_files(table => {name}, options => map('rewrite-all', 'true'))", f"rewrite_manifests({name})",
                         f"rewrite_position_delete_files(table => {name}, options => map('rewrite-all', 'true'))",
                         f"expire_snapshots(table => {name}, older_than => TIMESTAMP '2100-01-01 00:00:00', retain_last => 2)"])
    h.commit(lambda: h.sql(f"CALL {CATALOG}.system.{call}"))
    return f"CALL {call.split('(')[0]}"


SPARK = [(spark_insert, 4), (spark_delete, 4), (spark_update, 4), (spark_merge, 5), (spark_columns, 3), (spark_spec, 1), (spark_call, 4)]
