"""ORC files written by hand, so that every number in them can be a lie (ORC specification v1, in protocol buffers)."""
import struct, zlib

NONE, ZLIB, SNAPPY, LZO, LZ4, ZSTD = range(6)
BOOLEAN, BYTE, SHORT, INT, LONG, FLOAT, DOUBLE, STRING, BINARY, TIMESTAMP, LIST, MAP, STRUCT, UNION, DECIMAL, DATE, VARCHAR, CHAR = range(18)
PRESENT, DATA, LENGTH, DICTIONARY_DATA, _, SECONDARY = range(6)
DIRECT, DICTIONARY, DIRECT_2, DICTIONARY_2 = range(4)


def varint(number):
    number, out = number & (2**64 - 1), b""
    while number >= 0x80:
        out, number = out + bytes([number & 0x7F | 0x80]), number >> 7
    return out + bytes([number])


def message(*fields):
    """(number, value): numbers are varints, bytes and texts are fields with a length. None leaves a field out."""
    out = b""
    for number, value in fields:
        if value is None:
            continue
        if isinstance(value, int):
            out += varint(number << 3) + varint(value)
        else:
            value = value.encode() if isinstance(value, str) else value
            out += varint(number << 3 | 2) + varint(len(value)) + value
    return out


def kind(number, children=(), names=(), precision=None, scale=None, length=None):
    return message((1, number), *[(2, child) for child in children], *[(3, name) for name in names], (4, length), (5, precision), (6, scale))


def stream(content, column, number=DATA, length=None):
    return content, message((1, number), (2, column), (3, len(content) if length is None else length))


def runs(*values):
    """Whole numbers as one literal run of the first version of ORC's run lengths."""
    return bytes([256 - len(values)]) + b"".join(varint((number << 1) ^ (number >> 63)) for number in values)


def packed(content, codec):
    """Chunks of a compressed file; this writes them as they are, marked as such, unless the codec is ZLIB."""
    if codec == NONE:
        return content
    if codec == ZLIB:
        deflated = zlib.compress(content, 9)[2:-4]
        return struct.pack("<I", len(deflated) << 1)[:3] + deflated
    return struct.pack("<I", len(content) << 1 | 1)[:3] + content


def file(types=None, streams=None, encodings=None, rows=2, stripe_rows=None, codec=NONE, block=262144, offset=3, index=0, data=None, footer_length=None, stripes=1,
         stripe_footer=None, tail_length=None, footer_claims=None, magic="ORC", metadata=0, version=(0, 12), more=b"", zone="GMT"):
    """A file of a struct with one column `v` of two rows, 1 and 2, unless told otherwise."""
    types = types or [kind(STRUCT, [1], ["v"]), kind(LONG)]
    streams = [stream(runs(1, 2), 1)] if streams is None else streams
    encodings = encodings or [message((1, DIRECT))] * len(types)
    content = b"".join(bytes_ for bytes_, _ in streams)
    if stripe_footer is None:
        stripe_footer = message(*[(1, said) for _, said in streams], *[(2, each) for each in encodings], (3, zone))
    stripe_footer = packed(stripe_footer, codec)
    stripe = message((1, offset), (2, index), (3, len(content) if data is None else data), (4, len(stripe_footer) if tail_length is None else tail_length),
                     (5, rows if stripe_rows is None else stripe_rows))
    footer = packed(message((1, 3), (2, 3 + len(content) + len(stripe_footer)), *[(3, stripe)] * stripes, *[(4, each) for each in types], (6, rows), (8, 0)) + more, codec)
    postscript = message((1, len(footer) if footer_claims is None else footer_claims), (2, codec), (3, block), (4, b"".join(varint(part) for part in version)),
                         (5, metadata), (6, 1), (8000, magic))
    return b"ORC" + content + stripe_footer + footer + postscript + bytes([len(postscript) if footer_length is None else footer_length])
