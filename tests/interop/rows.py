"""Rows as text that is the same whoever read them: one exact spelling for each value, so that rows of different readers can be compared."""
import collections, decimal, json, struct, uuid
import pyarrow as pa

def is_uuid(kind):
    return isinstance(kind, pa.BaseExtensionType) and kind.extension_name == "arrow.uuid"

def float_text(value, narrow):
    if narrow:
        value = struct.unpack("<f", struct.pack("<f", value))[0]
    return "NaN" if value != value else repr(float(value))

def time_text(nanoseconds):
    seconds, fraction = divmod(nanoseconds, 10**9)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{fraction:09}"

def date_text(days):
    """Proleptic Gregorian, any year (days_to_civil by H. Hinnant's arithmetic)."""
    z = days + 719468
    era, day_of_era = divmod(z, 146097)
    year_of_era = (day_of_era - day_of_era // 1460 + day_of_era // 36524 - day_of_era // 146096) // 365
    day_of_year = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    mp = (5 * day_of_year + 2) // 153
    month = mp + 3 if mp < 10 else mp - 9
    return f"{year_of_era + era * 400 + (month <= 2):04}-{month:02}-{day_of_year - (153 * mp + 2) // 5 + 1:02}"

def timestamp_text(nanoseconds, zoned):
    days, rest = divmod(nanoseconds, 86400 * 10**9)
    return f"{date_text(days)}T{time_text(rest)}{'Z' if zoned else ''}"

PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}

def nanoseconds_of(scalar):
    return scalar.value * (10**9 // PER_SECOND[scalar.type.unit])

def bytes_text(data):
    return bytes(data).hex()

def uuid_text(value):
    """From bytes, from text, or from uuid.UUID."""
    if isinstance(value, (bytes, bytearray)):
        return str(uuid.UUID(bytes=bytes(value)))
    return str(value).lower()

def text_of(scalar, wanted):
    """Text of an Arrow scalar; `wanted` is the type that the column was meant to have, for those that readers know under several names."""
    if isinstance(scalar.type, pa.DictionaryType):
        scalar = scalar.value
    if scalar is None or not scalar.is_valid:
        return "NULL"
    if is_uuid(wanted):
        value = scalar.value if isinstance(scalar.type, pa.BaseExtensionType) else scalar
        return uuid_text(value.as_py())
    kind = scalar.type
    if pa.types.is_struct(kind):
        fields = {f.name: f.type for f in wanted} if pa.types.is_struct(wanted) else {f.name: f.type for f in kind}
        return "{" + ", ".join(f"{name}: {text_of(scalar[name], fields[name])}" for name in fields) + "}"
    if pa.types.is_map(kind):
        key, item = (wanted.key_type, wanted.item_type) if pa.types.is_map(wanted) else (kind.key_type, kind.item_type)
        entries = scalar.values
        pairs = [f"{text_of(e[0], key)}: {text_of(e[1], item)}" for e in ([] if entries is None else (tuple(x.values()) for x in entries))]
        return "{" + ", ".join(sorted(pairs)) + "}"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_list_view(kind):
        item = wanted.value_type if hasattr(wanted, "value_type") else kind.value_type
        return "[" + ", ".join(text_of(value, item) for value in scalar.values) + "]"
    if pa.types.is_floating(kind):
        return float_text(scalar.as_py(), pa.types.is_float32(wanted))
    if pa.types.is_decimal(kind):
        return f"{scalar.as_py():f}"
    if pa.types.is_date32(kind):
        return date_text(scalar.value)
    if pa.types.is_time(kind):
        return time_text(nanoseconds_of(scalar))
    if pa.types.is_timestamp(kind):
        return timestamp_text(nanoseconds_of(scalar), kind.tz is not None)
    value = scalar.as_py()
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes_text(value)
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else str(value)

class Rows:
    """A bag of rows as text, with its column names."""

    def __init__(self, columns, rows):
        self.columns = list(columns)
        self.bag = collections.Counter(rows)

    @staticmethod
    def of(table, wanted=None):
        """Of an Arrow table; `wanted` is the Arrow schema that it was meant to have."""
        wanted = wanted or table.schema
        columns = [name.as_py() if hasattr(name, "as_py") else name for name in table.column_names]
        texts = []
        for name, column in zip(columns, table.columns):
            kind = wanted.field(name).type if name in wanted.names else column.type
            texts.append([text_of(value, kind) for value in column])
        return Rows(columns, [tuple(row) for row in zip(*texts)] if columns else [()] * table.num_rows)

    def difference(self, other):
        """Nothing when both hold the same rows, else one line that says where they part."""
        if self.columns != other.columns:
            return f"columns {self.columns} against {other.columns}"
        missing, extra = self.bag - other.bag, other.bag - self.bag
        if not missing and not extra:
            return None
        lines = [f"{sum(missing.values())} rows missing, {sum(extra.values())} not expected"]
        for row, found in list(zip(sorted(missing), sorted(extra)))[:2]:
            parts = [f"{c}: {a} became {b}" for c, a, b in zip(self.columns, row, found) if a != b]
            lines.append("; ".join(parts)[:400])
        if not missing or not extra:
            lines.append(str(sorted(missing or extra)[0])[:400])
        return "; ".join(lines)

    def __len__(self):
        return sum(self.bag.values())
