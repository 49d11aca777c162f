"""A table as plain Python has it: columns, rows, tags and staged loads. It knows no file, no snapshot and no engine."""
import dataclasses, datetime as dt, decimal
import pyarrow as pa

TYPES = {"int": pa.int32(), "long": pa.int64(), "float": pa.float32(), "double": pa.float64(), "string": pa.string(), "boolean": pa.bool_(),
         "decimal(9, 2)": pa.decimal128(9, 2), "decimal(20, 2)": pa.decimal128(20, 2), "date": pa.date32()}
WIDER = {"int": "long", "float": "double", "decimal(9, 2)": "decimal(20, 2)"}
# Never dropped, renamed or widened: u tells versions of rows apart, id is the key of merges, specs are made of id, part and day.
FIXED = [("u", "long"), ("id", "long"), ("part", "string"), ("day", "date")]


@dataclasses.dataclass
class Column:
    key: int  # what stays when it is renamed
    name: str
    type: str


class Row:
    """One version of a row, shared by all that hold it. Who it is in version 3 is learnt once, within bounds, and must stay so."""

    def __init__(self, values, ids=None, changed=None, row_id=None):
        self.values, self.ids, self.changed, self.row_id = values, ids, changed, row_id

    def unassigned(self):
        return Row(self.values)


@dataclasses.dataclass
class Tag:
    columns: list
    rows: dict
    numbered: bool  # its rows have ids


class Model:
    def __init__(self, version, extra):
        self.version, self.numbered = version, version >= 3
        self.keys = 0
        self.columns = [self.column(name, kind) for name, kind in FIXED + extra]
        self.rows = {}    # by u
        self.main = []    # the columns of main's snapshot, which a reader of a tag sees
        self.tags = {}
        self.staged = {}  # by branch: the rows that its publish appends
        self.next_u = 0

    def column(self, name, kind):
        self.keys += 1
        return Column(self.keys, name, kind)

    # ---- Rows.

    def key_of(self, name):
        return next(c.key for c in self.columns if c.name == name)

    def new_values(self, rng, count, ids):
        """Values of new rows, by column key."""
        made = []
        for i in range(count):
            values = {column.key: value(rng, column.type) for column in self.columns}
            values[self.key_of("u")], values[self.key_of("id")] = self.next_u, ids[i]
            values[self.key_of("part")] = rng.choice(["north", "south", "east", None])
            values[self.key_of("day")] = dt.date(1970, 1, 1) + dt.timedelta(rng.randrange(-40, 40))
            self.next_u += 1
            made.append(values)
        return made

    def arrow(self, values):
        columns = self.columns
        return pa.table({c.name: pa.array([row[c.key] for row in values], TYPES[c.type]) for c in columns})

    def add(self, values, ids=None, changed=None):
        """`ids`: the range that the commit has assigned, `changed`: its sequence number."""
        for row in values:
            self.rows[row[self.key_of("u")]] = Row(row, ids, changed)

    def ids(self):
        key = self.key_of("id")
        return sorted({row.values[key] for row in self.rows.values()})

    def where(self, name, test):
        """The u of rows whose value passes."""
        key = self.key_of(name)
        return [u for u, row in self.rows.items() if test(row.values.get(key))]

    def remove(self, us):
        for u in us:
            del self.rows[u]

    def update(self, u, values, changed, ids=None):
        """The row goes on as itself, or, with `ids`, as a new one."""
        old = self.rows[u]
        self.rows[u] = Row({**old.values, **values}, ids, changed, None if ids else old.row_id)

    # ---- Tags.

    def committed(self):
        """Main has a new snapshot, of the columns as they are."""
        self.main = [dataclasses.replace(c) for c in self.columns]
        self.numbered = self.version >= 3

    def tag(self, name):
        self.tags[name] = Tag(self.main, dict(self.rows), self.numbered)

    def rollback(self, name):
        tag = self.tags[name]
        self.rows, self.main = dict(tag.rows), tag.columns
        if self.version >= 3 and not tag.numbered:
            self.unnumber()

    def upgrade(self):
        self.version = 3
        self.unnumber()

    def unnumber(self):
        """Rows of a snapshot of version 2: the next snapshot numbers them."""
        self.rows = {u: row.unassigned() for u, row in self.rows.items()}
        self.numbered = False

    def expected(self, columns=None, rows=None):
        """Rows as tuples by u."""
        columns, rows = columns or self.columns, self.rows if rows is None else rows
        return {u: tuple(plain(row.values.get(c.key)) for c in columns) for u, row in rows.items()}

    def learn(self, lineage):
        """Hold what a reader says of who the rows are against what is known of them. Gives the first fault."""
        seen = {}
        for u, row in self.rows.items():
            if u not in lineage:
                return f"row u={u} is not there"
            row_id, changed = lineage[u]
            if row_id is None or changed is None:
                return f"row u={u} has _row_id {row_id} and _last_updated_sequence_number {changed}"
            if row_id in seen:
                return f"rows u={u} and u={seen[row_id]} have one _row_id, {row_id}"
            seen[row_id] = u
            if row.row_id is None:
                if row.ids is not None and not row.ids[0] <= row_id < row.ids[1]:
                    return f"row u={u} has _row_id {row_id}, its commit assigned {row.ids[0]} to {row.ids[1] - 1}"
                row.row_id = row_id
            if row.changed is None:
                row.changed = changed
            if (row.row_id, row.changed) != (row_id, changed):
                return f"row u={u} has (_row_id, _last_updated_sequence_number) {row_id, changed}, it was {row.row_id, row.changed}"
        extra = [u for u in lineage if u not in self.rows]
        return f"row u={extra[0]} is not expected" if extra else None


