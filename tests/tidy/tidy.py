#!/usr/bin/env python3
"""Check the house rules that a compiler cannot: ARCHITECTURE.md is true, and the code keeps to it.

usage: tidy.py [ROOT]

Prints one line per fault, `file:line: what was found; what to do`, and ends with 1 if there is any.
tidy_test.py shows each rule firing on a bad sample.
"""

import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

# Folders that are not ours to judge, wherever they lie.
SKIPPED_FOLDERS = {".git", ".deps", "build", "__pycache__", "node_modules"}
SOURCE_SUFFIXES = {".cc", ".h"}
TEXT_SUFFIXES = SOURCE_SUFFIXES | {
    ".case", ".cmake", ".css", ".html", ".ini", ".js", ".json", ".md", ".mjs", ".py", ".sh", ".sql",
    ".svg", ".toml", ".ts", ".tsx", ".txt", ".xml", ".yaml", ".yml", ""}
FILE_BYTES_MAX = 2 * 1024 * 1024

# Rooms that own threads. In the others work runs on the Context's executor.
THREAD_ROOMS = {"base", "pipeline", "stream", "http", "server"}

# C and POSIX headers; those of the C++ library have no suffix and need no list.
SYSTEM_HEADERS = re.compile(
    r"(assert|ctype|dirent|dlfcn|emmintrin|endian|errno|fcntl|fenv|float|getopt|glob|immintrin|inttypes|langinfo|"
    r"limits|locale|malloc|math|netdb|nmmintrin|poll|pthread|pwd|sched|semaphore|setjmp|signal|spawn|stdarg|stddef|"
    r"stdint|stdio|stdlib|string|strings|syslog|termios|time|unistd|utime|wchar|wordexp|x86intrin)\.h"
    r"|(arpa|linux|net|netinet|sys)/[a-z0-9_]+\.h|cxxabi\.h|execinfo\.h|ext/.*|sanitizer/.*")
FORBIDDEN_STANDARD_HEADERS = {
    "format": "g++ 12 has none: use fmt/format.h",
    "coroutine": "g++ 12 miscompiles coroutines: use a thread of the executor",
    "regex": "std::regex overflows the stack on long input: use re2",
    "iostream": "it brings static initialisers: use the log, fmt, or <ostream>",
}

# Everywhere, here too: so what is forbidden is spelled in two pieces.
MARKS = ("TO" "DO", "FIX" "ME", "X" "XX", "HA" "CK")
MARK = re.compile(rf"\b({'|'.join(MARKS)})\b")
MACHINE_PATH = re.compile(r"(?<![\w.$}~*-])/(work|farm|root)/[a-z.]")
SWITCHED_OFF = re.compile(r"\bDIS" r"ABLED_|\bGTEST_" r"SKIP\(\)\s*;|\b(it|test)\.sk" r"ip\b")

CODE_RULES = [
    (re.compile(r"\bsystem_clock::now\b|\b(steady|high_resolution)_clock\b|\bgettimeofday\b|\bclock_gettime\b|\btime\(\s*(nullptr|NULL|0)\s*\)"),
     lambda file: file.room == "base",
     "reads the clock; take the time from Context, which base gives"),
    (re.compile(r"\bstd::(thread|jthread|async)\b(?!::(hardware_concurrency|id))|\bpthread_create\b"),
     lambda file: file.room in THREAD_ROOMS or file.is_main or file.is_test or file.is_bench,
     "starts a thread below pipeline; use the Context's executor"),
    (re.compile(r"\bsleep_(for|until)\b|\bu?sleep\s*\("),
     lambda file: file.room == "base" and not file.is_test,
     "sleeps; wait through Context, which can be stopped and has a clock of its own in tests"),
    (re.compile(r"\bstd::random_device\b|\bs?rand\s*\("),
     lambda file: file.room == "base" or file.is_test or file.is_bench,
     "makes its own randomness; take it from Context, so that a seed replays it"),
    (re.compile(r"\bco_(await|yield|return)\b"), lambda file: False, "uses a coroutine, which g++ 12 miscompiles"),
    (re.compile(r"\b(printf|puts|putchar)\s*\(|\bstd::c(out|err)\b|\bfmt::print\b"),
     lambda file: file.room in ("base", "cli") or file.is_main or file.is_test or file.is_bench,
     "prints; return what is to be said, or log it"),
]


