"""ORC files whose footers, stripes and runs lie about sizes, counts and types, and such that swell."""
import zlib
import orc_made as made
from orc_made import kind, message, packed, runs, stream, varint
from table import source


def orc(name, content, *says, **more):
    source("ORC: " + name, "type: orc, source_path: in/a.orc", {"in/a.orc": content}, "a.orc", *(says or ["write it again"]), **more)


def types(*leaf, **more):
    return [kind(made.STRUCT, [1], ["v"]), kind(*leaf, **more)]


TEXT = types(made.STRING)
BIG = 2**62
DICTIONARY = [message((1, made.DIRECT)), message((1, made.DICTIONARY), (2, 1))]
SECOND = [message((1, made.DIRECT)), message((1, made.DIRECT_2))]


def text(lengths, content, **more):
    return made.file(types=TEXT, streams=[stream(content, 1), stream(lengths, 1, made.LENGTH)], **more)


def dictionary(size, indices, lengths, content):
    encoding = [message((1, made.DIRECT)), message((1, made.DICTIONARY), (2, size))]
    return made.file(types=TEXT, encodings=encoding, streams=[stream(indices, 1), stream(lengths, 1, made.LENGTH), stream(content, 1, made.DICTIONARY_DATA)])


def decimal(precision, scale, content=b"\x02\x04", scales=runs(0, 0)):
    return made.file(types=types(made.DECIMAL, precision=precision, scale=scale), streams=[stream(content, 1), stream(scales, 1, made.SECONDARY)])


def bomb(path):
    """A million values in runs of 130, deflated to less than a KB, for 100 million rows."""
    content = packed((bytes([127, 0]) + varint(2)) * 8_000, made.ZLIB)
    open(path, "wb").write(made.file(codec=made.ZLIB, streams=[stream(content, 1)], rows=100_000_000, offset=3))


def text_bomb(path):
    """400 MB of one letter, deflated to 400 KB, as one text."""
    squeezed = b"".join(packed(b"x" * 262_144, made.ZLIB) for _ in range(1600))
    open(path, "wb").write(text(packed(runs(1600 * 262_144), made.ZLIB), squeezed, rows=1, codec=made.ZLIB))


def chunk_bomb(path):
    """A chunk of 8 MB at most that opens into a gigabyte."""
    squeezer, content = zlib.compressobj(9, zlib.DEFLATED, -15), b""
    for _ in range(1000):
        content += squeezer.compress(b"\0" * 1_000_000)
    content += squeezer.flush()
    open(path, "wb").write(made.file(codec=made.ZLIB, streams=[stream((len(content) << 1).to_bytes(3, "little") + content, 1)]))


# What the end of the file says.
orc("a postscript of no bytes", made.file(footer_length=0))
orc("a postscript with another magic", made.file(magic="ORX"))
orc("a footer larger than the file", made.file(footer_claims=10**12))
orc("a footer of 2^63 bytes", made.file(footer_claims=2**63))
orc("a footer of no bytes", made.file(footer_claims=0))
orc("metadata larger than the file", made.file(metadata=10**12))
orc("a codec that nobody knows", made.file(codec=99))
orc("chunks of 2^62 bytes", made.file(codec=made.ZLIB, block=BIG, streams=[stream(packed(runs(1, 2), made.ZLIB), 1)], footer_claims=5))
orc("chunks of no bytes", made.file(codec=made.ZLIB, block=0, streams=[stream(packed(runs(1, 2), made.ZLIB), 1)]))
orc("plain bytes that are said to be deflated", made.file()[:-24] + b"\x10\x01" + made.file()[-22:])
orc("a version of the far future", made.file(version=(99, 99), streams=[]))

