"""Parquet files written by hand, so that every number in them can be a lie (Parquet's parquet.thrift, in Thrift's compact protocol)."""
import struct

BOOLEAN, INT32, INT64, INT96, FLOAT, DOUBLE, BYTES, FIXED = range(8)
PLAIN, _, PLAIN_DICTIONARY, RLE, _, DELTA, DELTA_LENGTHS, DELTA_BYTES, RLE_DICTIONARY, SPLIT = range(10)
NONE, SNAPPY, GZIP, LZO, BROTLI, LZ4, ZSTD, LZ4_RAW = range(8)
KINDS = {"bool": 1, "i32": 5, "i64": 6, "text": 8, "list": 9, "struct": 12}


def varint(number):
    out = b""
    while number >= 0x80:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])


def zigzag(number):
    return varint((number << 1) ^ (number >> 63))


def value(kind, content):
    if kind in ("i32", "i64"):
        return zigzag(content)
    if kind == "text":
        content = content.encode() if isinstance(content, str) else content
        return varint(len(content)) + content
    if kind == "struct":
        return thrift(content)
    inner, items = content
    head = bytes([len(items) << 4 | KINDS[inner]]) if len(items) < 15 else bytes([0xF0 | KINDS[inner]]) + varint(len(items))
    return head + b"".join(value(inner, item) for item in items)


def thrift(fields):
    """A struct of {field id: (kind, value)}; None leaves a field out."""
    out, last = b"", 0
    for number, field in sorted(fields.items()):
        if field is None or field[1] is None:
            continue
        kind, content = field
        code = KINDS[kind] if kind != "bool" else 1 if content else 2
        out += (bytes([number - last << 4 | code]) if number - last < 16 else bytes([code]) + zigzag(number)) + (b"" if kind == "bool" else value(kind, content))
        last = number
    return out + b"\0"


def element(name, type=None, repetition=0, children=None, length=None, converted=None, scale=None, precision=None):
    return {1: ("i32", type), 2: ("i32", length), 3: ("i32", repetition), 4: ("text", name), 5: ("i32", children), 6: ("i32", converted), 7: ("i32", scale),
            8: ("i32", precision)}


def page(content, values, encoding=PLAIN, size=None, packed=None, kind=0, levels=RLE):
    """A data page of the first version, or with kind 2 a dictionary's."""
    body = {5: ("struct", {1: ("i32", values), 2: ("i32", encoding), 3: ("i32", levels), 4: ("i32", levels)})} if kind == 0 else {
        7: ("struct", {1: ("i32", values), 2: ("i32", encoding)})} if kind == 2 else {}
    return thrift({1: ("i32", kind), 2: ("i32", len(content) if size is None else size), 3: ("i32", len(content) if packed is None else packed), **body}) + content


def page_2(content, values, nulls=0, rows=None, definitions=0, repetitions=0, size=None):
    body = {1: ("i32", values), 2: ("i32", nulls), 3: ("i32", values if rows is None else rows), 4: ("i32", PLAIN), 5: ("i32", definitions), 6: ("i32", repetitions),
            7: ("bool", False)}
    return thrift({1: ("i32", 3), 2: ("i32", len(content) if size is None else size), 3: ("i32", len(content)), 8: ("struct", body)}) + content


def file(pages=None, type=INT64, values=2, rows=None, group_rows=None, codec=NONE, encodings=(PLAIN,), offset=4, dictionary=None, path=("v",), schema=None, leaf=None,
         size=None, plain_size=None, groups=1, columns=None, metadata_type=None, chunk_path=None, tail=b"PAR1", version=2):
    """A file of one column `v` of two rows, 1 and 2, unless told otherwise."""
    pages = page(struct.pack("<qq", 1, 2), 2) if pages is None else pages
    schema = schema or [element("schema", children=1), leaf or element("v", type)]
    metadata = {1: ("i32", type if metadata_type is None else metadata_type), 2: ("list", ("i32", list(encodings))), 3: ("list", ("text", list(path))), 4: ("i32", codec),
                5: ("i64", values), 6: ("i64", len(pages) if plain_size is None else plain_size), 7: ("i64", len(pages) if size is None else size),
                9: ("i64", offset), 11: ("i64", dictionary)}
    chunk = {1: ("text", chunk_path), 2: ("i64", offset), 3: ("struct", metadata)}
    rows = values if rows is None else rows
    group = {1: ("list", ("struct", [chunk] if columns is None else columns)), 2: ("i64", len(pages)), 3: ("i64", rows if group_rows is None else group_rows)}
    footer = thrift({1: ("i32", version), 2: ("list", ("struct", schema)), 3: ("i64", rows), 4: ("list", ("struct", [group] * groups)), 6: ("text", "hand")})
    return b"PAR1" + pages + footer + struct.pack("<I", len(footer)) + tail
