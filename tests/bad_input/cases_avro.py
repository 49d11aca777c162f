"""Avro object container files that are wrong, encoded here by hand (Avro spec, Object Container Files)."""
import bz2, gzip, json, lzma, struct, zlib
from table import DATA, JOB, LOADER, PEOPLE, REFUSED, case

SYNC = bytes(range(16))
FIELDS = [{"name": "id", "type": "long"}, {"name": "name", "type": ["null", "string"]}]


def varint(number):
    number, out = (number << 1) ^ (number >> 63), b""
    while number >= 0x80:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])


def text(content):
    content = content.encode() if isinstance(content, str) else content
    return varint(len(content)) + content


def header(schema, codec="null"):
    schema = schema if isinstance(schema, str) else json.dumps(schema)
    return b"Obj\x01" + varint(2) + text("avro.schema") + text(schema) + text("avro.codec") + text(codec) + b"\0" + SYNC


def record(fields):
    return {"type": "record", "name": "row", "fields": fields}


def block(content, rows, claimed=None, sync=SYNC):
    return varint(rows) + varint(len(content) if claimed is None else claimed) + content + sync


def row(number, name):
    return varint(number) + varint(1) + text(name)


def avro(name, content, *says, exit=DATA):
    case(name, "extract t --to csv", exit, "a.avro", *says,
         files={JOB: "source: {type: avro, source_path: in/a.avro}\n" + LOADER, "in/a.avro": content})


def value(name, type, content, *says, exit=DATA):
    """A good row, then one whose `v` is wrong."""
    avro(name, header(record([{"name": "v", "type": type}])) + block(content, 1), "column v", *says, exit=exit)


HEAD = header(record(FIELDS))
GOOD = HEAD + block(row(1, "ada") + row(2, "bo"), 2)

avro("an empty file for Avro", b"", "no readable Avro file", "write it again")
avro("text for Avro", PEOPLE * 10, "no readable Avro file", "write it again")
avro("an Avro header that was cut", HEAD[:60], "no readable Avro file", "byte", "write it again")
avro("an Avro block that was cut", GOOD[:-20], "cannot be read at row 1", "not written to its end")
avro("an Avro file without its last mark", GOOD[:-8], "write it again")
avro("an Avro block with a wrong mark", HEAD + block(row(1, "ada"), 1, sync=b"\xff" * 16), "sync", "write it again")
avro("an Avro schema that is no JSON", header("{") + block(b"", 1), "no readable Avro file", "write it again")
avro("an Avro schema of an unknown type", header(record([{"name": "v", "type": "int65"}])), "int65", "write it again")
avro("an Avro codec that nobody knows", header(record(FIELDS), "lzma2"), "a.avro", "lzma2", "write the file with one of these")
avro("Avro that is said to be deflated", header(record(FIELDS), "deflate") + block(row(1, "ada"), 1), "write it again")
avro("a block of a negative size", HEAD + varint(1) + varint(-5), "write it again")
avro("a block of more rows than it can hold", HEAD + block(row(1, "ada"), 10**15), "write it again")
avro("a block of 1 TB", HEAD + varint(1) + varint(10**12) + b"x", "write it again")
avro("a block with bytes behind its rows", HEAD + block(row(1, "ada") + b"\x05\x05", 1), "write it again")
avro("a text longer than its block", HEAD + block(varint(1) + varint(1) + varint(10**9) + b"x", 1), "row 1 ", "write it again")
avro("a union branch that is not there", HEAD + block(varint(1) + varint(7), 1), "row 1 ", "branch", "write it again")
avro("a number of eleven bytes", HEAD + block(b"\xff" * 11 + varint(0), 1), "row 1 ", "write it again")
avro("a deflate bomb in Avro", header(record(FIELDS), "deflate") + block(zlib.compress(b"\0" * 400_000_000, 9)[2:-4], 1), "write it again")
avro("values rather than records", header('"long"') + block(varint(1), 1), "type long", "write each value as a record")
value("an Avro text that is no UTF-8", "string", text(b"\xff\xfe"), "row 1", "no UTF-8", "write it as bytes")
value("an Avro uuid that is none", {"type": "string", "logicalType": "uuid"}, text("12"), "'12' is no uuid", "expected 32 hexadecimal digits")
value("an Avro decimal beyond its precision", {"type": "bytes", "logicalType": "decimal", "precision": 4, "scale": 2}, text(struct.pack(">q", 10**6)),
      "more digits than decimal", "write it with the precision")
value("an Avro decimal of 39 digits", {"type": "bytes", "logicalType": "decimal", "precision": 39, "scale": 2}, text(b"\1"), "at most 38", "as string")
case("an Avro timestamp in nanoseconds for a table of format version 2", "run t", DATA, "column v", "timestamp[ns", "use version 3",
     files={JOB: "source: {type: avro, source_path: in/a.avro}\n" + LOADER,
            "in/a.avro": header(record([{"name": "v", "type": {"type": "long", "logicalType": "timestamp-nanos"}}])) + block(varint(1), 1)})
value("an Avro time of 25 hours", {"type": "int", "logicalType": "time-millis"}, varint(90_000_000), "90000000 is no time of a day", "write it as a long")
value("an Avro time before all timestamps", {"type": "long", "logicalType": "timestamp-millis"}, varint(-2**62), "beyond a timestamp", "microseconds")
avro("an enum symbol that is not there", header(record([{"name": "v", "type": {"type": "enum", "name": "e", "symbols": ["A"]}}])) + block(varint(5), 1),
     "row 1 ", "enum symbol", "write it again")
