"""Parquet files whose footers and pages lie about sizes, counts, types and encodings, and such that swell."""
import gzip, struct, zlib
import parquet_made as made
from parquet_made import element, page, page_2, varint
from table import source


def parquet(name, content, *says, **more):
    source("Parquet: " + name, "type: parquet, source_path: in/a.parquet", {"in/a.parquet": content}, "a.parquet", *(says or ["write it again"]), **more)


TWO = struct.pack("<qq", 1, 2)
OPTIONAL = element("v", made.INT64, repetition=1)
REPEATED = element("v", made.INT64, repetition=2)
TEXT = element("v", made.BYTES, converted=0)
BILLION = 2**31 - 1


def texts(*values):
    return b"".join(struct.pack("<I", len(each)) + each for each in values)


def dictionary(content, values, indices, type=made.INT64, **more):
    """A dictionary's page, and a data page of indices into it."""
    first = page(content, values, kind=2)
    return made.file(pages=first + page(indices, 2, encoding=made.RLE_DICTIONARY), type=type, dictionary=4, offset=4 + len(first),
                     encodings=(made.PLAIN, made.RLE_DICTIONARY), **more)


def leaf(**more):
    return made.file(leaf=element("v", **more), type=more.get("type", made.INT64))


def deep(levels):
    return [element("schema", children=1)] + [element(f"g{n}", repetition=1, children=1) for n in range(levels)] + [element("v", made.INT64)]


