#!/usr/bin/env python3
"""Show that each rule of tidy.py fires on a bad sample, and stays silent on a good one."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import tidy

ARCHITECTURE = """
| room | what it is | may include | state |
|---|---|---|---|
| base | floor | - | |
| io | bytes | base | |
| source | batches | base io | |
| server | edge | all but cli | later |
| cli | edge | all | later |

Parts with a page of their own: source.

| library | headers | for | may be used in |
|---|---|---|---|
| `fmt::fmt` | fmt/ | text | all |
| `Arrow::arrow` | arrow/ | batches | io source |
| `SQLite::SQLite3` | sqlite3.h | facts | source/sqlite |
| `GTest::gmock` | gtest/ gmock/ | tests | tests only |
"""

GOOD = {
    "ARCHITECTURE.md": ARCHITECTURE,
    "src/base/result.h": "#pragma once\n#include <string>\n",
    "src/base/time.cc": "#include \"base/time.h\"\nauto now = std::chrono::system_clock::now();\n",
    "src/base/time.h": "#pragma once\n",
    "src/io/deps.cmake": "room_uses(Arrow::arrow)  # SQLite::SQLite3\n",
    "src/io/file.h": "#pragma once\n#include <arrow/buffer.h>\n#include <sys/stat.h>\n#include \"base/result.h\"\n",
    "src/source/source.h": "#pragma once\n#include \"io/file.h\"\n",
    "src/source/csv/csv.h": "#pragma once\n",
    "src/source/csv/csv.cc": "#include \"source/csv/csv.h\"\n#include \"source/source.h\"\nCALVE_PART(csv) {}\n",
    "src/source/sqlite/deps.cmake": "room_uses(SQLite::SQLite3)\n",
    "src/source/sqlite/sqlite.cc": "#include <sqlite3.h>\n#include \"source/source.h\"\n",
    "src/source/csv/csv_test.cc": "#include \"source/csv/csv.h\"\n#include <gtest/gtest.h>\nstd::jthread t;\n",
    "src/source/rows_for_test.h": "#pragma once\n#include <gtest/gtest.h>\n",
    "src/main.cc": "#include \"source/source.h\"\n",
    "docs/reference/source/csv.md": "# csv\n",
}


def faults_of(changes):
    """The faults of the good tree with some files replaced, added, or (None) taken away."""
    with tempfile.TemporaryDirectory() as folder:
        for path, text in {**GOOD, **changes}.items():
            if text is None:
                continue
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        return tidy.check(folder)


class Rules(unittest.TestCase):
    def fires(self, changes, place, words):
        faults = faults_of(changes)
        self.assertTrue(any(fault.startswith(place) and words in fault for fault in faults),
                        f"expected '{words}' at {place}, found {faults}")

    def silent(self, changes):
        self.assertEqual(faults_of(changes), [])

    def test_good_tree_is_silent(self):
        self.silent({})

    def test_room_above(self):
        self.fires({"src/io/file.h": "#pragma once\n#include \"source/source.h\"\n"}, "src/io/file.h:2", "may not include room 'source'")

    def test_all_but(self):
        tables = ARCHITECTURE.replace("all but cli | later", "all but cli | ").replace("all | later", "all | ")
        tree = {"ARCHITECTURE.md": tables, "src/cli/run.h": "#pragma once\n", "src/cli/run.cc": "#include \"cli/run.h\"\n#include \"server/api.h\"\n",
                "src/server/api.h": "#pragma once\n#include \"io/file.h\"\n"}
        self.silent(tree)
        self.fires({**tree, "src/server/api.h": "#pragma once\n#include \"cli/run.h\"\n"}, "src/server/api.h:2", "may not include room 'cli'")

    def test_sibling_part(self):
        self.fires({"src/source/csv/csv.h": "#pragma once\n#include \"source/sqlite/sqlite.h\"\n", "src/source/sqlite/sqlite.h": "#pragma once\n"},
                   "src/source/csv/csv.h:2", "includes its sibling 'sqlite'")

    def test_door_includes_part(self):
        self.fires({"src/source/source.h": "#pragma once\n#include \"source/csv/csv.h\"\n"}, "src/source/source.h:2", "includes its part 'csv'")

    def test_part_of_another_room(self):
        self.fires({"src/io/local/disk.h": "#pragma once\n", "src/source/source.h": "#pragma once\n#include \"io/local/disk.h\"\n"},
                   "src/source/source.h:2", "go through its door")

    def test_missing_and_unknown_includes(self):
        self.fires({"src/io/file.h": "#pragma once\n#include \"base/gone.h\"\n"}, "src/io/file.h:2", "does not exist")
        self.fires({"src/io/file.h": "#pragma once\n#include \"file.h\"\n"}, "src/io/file.h:2", "write the path from src/")

    def test_library_that_the_room_does_not_name(self):
        self.fires({"src/base/result.h": "#pragma once\n#include <arrow/api.h>\n"}, "src/base/result.h:2", "needs Arrow::arrow")
        self.fires({"src/source/csv/csv.h": "#pragma once\n#include <sqlite3.h>\n"}, "src/source/csv/csv.h:2", "needs SQLite::SQLite3")

    def test_library_in_the_wrong_place(self):
        self.fires({"src/base/deps.cmake": "room_uses(Arrow::arrow)\n"}, "src/base/deps.cmake:1", "may be used in io source")
        self.fires({"src/source/deps.cmake": "room_uses(SQLite::SQLite3)\n"}, "src/source/deps.cmake:1", "may be used in source/sqlite")
        self.fires({"src/io/deps.cmake": "room_uses(Boost::json Arrow::arrow)\n"}, "src/io/deps.cmake:1", "no row")

    def test_unknown_header(self):
        self.fires({"src/io/file.h": "#pragma once\n#include <boost/json.hpp>\n"}, "src/io/file.h:2", "belongs to no library")

    def test_forbidden_standard_header(self):
        for header in tidy.FORBIDDEN_STANDARD_HEADERS:
            self.fires({"src/io/file.h": f"#pragma once\n#include <{header}>\n"}, "src/io/file.h:2", f"<{header}>")

    def test_header_for_tests(self):
        self.fires({"src/source/source.h": "#pragma once\n#include \"source/rows_for_test.h\"\n"}, "src/source/source.h:2", "is for tests")

    def test_own_header_first(self):
        self.fires({"src/base/time.cc": "#include <string>\n#include \"base/time.h\"\n"}, "src/base/time.cc:1", "\"base/time.h\" first")

    def test_pragma_once(self):
        self.fires({"src/base/result.h": "// #pragma once\n"}, "src/base/result.h:1", "#pragma once")

    def test_folder_without_row(self):
        self.fires({"src/misc/a.h": "#pragma once\n"}, "src/misc:1", "no row")

    def test_row_without_folder(self):
        self.fires({"src/io/file.h": None, "src/source/source.h": "#pragma once\n"}, "ARCHITECTURE.md:", "room 'io' has no code")

    def test_later_with_code(self):
        self.fires({"src/cli/run.h": "#pragma once\n"}, "ARCHITECTURE.md:", "room 'cli' is marked later")

    def test_unknown_room_in_table(self):
        self.fires({"ARCHITECTURE.md": ARCHITECTURE.replace("| base io |", "| base io web |")}, "ARCHITECTURE.md:", "'web', which has no row")

    def test_circle(self):
        self.fires({"ARCHITECTURE.md": ARCHITECTURE.replace("| bytes | base |", "| bytes | base source |")}, "ARCHITECTURE.md:", "include each other")

    def test_part_without_page(self):
        self.fires({"docs/reference/source/csv.md": None}, "src/source/csv/csv.cc:3", "no page docs/reference/source/csv.md")

    def test_marks(self):
        for mark in ("TO" "DO", "FIX" "ME", "X" "XX", "HA" "CK"):
            self.fires({"src/base/result.h": f"#pragma once\n// {mark}: later\n"}, "src/base/result.h:2", mark)

    def test_machine_path(self):
        self.fires({"docs/a.md": "see /wor" + "k/shared\n"}, "docs/a.md:1", "path of one machine")
        self.silent({"docs/a.md": "a URL such as https://host/wor" "k/a, a variable $HOME/wor" "k/a\n"})

    def test_switched_off(self):
        self.fires({"src/io/file_test.cc": "TEST(File, DIS" "ABLED_Opens) {}\n"}, "src/io/file_test.cc:1", "switched off")
        self.fires({"src/io/file_test.cc": "GTEST_" "SKIP();\n"}, "src/io/file_test.cc:1", "switched off")

    def test_clock(self):
        for call in ("std::chrono::system_clock::now()", "std::chrono::steady_clock::now()", "time(nullptr)"):
            self.fires({"src/io/file.h": f"#pragma once\nauto t = {call};\n"}, "src/io/file.h:2", "reads the clock")
        self.silent({"src/io/file.h": "#pragma once\n// steady_clock is base's\nstd::string_view s = \"steady_clock\";\n"})

    def test_clock_hidden_beside_a_string(self):
        self.fires({"src/io/file.h": "#pragma once\nauto s = \"//\"; auto t = time(nullptr);\n"}, "src/io/file.h:2", "reads the clock")

    def test_threads(self):
        self.fires({"src/io/file.h": "#pragma once\nstd::jthread t;\n"}, "src/io/file.h:2", "starts a thread")

    def test_sleep(self):
        self.fires({"src/io/file_test.cc": "std::this_thread::sleep_for(1s);\n"}, "src/io/file_test.cc:1", "sleeps")

    def test_randomness(self):
        self.fires({"src/io/file.h": "#pragma once\nstd::random_device d;\n"}, "src/io/file.h:2", "randomness")

    def test_coroutine(self):
        self.fires({"src/io/file.h": "#pragma once\nco_await x;\n"}, "src/io/file.h:2", "coroutine")

    def test_print(self):
        self.fires({"src/io/file.h": "#pragma once\nvoid f() { std::cout << 1; }\n"}, "src/io/file.h:2", "prints")

    def test_large_file(self):
        self.fires({"docs/a.md": "a" * (tidy.FILE_BYTES_MAX + 1)}, "docs/a.md:1", "do not belong")


if __name__ == "__main__":
    unittest.main(verbosity=0)