value("a record that contains itself", {"type": "record", "name": "n", "fields": [{"name": "n", "type": ["null", "n"]}]}, varint(0), "contains itself",
      "write it flat")


def nested(levels):
    """A schema of records in each other."""
    type = "long"
    for n in range(levels):
        type = {"type": "record", "name": f"r{n}", "fields": [{"name": "v", "type": type}]}
    return type


def metadata(*pairs, count=None):
    """A header with these entries, and what its count claims."""
    return b"Obj\x01" + varint(len(pairs) if count is None else count) + b"".join(text(key) + content for key, content in pairs) + b"\0" + SYNC


def squeezed(content, codec):
    return header(record(FIELDS), codec) + block(content, 1)


SCHEMA = json.dumps(record(FIELDS))
LIST = {"type": "array", "items": "null"}

avro("the magic of Avro alone", b"Obj\x01", "no readable Avro file", "write it again")
avro("Avro of another version", b"Obj\x02" + GOOD[4:], "no readable Avro file", "write it again")
avro("a Parquet file by the name of an Avro file", b"PAR1" + GOOD[4:] + b"PAR1", "no readable Avro file", "write it again")
avro("an Avro header with 10^18 entries", metadata((b"avro.schema", text(SCHEMA)), count=10**18), "no readable Avro file", "write it again")
avro("an Avro header with an entry of 1 TB", metadata((b"avro.schema", varint(10**12) + b"{")), "no readable Avro file", "write it again")
avro("an Avro header with an entry of a size below zero", metadata((b"avro.schema", varint(-10) + b"{")), "no readable Avro file", "write it again")
avro("an Avro header without a schema", metadata((b"avro.codec", text("null"))), "no readable Avro file", "write it again")
avro("an Avro schema that is a list of nothing", header("[]") + block(b"", 1), "a.avro", "write")
avro("an Avro schema 5,000 records deep", header(json.dumps(record(FIELDS)).replace('"long"', '{"type": "array", "items": ' * 5_000 + '"long"' + "}" * 5_000)), "a.avro", "write")
avro("an Avro schema 300 records deep", header(record([{"name": "v", "type": nested(300)}])) + block(varint(1), 1), "a.avro", "write")
avro("an Avro record without fields", header(record([])) + block(b"", 10**9), "a.avro", "write")
avro("an Avro field that stands twice", header(record([{"name": "v", "type": "long"}] * 2)) + block(varint(1) * 2, 1), "a.avro", "write")
avro("an Avro fixed of fewer bytes than none", header(record([{"name": "v", "type": {"type": "fixed", "name": "f", "size": -4}}])), "no readable Avro file", "write it again")
avro("an Avro fixed of 2^62 bytes", header(record([{"name": "v", "type": {"type": "fixed", "name": "f", "size": 2**62}}])) + block(b"x", 1), "a.avro", "write")
avro("an Avro enum without symbols", header(record([{"name": "v", "type": {"type": "enum", "name": "e", "symbols": []}}])) + block(varint(0), 1), "a.avro", "write")
avro("an Avro name that is not defined", header(record([{"name": "v", "type": "elsewhere"}])), "elsewhere", "write it again")
avro("a union within a union", header(record([{"name": "v", "type": ["null", ["long", "string"]]}])) + block(varint(0), 1), "a.avro", "write")
avro("10^15 nulls in a list of Avro", header(record([{"name": "v", "type": LIST}])) + block(varint(10**15) + varint(0), 1), "row 1", "write")
avro("lists of 2^62 values of a size of none", header(record([{"name": "v", "type": {"type": "array", "items": "long"}}])) + block(varint(2**62), 1), "row 1 ", "write it again")
avro("a list whose count is the least number", header(record([{"name": "v", "type": {"type": "array", "items": "long"}}])) + block(b"\xff" * 9 + b"\x01" + varint(0), 1), "row 1 ",
     "write it again")
avro("a map with a key of 2 GB", header(record([{"name": "v", "type": {"type": "map", "values": "long"}}])) + block(varint(1) + varint(2**31) + b"k", 1), "row 1 ", "write it again")
avro("a text of a length below zero", HEAD + block(varint(1) + varint(1) + varint(-3) + b"abc", 1), "row 1 ", "write it again")
avro("a block of fewer rows than none", HEAD + block(row(1, "ada"), -1), "write it again")
avro("rows of no bytes, 2^60 of them", header(record([{"name": "v", "type": "null"}])) + block(b"", 2**60), "a.avro", "write")
avro("Avro that is said to be Snappy", squeezed(row(1, "ada"), "snappy"), "write it again")
avro("Snappy in Avro that claims 4 GB", squeezed(b"\xff\xff\xff\xff\x0f" + b"\0" * 40, "snappy"), "write it again")
avro("Snappy in Avro with a wrong check sum", squeezed(b"\x05\x10" + row(1, "ada") + b"\0" * 4, "snappy"), "write it again")
avro("Avro that is said to be zstd", squeezed(row(1, "ada"), "zstandard"), "write it again")
avro("Avro that is said to be bzip2", squeezed(row(1, "ada"), "bzip2"), "write it again")
avro("an xz bomb in Avro", squeezed(lzma.compress(b"\0" * 400_000_000), "xz"), "write it again")
avro("a bzip2 bomb in Avro", squeezed(bz2.compress(b"\0" * 400_000_000), "bzip2"), "write it again")
avro("deflate in Avro that was cut", squeezed(zlib.compress(row(1, "ada") * 1000)[2:-20], "deflate"), "write it again")
avro("Avro within gzip that was cut", gzip.compress(GOOD)[:-12], "write it again")
