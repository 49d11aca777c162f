"""JSON lines that are wrong."""
from table import CONFIG, json
import gzip, zipfile

GOOD = '{"a": 1, "b": "x", "c": true, "d": {"e": 1}, "f": [1]}\n'


def line(name, text, *says, **more):
    """A wrong second line behind a good first one."""
    data = GOOD.encode() + (text if isinstance(text, bytes) else text.encode()) + b"\n"
    json(name, data, "a.jsonl line 2", *says, **more)


line("a line that is no JSON", "hello", "one object a line")
line("an array of rows", '[{"a": 1}, {"a": 2}]', "one object a line")
line("a number for a row", "5", "one object a line")
line("null for a row", "null", "one object a line")
line("an object that does not end", '{"a": 1', "the line ends where , or }", "(character 8)", "one whole object a line")
line("a text that does not end", '{"a": 1, "b": "x', "column b", "the closing \" of a text", "one whole object a line")
line("a comma that is missing", '{"a": 1 "b": "x"}', "(character ", "one whole object a line")
line("a colon that is missing", '{"a" 1}', "(character ", "one whole object a line")
line("a comma too many", '{"a": 1,}', "(character ", "one whole object a line")
line("single quotes", "{'a': 1}", "(character ", "one whole object a line")
line("a key without quotes", "{a: 1}", "(character ", "one whole object a line")
line("a comment", '{"a": 1} // one', "the end of the line is expected", "(character 10)", "one whole object a line")
line("two objects in a line", '{"a": 1} {"a": 2}', "the end of the line is expected", "(character 10)", "one whole object a line")
line("a bracket of the other kind", '{"a": [1}', "(character ", "one whole object a line")
line("a key twice", '{"a": 1, "a": 2}', "'a' stands twice", "keep one")
line("a key twice below", '{"d": {"e": 1, "e": 2}}', "column d", "'e' stands twice", "keep one")
line("half of a surrogate pair", r'{"b": "\ud800"}', "column b", "surrogate pair (character 8)", "write the whole pair")
line("the other half of a surrogate pair", r'{"b": "\udc00"}', "column b", "surrogate pair (character 8)", "write the whole pair")
line("a surrogate pair the wrong way round", r'{"b": "\udc00\ud800"}', "column b", "surrogate pair (character 8)", "write the whole pair")
line("an escape that JSON does not have", r'{"b": "\x41"}', "column b", "an escape such as", "write \\\\ for a backslash")
line("an escape of three digits", r'{"b": "\u041"}', "column b", "an escape such as", "write \\\\ for a backslash")
line("a control character in a text", '{"b": "a\x01b"}', "column b", "control character 0x01", "write it as \\u0001")
line("a NUL in a line", b'{"b": "a\0b"}', "column b", "control character 0x00", "write it as \\u0000")
line("a NUL behind a line", b'{"b": "ab"}\0', "the end of the line is expected", "one whole object a line")
line("bytes that are no UTF-8", b'{"b": "\xff"}', "no UTF-8", "save the file as UTF-8")
line("a word without quotes", '{"b": word}', "column b", "'word' is no JSON value (character 7)", "double quotes")
line("a word that begins as null does", '{"b": nope}', "column b", "'nope' is no JSON", "double quotes")
line("a word that begins as true does", '{"c": truth}', "column c", "'truth' is no JSON", "double quotes")
line("NaN", '{"a": NaN}', "column a", "double quotes")
line("Infinity", '{"a": -Infinity}', "column a", "'-Infinity' is no JSON", "double quotes")
line("a number with a leading zero", '{"a": 01}', "column a", "'01' is no JSON value", "written as -1, 0.5")
line("a number with a plus sign", '{"a": +1}', "column a", "double quotes")
line("a hexadecimal number", '{"a": 0x1F}', "column a", "'0x1F' is no JSON")
line("a number that ends in its point", '{"a": 1.}', "column a", "'1.' is no JSON")
line("a number that begins with its point", '{"a": .5}', "column a", "double quotes")
line("an exponent without digits", '{"a": 1e}', "column a", "'1e' is no JSON")
line("a text for a long", '{"a": "x"}', "column a", "'x' is no long", options="types: {a: long}")
line("a fraction for a long", '{"a": 1.5}', "column a", "'1.5' is no long", options="types: {a: long}")
line("a long beyond 64 bits in JSON", '{"a": 9223372036854775808}', "column a", "beyond its range", "wider type", options="types: {a: long}")
line("an exponent for a long", '{"a": 1e3}', "column a", "'1e3' is no long", options="types: {a: long}")
line("a boolean for a long", '{"a": true}', "column a", "'true' is no long", options="types: {a: long}")
line("an object for a long", '{"a": {}}', "column a", "'{}' is no long", options="types: {a: long}")
line("1e999 in JSON", '{"a": 1e999}', "column a", "'1e999' is no double", options="types: {a: double}")
line("too many digits for a decimal in JSON", '{"a": 1.005}', "column a", "more digits behind the point", "wider type",
     options="types: {a: \"decimal(5, 2)\"}")
