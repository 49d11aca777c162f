"""ORC files that are none, that are cut, and whose bytes lie. The good one was written by Arrow: an id and a text, two rows, no compression."""
from table import DATA, PEOPLE, source

GOOD = bytes.fromhex(
    "4f52430a061204080250000a120a020000120c0802120608021004180650000a180a0300000012110802220b0a036164611202626f180a50004601244201e0616461626f"
    "0a060806100018080a060806100118140a0608061002181a0a060801100118030a060802100218030a060801100218051204080010001204080210001204080210001a03"
    "474d540a270a04080250000a0c0802120608021004180650000a110802220b0a036164611202626f180a500008031088011a0a08031036180b204728022216080c120201"
    "021a0269641a046e616d65200028003000220808042000280030002208080720002800300030023a04080250003a0c0802120608021004180650003a110802220b0a0361"
    "64611202626f180a500040904e48016205322e322e3208721000188080042202000c2829300682f403034f524317")


def orc(name, data, *says, **more):
    source(name, "type: orc, source_path: in/a.orc", {"in/a.orc": data}, "a.orc", *says, **more)


def mutated(at, value):
    return GOOD[:at] + bytes(value) + GOOD[at + len(value):]


orc("text for an ORC file", PEOPLE * 50, "is no readable ORC file", "write it again, or name only ORC files")
orc("an empty ORC file", b"", "is no readable ORC file", "write it again")
orc("the magic of an ORC file alone", b"ORC", "is no readable ORC file", "write it again")
orc("a Parquet file by the name of an ORC file", b"PAR1" + GOOD[4:-4] + b"PAR1", "is no readable ORC file", "write it again")
orc("an ORC file that was cut in half", GOOD[:len(GOOD) // 2], "is no readable ORC file", "write it again")
orc("an ORC file without its last byte", GOOD[:-1], "is no readable ORC file", "write it again")
orc("an ORC file whose postscript claims 255 bytes", GOOD[:-1] + b"\xff", "is no readable ORC file", "write it again")
orc("an ORC file whose postscript is none", GOOD[:-20] + b"\xff" * 19 + GOOD[-1:], "is no readable ORC file", "write it again")
for at in (0x40, 0x80, len(GOOD) - 40, len(GOOD) - 60, len(GOOD) - 80):
    source(f"an ORC file with other bytes at {at}", "type: orc, source_path: in/a.orc", {"in/a.orc": mutated(at, b"\xff\xff\xff\xff\x7f")}, "a.orc", "write it again")
source("an ORC file whose stripe footer leaves out an index", "type: orc, source_path: in/a.orc", {"in/a.orc": mutated(20, b"\0")[:85] + b"\0" + GOOD[86:]}, "a.orc", "write it again")
source("an ORC file whose stripe is shorter than its streams", "type: orc, source_path: in/a.orc", {"in/a.orc": mutated(91, b"\0")[:155] + b"\x7f" + GOOD[156:]}, "a.orc", "write it again")
