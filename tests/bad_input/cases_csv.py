"""CSV that is wrong."""
from table import CONFIG, csv, source
import gzip, zipfile

WIDE = ",".join(f"c{i}" for i in range(10_000))


def typed(name, type_name, value, *says, options=""):
    """One value in line 3 that is none of its declared type."""
    csv(name, f"id,v\n1,\n2,{value}\n", "a.csv line 3", "column v", *says, options=f"types: {{v: \"{type_name}\"}}" + options)


csv("a quote that never closes", 'id,name\n1,a\n2,"open\n3,b\n', "a.csv line 3, column 2", "close it")
csv("a quote that never closes in the header", 'id,"name\n1,a\n', "a.csv line 1, column 2", "close it")
csv("text behind a closing quote", 'id,name\n1,"a"b\n', "a.csv line 2", "behind a closing quote", "double quotes")
csv("too many values", "id,name\n1,a,b\n", "a.csv line 2", "3 values, expected 2", "quote values")
csv("too few values", "id,name\n1\n", "a.csv line 2", "1 value", "expected 2", "quote values")
csv("an unquoted line break in a value", 'id,name\n1,two\nlines\n', "a.csv line 3", "1 value, expected 2", "quote values")
csv("a CSV file of no bytes", "", "a.csv is empty", "expected a header", "leave out what is empty", command="run t")
csv("a CSV file of a mark only", b"\xef\xbb\xbf", "a.csv has no header", "expected a header", command="plan t")
csv("a CSV file of blank lines", "\n\r\n\n", "a.csv has no header", "expected a header", command="run t")
source("a folder of CSV files of no bytes", "type: csv, source_path: in/", {"in/a.csv": "", "in/b.csv": ""}, "a.csv and 1 more file are empty",
       "expected a header", command="run t")
csv("a NUL in a value", b"id,name\n1,a\0b\n", "a.csv line 2", "NUL byte", "damaged or no text")
csv("a NUL in the header", b"id,na\0me\n1,a\n", "a.csv line 1, column 2", "set encoding")
csv("a name twice in the header", "id,name,id\n1,a,2\n", "a.csv line 1, column 3", "already in column 1", "rename")
csv("a name twice but for its case", "id,ID\n1,2\n", "a.csv line 1, column 2", "already in column 1", "rename")
csv("an empty name in the header", "id,,x\n1,2,3\n", "a.csv line 1, column 2", "no name", "name it")
csv("a header of blanks only", "id, \n1,2\n", "a.csv line 1, column 2", "no name", "name it")
csv("a header that is no UTF-8", b"id,na\xefve\n1,2\n", "a.csv line 1, column 2", "no UTF-8", "set encoding")
csv("UTF-16 cut within a character", "id,name\n1,a\n".encode("utf-16")[:-1], "a.csv line 1", "are no utf-16", "set the encoding")
csv("bytes that are none of the encoding", b"id,name\n1,\x80\n", "a.csv line 1", "before offset 11 are no shift_jis", "set the encoding", options="encoding: shift_jis")
csv("UTF-16 without a mark", "id,name\n1,a\n".encode("utf-16-le"), "a.csv line 1", "set encoding")
csv("Latin-1 read as UTF-8", b"id,name\n1,Zo\xeb\n", "a.csv line 2", "column name", "no UTF-8", "set encoding")
csv("an overlong UTF-8 sequence", b"id,name\n1,\xc0\xaf\n", "a.csv line 2", "column name", "set encoding")
csv("a surrogate in UTF-8", b"id,name\n1,\xed\xa0\x80\n", "a.csv line 2", "column name", "set encoding")
csv("a UTF-8 character cut at the end of the file", b"id,name\n1,\xc3", "a.csv line 2", "column name", "set encoding")
csv("10,000 columns and a row of 9,999", f"{WIDE}\n" + "1," * 9_998 + "1\n", "a.csv line 2", "9,999 values, expected 10,000", "quote values")
csv("10,000 columns, the last a name that was there", f"{WIDE},c0\n", "a.csv line 1, column 10001", "already in column 1", "rename")
csv("10,000 columns, two of them wrong", f"{WIDE}\n" + "1," * 9_999 + "1\n" + "1," * 9_999 + "x\n", "a.csv line 3", "column c9999",
    "'x' is no long", options="types: {c9999: long}")