line("no such day in JSON", '{"b": "2023-02-30"}', "column b", "there is no such day", options="types: {b: date}")
line("a number for a timestamp", '{"b": 1700000000}', "column b", "'1700000000' is no timestamptz", options="types: {b: timestamptz}")
line("arrays nested 100,000 deep that do not end", '{"f": ' + "[" * 100_000 + "}", "column f", "(character 100,007)", "write null where there is none")
json("an array that is cut off", '[\n{"a": 1},\n{"a": 2}\n', "a.jsonl line 1", "ends within its array", "cut off")
json("text behind an array", '[{"a": 1}]\n{"a": 2}\n', "a.jsonl line 1", "follows the end of the array", "one object a line")
json("a number among the rows of an array", '[{"a": 1},\n7]\n', "a.jsonl line 2", "not one JSON object", "one object a line")
json("a path to records that is not there", '{"data": {"items": []}}\n', "a.jsonl line 1", "found no 'itms', only items", "did you mean 'items'", options="records_path: data.itms")
json("a path to records that leads to an object", '{"data": {"a": 1}}\n', "a.jsonl line 1", "records_path data leads to no array", "give the keys", options="records_path: data")
for command in ("plan t", "run t", "extract t --to csv"):
    json(f"one object over many lines, {command}", '{\n  "a": 1\n}\n', "a.jsonl line 1", "ends in line 3", "set records_path", command=command)
json("records in a list of an object", '{\n  "n": 2,\n  "items": [\n    {"a": 1},\n    {"a": 2}\n  ]\n}\n', "a.jsonl line 1", "ends in line 7",
     "set records_path to where the array of records is (items)")
json("an object over many lines behind the sample", GOOD * 60_000 + '{"a": 1, "f": [\n{"a": 2}\n]}\n', "a.jsonl line 60,001", "ends in line 60,003",
     "jq -c")
json("an object over lines that are longer than a block, and cut short", '{"a": 1}\n{\n"b": "' + "b" * 20_000_000 + '",\n"c":\n{"a": 2}\n',
     "a.jsonl line 2", "goes on over many lines", "set records_path")
line("the end of an object", "}", "as it begins with '}'", "jq -c")
json("lines with commas between them", '{"a": 1},\n{"a": 2}\n', "a.jsonl line 1", "a comma stands behind the value", "take off the commas")
json("a JSON file of no bytes", "", "a.jsonl is empty", "expected JSON lines", "leave out what is empty", command="run t")
json("a JSON file of a mark only", b"\xef\xbb\xbf", "a.jsonl has no object that has a key", "expected JSON lines", command="run t")
json("a JSON file of blank lines", "\n\n \r\n", "a.jsonl has no object that has a key", "expected JSON lines", command="run t")
json("a JSON file of an empty array", "[]", "a.jsonl has no object that has a key", "an array of objects", command="run t")
json("a JSON file of an empty list", '{"a": []}', "a.jsonl has no object that has a key", "an array of objects", options="records_path: a", command="run t")
json("a JSON file of null", "null\n", "a.jsonl line 1", "not one JSON object", "expected JSON lines", command="run t")
json("CSV read as JSON", "id,name\n1,ada\n", "a.jsonl line 1", "not one JSON object", "expected JSON lines", command="run t")
json("a picture read as JSON", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0", "a.jsonl line 1", "not one JSON object", "expected JSON lines", command="plan t")
json("objects nested 100,000 deep that do not end", '{"a": ' * 100_000 + "\n", "a.jsonl line 1", "one whole object a line")
json("a line of more than 64 MB", lambda path: gzip.open(path, "wb", 1).write(b'{"a": 1}\n{"b": "' + b"a" * 70_000_000), "a.jsonl line 2",
     "longer than 67 MB", "a quote or bracket opens and does not close")
json("a zip bomb of one text", lambda path: zipfile.ZipFile(path, "w", 8, compresslevel=9).writestr("a.jsonl", '{"a": "' + "a" * 300_000_000), "a.jsonl line 1",
     "longer than 67 MB", "a quote or bracket opens and does not close")
json("an array of 70 MB that does not end", lambda path: open(path, "w").write('{"a": [' + "1," * 35_000_000), "a.jsonl line 1", "longer than 67 MB", "does not close")
json("a million keys", lambda path: open(path, "w").write("{" + ",".join(f'"k{n}": 1' for n in range(1_000_000)) + "}\n"), "a.jsonl", "keys", "records_path")
json("a JSON column in types that is not there", GOOD, "'bb'", "did you mean 'b'", options="types: {bb: string}", exit=CONFIG)
json("a nested JSON column in types", GOOD, "'d.e'", "which the sample does not have", options="types: {d.e: string}", exit=CONFIG)
json("an option of csv for json", GOOD, "t.yaml:1:47", "unknown key 'delimiter'", options="delimiter: ;", exit=CONFIG)
