#!/usr/bin/env python3
"""The histories must be able to fail: with a model that is spoilt on purpose every seed is reported, with its steps and how to run it again.

usage: broken_test.py CALVE      run with a Python that has PyIceberg
"""
import os, subprocess, sys

for how in ("rows", "values", "lineage"):
    run = subprocess.run([sys.executable, f"{os.path.dirname(os.path.abspath(__file__))}/run", sys.argv[1], "--seeds", "1", "--steps", "5", "--broken", how],
                         capture_output=True, text=True)
    for words in ("seed 1 of", f"(the model was spoilt: {how})", "again: ", "0 of 1 seeds passed"):
        assert words in run.stdout, f"{how}: no {words!r} in {run.stdout}{run.stderr}"
    assert run.returncode == 1, f"{how}: ended with {run.returncode}"
    print(f"spoilt {how}: found")