# What the footer says of stripes and types.
orc("10^18 rows", made.file(rows=10**18))
orc("a stripe of 10^18 rows", made.file(stripe_rows=10**18))
orc("stripes that overlap", made.file(stripes=1000, rows=2))
orc("a stripe behind the file", made.file(offset=10**12))
orc("a stripe before the file", made.file(offset=2**64 - 8))
orc("a stripe with data of 2^62 bytes", made.file(data=BIG))
orc("a stripe with an index of 2^62 bytes", made.file(index=BIG))
orc("a stripe whose footer has 2^62 bytes", made.file(tail_length=BIG))
orc("a stripe whose footer has no bytes", made.file(tail_length=0))
orc("a stripe whose footer is none", made.file(stripe_footer=b"\xff" * 40))
orc("no types", made.file(types=[b""]))
orc("a type that nobody knows", made.file(types=types(40)))
orc("a struct that contains itself", made.file(types=[kind(made.STRUCT, [0], ["v"]), kind(made.LONG)]))
orc("a struct with a field that is not there", made.file(types=[kind(made.STRUCT, [9], ["v"]), kind(made.LONG)]))
orc("a struct with fewer names than fields", made.file(types=[kind(made.STRUCT, [1, 2], ["v"]), kind(made.LONG), kind(made.LONG)]))
orc("a list of nothing", made.file(types=types(made.LIST)))
orc("a list of itself", made.file(types=[kind(made.STRUCT, [1], ["v"]), kind(made.LIST, [1])]))
orc("a map of one type", made.file(types=[kind(made.STRUCT, [1], ["v"]), kind(made.MAP, [2]), kind(made.LONG)]))
orc("structs 20,000 deep", made.file(types=[kind(made.STRUCT, [n + 1], ["s"]) for n in range(20_000)] + [kind(made.LONG)], streams=[]))
orc("a number for its root", made.file(types=[kind(made.LONG)], streams=[stream(runs(1, 2), 0)]))
orc("a union of 300 types", made.file(types=[kind(made.STRUCT, [1], ["v"]), kind(made.UNION, range(2, 302))] + [kind(made.LONG)] * 300))
orc("a decimal of 1,000 digits", decimal(1000, 2))
orc("a decimal with more digits behind the point than it has", decimal(4, 30))

# What the streams say.
orc("a stream of 2^62 bytes", made.file(streams=[stream(runs(1, 2), 1, length=BIG)], data=3))
orc("a stream of a column that is not there", made.file(streams=[stream(runs(1, 2), 77)]))
orc("no stream for a column", made.file(streams=[]))
orc("an encoding that nobody knows", made.file(encodings=[message((1, made.DIRECT)), message((1, 9))]))
orc("fewer encodings than columns", made.file(encodings=[message((1, made.DIRECT))]))
orc("fewer values than rows", made.file(rows=1000))
orc("runs of the second version that stop", made.file(encodings=SECOND, streams=[stream(b"\x5f\xff", 1)], rows=400))
orc("a patch beyond its run", made.file(encodings=SECOND, streams=[stream(b"\x8e\x09\x2b\x21\x07\xd0\x1e\xff\xff\xff\xff", 1)], rows=10))
orc("a text longer than its stripe", text(runs(10**12), b"x", rows=1))
orc("a text of a length below zero", text(runs(-5, 5), b"xxxxx"))
orc("texts whose lengths add up to 2^64", text(runs(2**62, 2**62), b"x"))
orc("a text that is no UTF-8", text(b"\xfe\x02\x01", b"\xff\xfex"), "UTF-8")
orc("an index beyond its dictionary", dictionary(1, runs(0, 7), runs(1), b"a"))
orc("a dictionary of 2^32 texts", dictionary(2**32 - 1, runs(0, 0), runs(1), b"a"))
orc("a decimal larger than its digits", decimal(4, 2, content=b"\xfe" * 8 + b"\x01\x04"))
orc("a time zone that nobody knows", made.file(types=types(made.TIMESTAMP), zone="Nowhere/At_All", streams=[stream(runs(1, 2), 1), stream(runs(0, 0), 1, made.SECONDARY)]))
orc("100 million rows out of a KB", bomb)
orc("a text of 400 MB out of 400 KB", text_bomb)
orc("a chunk that opens into a gigabyte", chunk_bomb)
