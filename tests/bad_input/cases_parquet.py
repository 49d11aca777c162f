"""Parquet and Avro files that are wrong. The good file that each is made from is written by calve itself, in the case's own project."""
import os, struct
from table import CONFIG, DATA, JOB, LOADER, PEOPLE, case

EXPORT = 'source: {type: inline, rows: [{id: 1, name: ada}, {id: 2, name: bo}]}\n' + LOADER


def parquet(name, damage, *says, exit=DATA):
    """Damage a good file: `damage` is given its bytes and returns others."""
    def spoil(path):
        project = os.path.dirname(os.path.dirname(path))
        content = open(f"{project}/good.parquet", "rb").read()
        open(path, "wb").write(damage(content))
    case(name, "extract t --to csv", exit, *says, before=["extract good --to parquet -o good.parquet"],
         good={"config/jobs/good.yaml": EXPORT}, files={JOB: "source: {type: parquet, source_path: in/a.parquet}\n" + LOADER, "in/a.parquet": spoil})


def patch(content, at, new):
    return content[:at] + new + content[at + len(new):]


parquet("an empty file for Parquet", lambda good: b"", "a.parquet", "no readable Parquet file", "write it again")
parquet("text for Parquet", lambda good: PEOPLE.encode() * 10, "a.parquet", "no readable Parquet file", "write it again")
parquet("Parquet that was cut at its end", lambda good: good[:-10], "a.parquet", "no readable Parquet file", "write it again")
parquet("Parquet that was cut in its middle", lambda good: good[:len(good) // 2], "a.parquet", "no readable Parquet file", "write it again")
parquet("Parquet without its start", lambda good: good[100:], "a.parquet", "write it again")
parquet("a footer longer than the file", lambda good: patch(good, len(good) - 8, struct.pack("<I", 2**31 - 1)), "a.parquet",
        "no readable Parquet file", "write it again")
parquet("a footer of no bytes", lambda good: patch(good, len(good) - 8, struct.pack("<I", 0)), "a.parquet", "write it again")
parquet("a footer of other bytes", lambda good: patch(good, len(good) - 60, b"\xff" * 40), "a.parquet", "no readable Parquet file", "write it again")
parquet("pages of other bytes", lambda good: patch(good, 4, b"\xff" * 40), "a.parquet cannot be read behind row 0", "write it again")
parquet("a footer that is encrypted", lambda good: good[:-4] + b"PARE", "a.parquet", "no readable Parquet file", "write it again")
case("an option of csv for Parquet", "extract t", CONFIG, "t.yaml:1:52", "unknown key 'delimiter'", "source_path",
     files={JOB: "source: {type: parquet, source_path: in/a.parquet, delimiter: ;}\n" + LOADER})
