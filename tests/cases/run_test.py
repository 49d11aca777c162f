#!/usr/bin/env python3
"""Show that the case runner passes what is right, fails what is wrong, and says where."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

RUN = Path(__file__).parent / "run"
CONFIGURATIONS = "default\nsmall ROWS=3  # a comment\n"
PROGRAM = """#!/bin/sh
case "$1" in
  say) shift; printf '%s\\n' "$@" ;;
  fail) echo "bad $2" >&2; exit 3 ;;
  rows) echo "rows ${ROWS:-all}" ;;
  where) pwd; echo "$TZ $HOME" ;;
  again) n=$(cat n 2>/dev/null || echo 0); echo $((n + 1)) >n; [ $n -ge 3 ] || exit 99; echo "run $n" ;;
  hang) sleep 100 ;;
esac
"""


class Runner(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "area").mkdir()
        (self.root / "configurations.txt").write_text(CONFIGURATIONS)
        self.case = self.root / "area" / "one.case"
        program = self.root / "program"
        program.write_text(PROGRAM)
        program.chmod(0o755)

    def run_case(self, text, *arguments):
        self.case.write_text("# Shows something.\n" + text)
        return subprocess.run([sys.executable, RUN, "--program", self.root / "program", "--cases", self.root, *arguments],
                              capture_output=True, text=True, check=False)

    def passes(self, text, *arguments, closing="2 passed, 0 failed"):
        done = self.run_case(text, *arguments)
        self.assertEqual(done.stdout.splitlines()[-1:], [closing], done.stdout + done.stderr)
        self.assertEqual(done.returncode, 0)

    def fails(self, text, words, *arguments):
        done = self.run_case(text, *arguments)
        self.assertIn(words, done.stdout)
        self.assertIn(" failed", done.stdout.splitlines()[-1])
        self.assertEqual(done.returncode, 1)

    def is_malformed(self, text, words):
        done = self.run_case(text)
        self.assertIn(words, done.stderr)
        self.assertEqual(done.returncode, 2)

    def test_exact_lines(self):
        self.passes("run calve say a b\na\nb\n----\n")
        self.fails("run calve say a b\na\n----\n", "+ b")
        self.fails("run calve say a\na\nb\n----\n", "- b")
        self.fails("run calve say a ''\na\n----\n", "+ ")

    def test_patterns(self):
        self.passes("run calve say 'took 1.5 s' x\n~ took [0-9.]+ s\n~x\n----\n")
        self.fails("run calve say 'took 1.5 s!'\n~ took [0-9.]+ s\n----\n", "+ took 1.5 s!")
        self.fails("run calve say a\n~ (\n----\n", "no regular expression")

    def test_any_lines(self):
        self.passes("run calve say a b c d\na\n...\nd\n----\n")
        self.passes("run calve say a\n...\na\n...\n----\n")
        self.fails("run calve say a b c\na\n...\nd\n----\n", "- d")

    def test_literal_lines_that_look_like_syntax(self):
        self.passes("run calve say 'exit 1' ... stderr\n= exit 1\n= ...\n= stderr\n----\n")

    def test_exit_code_and_stderr(self):
        self.passes("run calve fail x\nstderr\nbad x\nexit 3\n----\n")
        self.passes("run calve fail x\nexit 3\n----\n")
        self.fails("run calve fail x\n----\n", "exit 3, expected exit 0")
        self.fails("run calve say a\na\nexit 3\n----\n", "exit 0, expected exit 3")
        self.fails("run calve fail x\nstderr\nbad y\nexit 3\n----\n", "+ bad x")

    def test_report_names_the_line(self):
        self.fails("\nrun calve say a\nb\n----\n", "FAILED area/one [default] line 3: run calve say a")

    def test_files(self):
        self.passes("file in/a.txt\none\n----\nrun cat in/a.txt\none\n----\n")
        self.passes("bytes a.bin\na\\r\\n\\xff\n----\nrun od -An -tx1 a.bin\n 61 0d 0a ff\n----\n")

    def test_environment(self):
        self.passes("run calve where\n$PROJECT\nUTC $SANDBOX/home\n----\n")
        self.passes("env PLACE=$PROJECT/x\nrun echo $PLACE\n$PROJECT/x\n----\n")

    def test_configurations(self):
        self.passes("run calve rows\n~ rows (all|3)\n----\n")
        self.fails("run calve rows\nrows all\n----\n", "[small]")
        self.passes("skip-config small it differs\nrun calve rows\nrows all\n----\n", closing="1 passed, 0 failed, 1 skipped")
        self.passes("run calve rows\nrows 3\n----\n", "--configuration", "small", closing="1 passed, 0 failed")

    def test_restart(self):
        self.passes("run calve again\nrun 3\n----\n")

    def test_timeout(self):
        self.fails("run calve hang\n----\n", "did not end in time", "--timeout", "0.2")

    def test_continued_command(self):
        self.passes("run calve say a \\\n  b\na\nb\n----\n")

    def test_malformed(self):
        self.is_malformed("wrong x\n", "area/one:2: unknown directive 'wrong'")
        self.is_malformed("file a\n", "no closing ----")
        self.is_malformed("run calve say a\nexit 3\nb\n----\n", "area/one:3: 'exit N' must be the last line")
        self.is_malformed("skip-config small\nrun calve x\n----\n", "needs a reason")
        self.is_malformed("skip-config other it differs\nrun calve x\n----\n", "is no configuration")
        self.is_malformed("file a\n----\n", "has no run")

    def test_update_keeps_patterns_that_match(self):
        done = self.run_case("run calve say a 'took 2 s' ... b\nx\n~ took .* s\n----\nrun calve fail x\n----\n", "--update")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(self.case.read_text(), "# Shows something.\nrun calve say a 'took 2 s' ... b\na\n~ took .* s\n= ...\nb\n----\nrun calve fail x\nexit 3\n----\n")


if __name__ == "__main__":
    unittest.main(verbosity=0)