@dataclass
class Room:
    name: str
    may_include: set
    later: bool
    line: int


@dataclass
class Library:
    name: str
    headers: list
    places: list  # rooms or room/part; ["all"] for every room
    line: int


@dataclass
class SourceFile:
    path: str  # from the root: src/io/local/durable.cc
    text: str
    room: str = ""
    part: str = ""
    is_main: bool = False
    is_test: bool = False
    is_bench: bool = False


@dataclass
class House:
    root: Path
    rooms: dict = field(default_factory=dict)
    libraries: dict = field(default_factory=dict)
    rooms_with_pages: list = field(default_factory=list)
    faults: list = field(default_factory=list)

    def fault(self, path, line, message):
        self.faults.append(f"{path}:{line}: {message}")


def read_architecture(house):
    """Read both tables and the list of rooms whose parts have a page."""
    path = house.root / "ARCHITECTURE.md"
    table = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        pages = re.match(r"Parts with a page of their own: (.*)\.$", line)
        if pages:
            house.rooms_with_pages = pages.group(1).split()
        if not line.startswith("|"):
            table = None
            continue
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if table is None:
            table = cells[0]
        elif set(line) <= set("|-"):
            continue
        elif table == "room":
            house.rooms[cells[0]] = Room(cells[0], set(cells[2].split()), cells[3] == "later", number)
        elif table == "library":
            house.libraries[cells[0].strip("`")] = Library(
                cells[0].strip("`"), [] if cells[1] == "-" else cells[1].split(), cells[3].split(), number)
    for room in house.rooms.values():
        if "all" in room.may_include:
            room.may_include = set(house.rooms) - room.may_include - {room.name}
        room.may_include.discard("-")


def is_test_file(path, text):
    """A file is for tests by its name, or because it includes GoogleTest."""
    name = Path(path).name
    return bool(re.search(r"(_test|_fuzz)\.cc$|_for_test\.|^testing\.", name) or re.search(r"#include <g(test|mock)/", text))


def classify(house, path):
    file = SourceFile(path, (house.root / path).read_text(errors="replace"))
    steps = path.split("/")
    name = steps[-1]
    file.is_test = is_test_file(path, file.text)
    file.is_bench = name.endswith("_bench.cc")
    if steps[0] == "src":
        file.is_main = path == "src/main.cc"
        file.room = steps[1] if len(steps) > 2 else ""
        file.part = steps[2] if len(steps) > 3 else ""
    return file