csv("a row of more than 64 MB", lambda path: gzip.open(path, "wb", 1).write(b'id\n"' + b"a" * 70_000_000), "a.csv line 2", "longer than 67 MB",
    "a quote or bracket opens")
csv("a million columns", lambda path: open(path, "w").write(",".join(f"c{n}" for n in range(1_000_000)) + "\n" + "1," * 999_999 + "1\n"), "a.csv", "columns",
    "delimiter")
csv("a header of 70 MB", lambda path: open(path, "wb").write(b"a" * 70_000_000), "a.csv line 1", "longer than 67 MB", "a quote or bracket opens")
csv("a zip bomb", lambda path: zipfile.ZipFile(path, "w", 8, compresslevel=9).writestr("a.csv", b'id\n"' + b"a" * 300_000_000), "a.csv line 2", "longer than 67 MB",
    "a quote or bracket opens")
csv("a picture", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1\0", "a.csv line 1, column 1", "set encoding")
csv("a column named in types that is not there", "id,name\n1,a\n", "'naem'", "did you mean 'name'", options="types: {naem: string}", exit=CONFIG)
csv("a value of another encoding behind the sample", b"id,name\n" + b"1,aaaaaaaaaaaaaaaaaaaaaaaaaa\n" * 60_000 + b"2,\xff\n", "a.csv line 60,002",
    "column name", "set encoding")
csv("files without header whose rows differ", "1,a\n2\n", "a.csv line 2", "1 value, expected 2", "quote values", options="header: false")
csv("more values than columns are named", "1,a\n", "a.csv line 1", "2 values, expected 1", "quote values", options="header: false, columns: [id]")

typed("a long beyond 64 bits", "long", "9223372036854775808", "is beyond its range", "give the column a wider type")
typed("an int beyond 32 bits", "int", "3000000000", "is beyond its range", "give the column a wider type")
typed("a fraction in a long", "long", "1.5", "'1.5' is no long")
typed("hexadecimal digits in a long", "long", "0x1F", "'0x1F' is no long")
typed("letters in a long", "long", "12a", "'12a' is no long")
typed("NaN in a long", "long", "NaN", "'NaN' is no long")
typed("blanks around a long", "long", " 5", "blanks around it", "set trim: true")
typed("an empty text in a long", "long", '""', "'' is no long", 'add "" to null_values')
typed("more digits behind the point than the decimal", "decimal(5, 2)", "1.005", "more digits behind the point", "give the column a wider type")
typed("more digits before the point than the decimal", "decimal(5, 2)", "1234.5", "more digits before the point", "give the column a wider type")
typed("39 digits in a decimal", "decimal(38, 0)", "1" * 39, "is no decimal(38, 0)")
typed("a decimal comma", "decimal(9, 2)", '"12,50"', "commas are decimal", "set decimal: ','")
typed("a currency sign", "decimal(9, 2)", "€5", "'€5' is no decimal(9, 2)")
typed("groups of digits in the wrong places", "decimal(9, 2)", "1.23.4", "'1.23.4' is no decimal(9, 2)")
typed("an exponent in a decimal", "decimal(9, 2)", "1e3", "'1e3' is no decimal(9, 2)")
typed("1e999 in a double", "double", "1e999", "'1e999' is no double")
typed("a whole number that a double would round", "double", "9007199254740993", "would be rounded", "make the column a decimal")
typed("the thirtieth of February", "date", "2023-02-30", "'2023-02-30' is no date", "there is no such day")
typed("the thirteenth month", "date", "2026-13-01", "there is no such day")
typed("the year 0000", "date", "0000-01-01", "there is no such day")
typed("a date of another shape", "date", "01/02/2026", "name the format: date_formats")
typed("a timestamp in a date", "date", "2026-01-01T08:00:00", "a time of day follows", "make the column a timestamp")
typed("a day that the named format does not have", "date", "31.02.2026", "'31.02.2026' is no date", "name the format",
      options=", date_formats: [\"%d.%m.%Y\"]")
typed("25 o'clock", "time", "25:00:00", "'25:00:00' is no time", "hours go to 23")
typed("the sixtieth minute", "time", "12:60", "minutes and seconds to 59")
typed("a time in words", "time", "noon", "expected a time such as 08:15:00")
typed("a timestamp finer than microseconds", "timestamp", "2026-01-01T00:00:00.1234567", "finer than the column holds")
typed("a timestamp without zone", "timestamptz", "2026-01-01T00:00:00", "it has no zone", "write Z")
typed("a timestamp with a zone too many", "timestamp", "2026-01-01T00:00:00Z", "it has a zone", "make it timestamptz")
typed("a zone of 99 hours", "timestamptz", "2026-01-01T00:00:00+99:00", "expected a timestamp such as")
typed("a leap second", "timestamp", "2016-12-31T23:59:60", "expected a timestamp such as")
typed("a year of five digits", "timestamp", "10000-01-01T00:00:00", "'10000-01-01T00:00:00' is no timestamp", "name the format")
typed("a boolean by another word", "boolean", "yes", "'yes' is no boolean", "true or false")
typed("a uuid that is too short", "uuid", "123e4567-e89b-12d3-a456-42661417400", "is no uuid", "expected")

for option, says in {
        "delimiter: ab": ("t.yaml:1:55", "one character"),
        "delimiter: \"\\n\"": ("t.yaml:1:55", "such as , or ;"),
        "delimiter: \"'\", quote: \"'\"": ("t.yaml:1:55", "such as , or ;"),
        "quote: abc": ("t.yaml:1:51", "one character"),
        "decimal: \".\", thousands: \".\"": ("t.yaml:1:69", "needs two characters"),
        "encoding: ebcdic": ("t.yaml:1:54", "such as utf-8, utf-16, latin-1"),
        "compression: rar": ("t.yaml:1:57", "zst"),
        "columns: [a]": ("t.yaml:1:53", "set header: false"),
        "sample: 1B": ("t.yaml:1:52", "1kB"),
        "sample: 5 parsecs": ("t.yaml:1:52", "64MB"),
        "header: perhaps": ("t.yaml:1:52", "true or false"),
        "null_values: {a: b}": ("t.yaml:1:57", "list"),
        "types: [long]": ("t.yaml:1:51", "mapping"),
        "types: {id: int65}": ("t.yaml:1:51", "int65", "known are boolean"),
        "types: {id: \"decimal(39, 2)\"}": ("t.yaml:1:51", "38"),
        "types: {id: \"list<int>\"}": ("t.yaml:1:51", "known are boolean"),
        "date_formats: [\"%d.%m\"]": ("t.yaml:1:58", "add %Y"),
        "date_formats: [\"%Q %Y\"]": ("t.yaml:1:58", "known are %Y"),
        "timestamp_formats: [\"%Y-%m-%d\"]": ("t.yaml:1:63", "add %H"),
        "timestamp_formats: [\"%Y-%m-%d %I:%M\"]": ("t.yaml:1:63", "add %p"),
        "delimeter: ;": ("t.yaml:1:44", "did you mean 'delimiter'"),
        "delimiter: ;, delimiter: \",\"": ("t.yaml:1:58", "twice")}.items():
    csv(f"the csv option {option}", "id\n1\n", *says, options=option, exit=CONFIG)