def bomb(path):
    """A page of 800 MB of zeros, which gzip packs into 800 KB."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)  # In pieces: what this program takes, those that it starts are counted as taking.
    content = b"".join(packer.compress(bytes(1_000_000)) for _ in range(800)) + packer.flush()
    open(path, "wb").write(made.file(pages=page(content, 100_000_000, size=800_000_000), codec=made.GZIP, values=100_000_000, plain_size=800_000_000))


def text_bomb(path):
    """A dictionary of one text of 60 MB, which a run of eight bytes names two thousand million times."""
    first = page(gzip.compress(texts(b"x" * 60_000_000), 9), 1, size=60_000_004, kind=2)
    second = page(gzip.compress(b"\x01" + varint(BILLION << 1) + b"\0"), BILLION, encoding=made.RLE_DICTIONARY, size=7)
    open(path, "wb").write(made.file(pages=first + second, leaf=TEXT, type=made.BYTES, codec=made.GZIP, values=BILLION, dictionary=4, offset=4 + len(first),
                                     encodings=(made.PLAIN, made.RLE_DICTIONARY)))


# What the footer says of the file.
parquet("its magic alone", b"PAR1")
parquet("its magic twice", b"PAR1PAR1")
parquet("a wrong magic at its end", made.file(tail=b"PAR2"))
parquet("an ORC file by its name", b"ORC" + made.file()[4:-4] + b"\x03ORC")
parquet("10^18 rows in the footer", made.file(rows=10**18))
parquet("fewer rows than none", made.file(rows=-1))
parquet("a row group of 10^18 rows", made.file(group_rows=10**18))
parquet("a row group of fewer rows than none", made.file(group_rows=-5))
parquet("more values in a column than its pages have", made.file(values=1000))
parquet("10^15 values in a column", made.file(values=10**15))
parquet("fewer values in a column than rows", made.file(values=1, rows=2))
parquet("row groups that are not there", made.file(groups=3, rows=6, size=10**12))
parquet("a row group without columns", made.file(columns=[]))
parquet("pages that begin behind the file", made.file(offset=10**12))
parquet("pages that begin before the file", made.file(offset=-4))
parquet("pages that begin in the footer", made.file(offset=60))
parquet("pages of 10^15 bytes", made.file(size=10**15))
parquet("pages of fewer bytes than none", made.file(size=-1))
parquet("pages in another file", made.file(chunk_path="/etc/passwd"))
parquet("a codec that nobody knows", made.file(codec=99))
parquet("LZO", made.file(codec=made.LZO))
parquet("a column of another type than the schema's", made.file(metadata_type=made.BYTES))
parquet("a type that nobody knows", made.file(leaf=element("v", 17)))

# What the schema says.
parquet("a schema of no columns", made.file(schema=[element("schema", children=0)], columns=[]))
parquet("an empty schema", made.file(schema=[element("schema", children=0)]))
parquet("a schema that promises a thousand million columns", made.file(schema=[element("schema", children=10**9), element("v", made.INT64)]))
parquet("a schema that promises fewer columns than none", made.file(schema=[element("schema", children=-1), element("v", made.INT64)]))
parquet("a schema 10,000 deep", made.file(schema=deep(10_000), path=[f"g{n}" for n in range(10_000)] + ["v"]))
parquet("a schema of more columns than a row group has", made.file(schema=[element("schema", children=2), element("v", made.INT64), element("w", made.INT64)]))
parquet("a decimal of 1,000 digits", leaf(type=made.INT64, converted=5, precision=1000, scale=2))
parquet("a decimal of no digits", leaf(type=made.INT64, converted=5, precision=0, scale=0))
parquet("a decimal with more digits behind the point than it has", leaf(type=made.INT64, converted=5, precision=4, scale=9))
parquet("a decimal whose scale is below zero", leaf(type=made.INT64, converted=5, precision=4, scale=-2))
parquet("bytes of a fixed length below zero", leaf(type=made.FIXED, length=-16))
parquet("bytes of a fixed length of 2 GB", leaf(type=made.FIXED, length=BILLION))
parquet("a text that is said to be a time", leaf(type=made.BYTES, converted=7))

# What the pages say.
parquet("a page of 2 GB that is not there", made.file(pages=page(TWO, 2, size=BILLION, packed=BILLION)))
parquet("a page of fewer bytes than none", made.file(pages=page(TWO, 2, size=-8, packed=-8)))
parquet("a page with more values than bytes", made.file(pages=page(TWO, 10**6), values=10**6))
parquet("a page with fewer values than none", made.file(pages=page(TWO, -2)))
parquet("a page of an unknown kind alone", made.file(pages=page(TWO, 2, kind=9)))
parquet("an encoding that nobody knows", made.file(pages=page(TWO, 2, encoding=77)))
parquet("a page of an encoding that does not suit its type", made.file(pages=page(TWO, 2, encoding=made.DELTA_LENGTHS)))
parquet("a page that opens into more than it says", made.file(pages=page(gzip.compress(b"\0" * 10_000_000), 2, size=16), codec=made.GZIP))
parquet("a page that opens into less than it says", made.file(pages=page(gzip.compress(b"\0" * 8), 2, size=16), codec=made.GZIP))
parquet("a page that is no gzip", made.file(pages=page(TWO, 2), codec=made.GZIP))
parquet("a page that is no Snappy", made.file(pages=page(b"\xff" * 16, 2), codec=made.SNAPPY))
parquet("a page that is no zstd", made.file(pages=page(TWO, 2), codec=made.ZSTD))
parquet("a Snappy page that claims 4 GB", made.file(pages=page(b"\xff\xff\xff\xff\x0f" + TWO, 2, size=BILLION), codec=made.SNAPPY))
parquet("a dictionary's indices without a dictionary", made.file(pages=page(b"\x01\x04\0", 2, encoding=made.RLE_DICTIONARY)))
parquet("indices beyond their dictionary", dictionary(TWO, 2, b"\x08\x04\xc8"))
parquet("indices of 200 bits", dictionary(TWO, 2, b"\xc8\x04\0"))
parquet("a dictionary shorter than it says", dictionary(TWO, 10**6, b"\x01\x04\0"))
parquet("a dictionary with fewer values than none", dictionary(TWO, -1, b"\x01\x04\0"))
parquet("levels longer than their page", made.file(pages=page(struct.pack("<I", BILLION) + b"\x04\x01" + TWO, 2), leaf=OPTIONAL))
parquet("levels that are not there", made.file(pages=page(b"", 2), leaf=OPTIONAL))
parquet("repetitions that begin within a row", made.file(pages=page(struct.pack("<I", 2) + b"\x04\x01" + struct.pack("<I", 2) + b"\x04\x01" + TWO, 2), leaf=REPEATED))
parquet("a text longer than its page", made.file(pages=page(struct.pack("<I", BILLION) + b"x", 1), values=1, leaf=TEXT, type=made.BYTES))
parquet("a text that is no UTF-8", made.file(pages=page(texts(b"\xff\xfe"), 1), values=1, leaf=TEXT, type=made.BYTES), "UTF-8")
parquet("deltas in blocks of 2^60 values", made.file(pages=page(varint(2**60) + varint(4) + varint(2) + b"\x02" + b"\0" * 16, 2, encoding=made.DELTA)))
parquet("deltas in blocks of none", made.file(pages=page(varint(0) + varint(0) + varint(2) + b"\x02" + b"\0" * 16, 2, encoding=made.DELTA)))
parquet("lengths of texts below zero", made.file(pages=page(varint(128) + varint(4) + varint(1) + b"\x09" + b"abc", 1, encoding=made.DELTA_LENGTHS), values=1, leaf=TEXT,
                                                 type=made.BYTES))
parquet("a page of the second version with levels of 2 GB", made.file(pages=page_2(TWO, 2, definitions=BILLION)))
parquet("a page of the second version with levels below zero", made.file(pages=page_2(TWO, 2, definitions=-9, repetitions=-9)))
parquet("a page of 800 MB out of 800 KB", bomb)
parquet("a text of 60 MB, 2^31 times", text_bomb)
