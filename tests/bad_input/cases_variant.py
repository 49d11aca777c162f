"""JSON for a column of type variant that is wrong, or has no exact variant."""
from table import csv, json

GOOD = '{"id": 1, "v": {"a": [1, null]}}\n'


def variant(name, value, *says):
    """A wrong second value behind a good first one."""
    json(name, (GOOD + '{"id": 2, "v": ' + value + "}\n").encode(), "a.jsonl line 2", "column v", *says, options="types: {v: variant}")


variant("a field twice in a variant", '{"a": 1, "b": {"c": 1, "c": 2}}', 'an object has the field "c" twice')
variant("a number of more digits than a variant has", "0." + "1" * 39, "has more than 38 digits", "write it as text, or with an exponent")
variant("a number beyond a double in a variant", "[1e999]", "a number beyond the largest double", "write it as text")
variant("a variant that is nested too deeply", "[" * 1001 + "]" * 1001, "more than 1000 objects and arrays in each other")
variant("half of a surrogate pair in a variant", r'{"a": "\ud800"}', "surrogate")
csv("a text that is no JSON in a column of variants", 'id,v\n1,"{""a"": 1}"\n2,abc\n', "a.csv line 3", "column v: 'abc' is no variant", "texts stand in double quotes",
    options="types: {v: variant}")
csv("a text with nothing in a column of variants", 'id,v\n1,"{""a"": 1}"\n2,""\n', "a.csv line 3", "column v: '' is no variant", 'add "" to null_values',
    options="types: {v: variant}, null_values: [NULL]")