def value(rng, kind):
    if rng.random() < 0.1:
        return None
    if kind == "int":
        return rng.choice([0, -1, 2**31 - 1, -2**31, rng.randrange(-1000, 1000)])
    if kind == "long":
        return rng.choice([0, 2**63 - 1, -2**63, rng.randrange(-10**12, 10**12)])
    if kind in ("float", "double"):
        return rng.randrange(-4000, 4000) / 4
    if kind == "string":
        return rng.choice(["", "a", "ß", "'", "long " * 9, f"text {rng.randrange(50)}"])
    if kind == "boolean":
        return rng.random() < 0.5
    if kind == "date":
        return dt.date(1970, 1, 1) + dt.timedelta(rng.randrange(-20000, 20000))
    return decimal.Decimal(rng.randrange(-10**9 + 1, 10**9)).scaleb(-2)


def plain(item):
    """Zeros of one sign and decimals of one spelling."""
    if isinstance(item, decimal.Decimal):
        return str(item.quantize(decimal.Decimal("0.01")))
    return item + 0.0 if isinstance(item, float) else item


def rows_of(table, columns):
    """Rows of an Arrow table as tuples by u, and the first fault."""
    names = [c.name for c in columns]
    if [str(name) for name in table.column_names] != names:
        return {}, f"columns {table.column_names}, expected {names}"
    found = {}
    for row in zip(*(table.column(i).to_pylist() for i in range(len(names)))):
        if row[0] in found:
            return found, f"row u={row[0]} is there twice"
        found[row[0]] = tuple(plain(item) for item in row)
    return found, None


def difference(expected, found):
    """Nothing, or one line that says where rows part."""
    missing, extra = expected.keys() - found.keys(), found.keys() - expected.keys()
    other = [u for u in expected.keys() & found.keys() if expected[u] != found[u]]
    if not missing and not extra and not other:
        return None
    said = [f"{len(missing)} rows missing" + (f" (u={min(missing)})" if missing else ""), f"{len(extra)} not expected" + (f" (u={min(extra)})" if extra else ""),
            f"{len(other)} others" + (f" (expected {expected[min(other)]}, found {found[min(other)]})" if other else "")]
    return f"{len(found)} rows of {len(expected)}: {', '.join(said)}"