def strip_comments_and_strings(text):
    """Blank out comments and string literals, keeping every line where it is."""
    def blank(match):
        found = match.group(0)
        if found.startswith("#include"):
            return found
        return re.sub(r"[^\n]", " ", found)
    pattern = (r'#include\s*"[^"\n]*"|//[^\n]*|/\*.*?\*/|R"([^()\\ ]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"'
               r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'")
    return re.sub(pattern, blank, text, flags=re.DOTALL)


def room_uses(house, folder):
    """The libraries that a folder's deps.cmake names."""
    path = house.root / folder / "deps.cmake"
    if not path.exists():
        return []
    text = re.sub(r"#[^\n]*", "", path.read_text())
    return [name for call in re.findall(r"room_uses\(([^)]*)\)", text) for name in call.split()]


def check_rooms(house):
    src = house.root / "src"
    folders = sorted(entry.name for entry in src.iterdir() if entry.is_dir() and any(
        file.is_file() for file in entry.rglob("*"))) if src.exists() else []
    for folder in folders:
        if folder not in house.rooms:
            house.fault(f"src/{folder}", 1, "has no row in ARCHITECTURE.md; add the room there first")
    for room in house.rooms.values():
        has_code = any((src / room.name).rglob("*.cc")) or any((src / room.name).rglob("*.h"))
        if room.later and has_code:
            house.fault("ARCHITECTURE.md", room.line, f"room '{room.name}' is marked later, but it has code; clear its state")
        if not room.later and not has_code:
            house.fault("ARCHITECTURE.md", room.line, f"room '{room.name}' has no code in src/{room.name}; write it or mark it later")
        for name in sorted(room.may_include - set(house.rooms)):
            house.fault("ARCHITECTURE.md", room.line, f"room '{room.name}' may include '{name}', which has no row")
    for room in house.rooms.values():
        for name in room.may_include & set(house.rooms):
            if room.name in house.rooms[name].may_include:
                house.fault("ARCHITECTURE.md", room.line, f"rooms '{room.name}' and '{name}' include each other")


def check_deps(house):
    src = house.root / "src"
    for path in sorted(src.rglob("deps.cmake")):
        folder = path.parent.relative_to(house.root).as_posix()
        place = folder.removeprefix("src/")
        for name in room_uses(house, folder):
            library = house.libraries.get(name)
            if name == "Threads::Threads":
                continue
            if library is None:
                house.fault(f"{folder}/deps.cmake", 1, f"library '{name}' has no row in ARCHITECTURE.md; add it there, with a decision record")
            elif "all" not in library.places and place not in library.places and place.split("/")[0] not in library.places:
                house.fault(f"{folder}/deps.cmake", 1, f"library '{name}' may be used in {' '.join(library.places)}, not in {place}")


def allowed_libraries(house, file):
    names = room_uses(house, f"src/{file.room}") + (room_uses(house, f"src/{file.room}/{file.part}") if file.part else [])
    if file.is_main:
        return set(house.libraries)
    if file.is_test or file.is_bench:
        names += ["GTest::gmock", "benchmark::benchmark"]
    return set(names)


def library_of(house, header):
    for library in house.libraries.values():
        for prefix in library.headers:
            if header == prefix or (prefix.endswith("/") and header.startswith(prefix)):
                return library
    return None


def check_room_include(house, file, number, header):
    target = header.split("/")[0]
    if target not in house.rooms:
        house.fault(file.path, number, f'"{header}" is in no room; write the path from src/')
        return
    if not (house.root / "src" / header).exists():
        house.fault(file.path, number, f'"{header}" does not exist in src/')
        return
    if not file.is_test and not file.is_bench and is_test_file(header, (house.root / "src" / header).read_text(errors="replace")):
        house.fault(file.path, number, f'"{header}" is for tests')
    if file.is_main or not file.room:
        return
    steps = header.split("/")
    part = steps[1] if len(steps) > 2 else ""
    if target != file.room:
        if target not in house.rooms[file.room].may_include:
            house.fault(file.path, number, f"room '{file.room}' may not include room '{target}' (ARCHITECTURE.md)")
        elif part:
            house.fault(file.path, number, f"includes '{header}', a part of room '{target}'; go through its door")
    elif part and file.part and part != file.part:
        house.fault(file.path, number, f"part '{file.part}' includes its sibling '{part}'; move what both need to the door")
    elif part and not file.part and not file.is_test and not file.is_bench:
        house.fault(file.path, number, f"the door of '{file.room}' includes its part '{part}'; let the part register itself")


def check_includes(house, file):
    includes = [(number, match) for number, line in enumerate(file.text.splitlines(), 1)
                for match in [re.match(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', line)] if match]
    libraries = allowed_libraries(house, file)
    for number, match in includes:
        ours, theirs = match.group(1), match.group(2)
        if ours:
            check_room_include(house, file, number, ours)
            continue
        if theirs in FORBIDDEN_STANDARD_HEADERS and not (theirs == "iostream" and (file.is_main or file.is_bench or file.is_test)):
            house.fault(file.path, number, f"<{theirs}>: {FORBIDDEN_STANDARD_HEADERS[theirs]}")
        library = library_of(house, theirs)
        if library is None:
            if re.fullmatch(r"[a-z_0-9]+", theirs) or SYSTEM_HEADERS.fullmatch(theirs):
                continue
            house.fault(file.path, number, f"<{theirs}> belongs to no library in ARCHITECTURE.md")
        elif file.room and not any(allowed.split("::")[0] == library.name.split("::")[0] and
                                   (allowed == library.name or not house.libraries[allowed].headers)
                                   for allowed in libraries if allowed in house.libraries):
            house.fault(file.path, number, f"<{theirs}> needs {library.name} in src/{file.room}/deps.cmake (or the part's own)")
    if file.path.endswith(".cc") and not file.is_main:
        own = file.path.removeprefix("src/")
        own = re.sub(r"(_test|_bench|_fuzz)?\.cc$", ".h", own)
        first = includes[0][1].group(1) if includes else None
        if (house.root / "src" / own).exists() and first != own and file.path.startswith("src/") and not file.is_test and not file.is_bench:
            house.fault(file.path, includes[0][0] if includes else 1, f'include "{own}" first, so that it is seen to stand alone')


def check_source(house, file):
    if file.path.endswith(".h") and not re.search(r"^#pragma once$", file.text, re.MULTILINE):
        house.fault(file.path, 1, "needs #pragma once")
    check_includes(house, file)
    code = strip_comments_and_strings(file.text)
    for number, line in enumerate(code.splitlines(), 1):
        for pattern, is_allowed, message in CODE_RULES:
            if pattern.search(line) and not is_allowed(file):
                house.fault(file.path, number, message)
    for number, line in enumerate(file.text.splitlines(), 1):
        part = re.match(r"CALVE_PART\((\w+)\)", line)
        if part and file.room in house.rooms_with_pages:
            page = f"docs/reference/{file.room}/{part.group(1)}.md"
            if not (house.root / page).exists():
                house.fault(file.path, number, f"part '{part.group(1)}' has no page {page}")


def check_text(house, path):
    size = (house.root / path).stat().st_size
    if size > FILE_BYTES_MAX:
        house.fault(path, 1, f"is {size // 1024} KB; files over {FILE_BYTES_MAX // 1024} KB do not belong in the repository")
        return
    if Path(path).suffix not in TEXT_SUFFIXES:
        return
    text = (house.root / path).read_text(errors="replace")
    if "\0" in text:
        return
    for number, line in enumerate(text.splitlines(), 1):
        mark = MARK.search(line)
        if mark and path.split("/")[0] in ("src", "web", "tests", "tools", "cmake", "bench", "examples"):
            house.fault(path, number, f"unfinished mark {mark.group(0)}; do it, or file it and say nothing here")
        place = MACHINE_PATH.search(line)
        if place:
            house.fault(path, number, f"path of one machine: {place.group(0)}...")
        if path.split("/")[0] in ("src", "web", "tests") and SWITCHED_OFF.search(line):
            house.fault(path, number, "a test that is switched off; mend it or delete it")


def all_files(root):
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED_FOLDERS)
        for name in sorted(files):
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(root).as_posix()


def check(root):
    """Return every fault of the tree below root."""
    house = House(Path(root))
    read_architecture(house)
    check_rooms(house)
    check_deps(house)
    for path in all_files(house.root):
        check_text(house, path)
        if Path(path).suffix in SOURCE_SUFFIXES and path.split("/")[0] == "src":
            check_source(house, classify(house, path))
    return house.faults


def main():
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[2]
    faults = check(root)
    for fault in faults:
        print(fault)
    if faults:
        print(f"{len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
