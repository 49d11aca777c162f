#!/usr/bin/env python3
"""A transformer in Python: a column `initials` beside `name`, as `transformer: {type: exec, command: [python3, initials.py]}` runs it.

Needs pyarrow. It reads an Arrow stream on its standard input, and writes one batch for each that it reads."""
import sys
import pyarrow as pa


def initials(name):
    return None if name is None else "".join(word[0].upper() for word in name.split())


with pa.ipc.open_stream(sys.stdin.buffer) as rows:
    schema = rows.schema.append(pa.field("initials", pa.string()))
    with pa.ipc.new_stream(sys.stdout.buffer, schema) as out:
        for batch in rows:
            made = pa.array([initials(name) for name in batch.column("name").to_pylist()], pa.string())
            out.write_batch(pa.record_batch([*batch.columns, made], schema=schema))
            sys.stdout.buffer.flush()  # calve waits for this batch before it sends the next.
    sys.stdout.buffer.flush()
