"""Avro object container files that are wrong, encoded here by hand (Avro spec, Object Container Files)."""
import json, struct, zlib
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
