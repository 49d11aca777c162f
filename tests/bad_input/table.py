"""The table of bad input. Each case says what a person did wrong and what calve must answer: the place, what was found, and what to do.

A case is one command in a project folder of its own. `says` are parts of what calve prints on standard error and output; the first is the
place (file, line, column, row, offset, key, table or argument), the last is what to do. Both are required.
"""
import shlex
from dataclasses import dataclass, field

DONE, REFUSED, CONFIG, DATA, AUDIT = 0, 1, 2, 3, 4
JOB = "config/jobs/t.yaml"
LOADER = "loader: {type: iceberg, database: d, table: t}\n"


@dataclass
class Case:
    name: str
    command: list
    exit: int
    says: tuple
    files: dict = field(default_factory=dict)
    """By path: text, bytes, or a function that is given the path and makes whatever lies there."""
    good: dict = field(default_factory=dict)
    """Files that are there before `before`, when there is any; the others come after it."""
    before: list = field(default_factory=list)
    """Commands that run first and must do well."""
    environment: dict = field(default_factory=dict)
    memory_mb_max: int = 900  # With the address sanitizer, which takes its part.


CASES = []


def case(name, command, exit, *says, files=None, good=None, before=(), environment=None, **more):
    assert len(says) >= 2 and all(says), f"{name}: name the place and what to do"
    assert name not in {known.name for known in CASES}, f"two cases are named {name}"
    CASES.append(Case(name, shlex.split(command) if isinstance(command, str) else command, exit, says,
                      dict(files or {}), dict(good or {}), [shlex.split(each) for each in before], dict(environment or {}), **more))


def source(name, options, files, *says, exit=DATA, command="extract t --to csv", **more):
    """A job that reads with `options` and loads into d.t."""
    case(name, command, exit, *says, files={JOB: f"source: {{{options}}}\n{LOADER}", **files}, **more)


def csv(name, data, *says, options="", exit=DATA, **more):
    source(name, "type: csv, source_path: in/a.csv" + (", " + options if options else ""), {"in/a.csv": data}, *says, exit=exit, **more)


def json(name, data, *says, options="", exit=DATA, **more):
    source(name, "type: json, source_path: in/a.jsonl" + (", " + options if options else ""), {"in/a.jsonl": data}, *says, exit=exit, **more)


def job(name, text, *says, files=None, exit=CONFIG, command="run t", **more):
    """A job file as it stands; calve answers before it reads or writes anything."""
    case(name, command, exit, *says, files={JOB: text, **(files or {})}, **more)


PEOPLE = "id,name,born\n1,ada,1815-12-10\n2,bo,1999-01-01\n"


def people(name, extra, *says, exit=CONFIG, command="run t", loader=LOADER, files=None, **more):
    """A job over three good columns (id long, name string, born date), with `extra` lines in its file."""
    text = "source: {type: csv, source_path: in/a.csv}\n" + extra + ("\n" if extra else "") + loader
    case(name, command, exit, *says, files={JOB: text, "in/a.csv": PEOPLE, **(files or {})}, **more)


def contract(name, text, *says, exit=CONFIG, **more):
    people(name, "", *says, exit=exit, files={"contracts/d.t.yaml": text}, **more)


LOADED = {JOB: "source: {type: csv, source_path: in/a.csv}\n" + LOADER, "in/a.csv": PEOPLE}


def loaded(name, command, exit, *says, files=None, before=(), **more):
    """A command on a project whose table d.t has been loaded."""
    case(name, command, exit, *says, files=files, good=LOADED, before=["run t", *before], **more)
