"""Files that are missing, damaged, or no files at all."""
import bz2, gzip, io, lzma, os, struct, zipfile
from table import CONFIG, PEOPLE, REFUSED, csv, source

IN = "type: csv, source_path: in/a.csv"


def zstd(content):
    """A frame of one raw block with its content's size, as RFC 8878 has it."""
    return struct.pack("<IBI", 0xFD2FB528, 0xA0, len(content)) + struct.pack("<I", len(content) << 3 | 1)[:3] + content


def zipped(names):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, PEOPLE)
    return out.getvalue()


def flip(content, at):
    return content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1:]


def bomb(path):
    with gzip.open(path, "wb", 6) as out:
        out.write(b'id\n"')
        for _ in range(600):
            out.write(b"a" * 1_000_000)


ROWS = "id,name\n" + "".join(f"{i},name{i}\n" for i in range(2_000))
GZ, ZST, BZ2, XZ = gzip.compress(ROWS.encode()), zstd(ROWS.encode()), bz2.compress(ROWS.encode()), lzma.compress(ROWS.encode())

source("a file that is not there", "type: csv, source_path: in/b.csv", {"in/a.csv": PEOPLE}, "in/b.csv", "source_path", exit=CONFIG)
source("a folder that is not there", "type: csv, source_path: inn/", {"in/a.csv": PEOPLE}, "inn/", "source_path", exit=CONFIG)
source("a folder above that is not there", "type: csv, source_path: no/such/folder/a.csv", {}, "no/such/folder/a.csv", "source_path", exit=CONFIG)
source("a pattern that does not end", "type: csv, source_path: in/, file_pattern: \"[a\"", {"in/a.csv": PEOPLE}, "[a", "file pattern", exit=CONFIG)
source("a scheme that nobody knows", "type: csv, source_path: \"ftp://host/a.csv\"", {}, "ftp", "s3", exit=CONFIG)
source("an address without bucket", "type: csv, source_path: \"s3://\"", {}, "s3://", "expected a name after s3://", exit=CONFIG)
source("a server that does not answer", "type: csv, source_path: \"http://127.0.0.1:1/a.csv\"", {}, "127.0.0.1:1", "connect", exit=REFUSED)
source("a link in a circle", IN, {"in/a.csv": lambda path: os.symlink("a.csv", path)}, "a.csv", "symbolic links", exit=CONFIG)
source("a link to nothing", IN, {"in/a.csv": lambda path: os.symlink("nothing", path)}, "a.csv", "source_path", exit=CONFIG)
source("a pipe for a file", IN, {"in/a.csv": os.mkfifo}, "a.csv", "expected a plain file", exit=REFUSED)
source("a device without end", IN, {"in/a.csv": lambda path: os.symlink("/dev/zero", path)}, "a.csv", "expected a plain file", exit=REFUSED)
source("a file that the system refuses to read", IN, {"in/a.csv": lambda path: os.symlink("/proc/self/mem", path)}, "a.csv", "read", exit=REFUSED)
source("a name with a line break", "type: csv, source_path: in/", {"in/a\nb.csv": "id\n1,2\n"}, "a\\nb.csv\" line 2", "quote values")
source("a name with quotes", "type: csv, source_path: in/", {"in/a\"'b.csv": "id\n1,2\n"}, "a\"'b.csv line 2", "quote values")
source("a name in UTF-8", "type: csv, source_path: in/", {"in/größe-数.csv": "id\n1,2\n"}, "größe-数.csv line 2", "quote values")
source("a name that is no UTF-8", "type: csv, source_path: in/", {"in/a.csv": lambda path: open(os.fsencode(path)[:-5] + b"\xff.csv", "w").write("id\n1,2\n")},
       "line 2", "quote values")

csv("gzip that was cut", GZ[:-200], "a.csv", "cut short", "write it again")
csv("gzip whose check sum is wrong", flip(GZ, len(GZ) - 8), "a.csv", "damaged", "write it again")
csv("gzip whose data is wrong", flip(GZ, 60), "a.csv", "damaged", "write it again")
csv("gzip with something else behind", GZ + b"hello", "a.csv", "damaged", "write it again")
csv("gzip that is only a header", GZ[:10], "a.csv", "cut short", "write it again")
csv("zstd that was cut", ZST[:-5], "a.csv", "cut short", "write it again")
csv("zstd with a wrong header", flip(ZST, 5), "a.csv", "damaged", "write it again")
csv("bzip2 that was cut", BZ2[:-20], "a.csv", "cut short", "write it again")
csv("bzip2 whose data is wrong", flip(BZ2, 100), "a.csv", "damaged", "write it again")
csv("xz that was cut", XZ[:-20], "a.csv", "cut short", "write it again")
csv("xz whose data is wrong", flip(XZ, 100), "a.csv", "damaged", "write it again")
csv("a zip of two files", zipped(["a.csv", "b.csv"]), "a.csv", "expected an archive with one file, found", "unpack it first")
csv("a zip of none", zipped([]), "a.csv", "found none", "an archive with one file")
csv("a zip that was cut", zipped(["a.csv"])[:-30], "a.csv", "no whole zip archive", "it may have been cut short")
csv("a zip with a password", flip(zipped(["a.csv"]), 6).replace(b"PK\x01\x02\x14\x03\x14\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01"), "a.csv",
    "encrypted", "without a password")
csv("plain text that is said to be gzip", PEOPLE, "a.csv", "incorrect header check", "write it again", options="compression: gz")
csv("gzip that is said to be zstd", GZ, "a.csv", "damaged", "write it again", options="compression: zst")
csv("gzip that is said to be plain", GZ, "a.csv line 1", "set encoding", options="compression: none")
csv("a row that decompresses to 600 MB", bomb, "a.csv line 2", "longer than 67 MB", "a quote or bracket opens")
