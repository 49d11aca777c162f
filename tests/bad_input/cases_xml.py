"""XML files that are not well-formed, that are hostile, and records that are not as the sample."""
import gzip
from table import CONFIG, source



def xml(name, text, *says, options="record_path: r/x", **more):
    source("XML: " + name, "type: xml, source_path: in/a.xml, " + options, {"in/a.xml": text}, *([] if more.get("exit") == CONFIG else ["a.xml"]), *says, **more)


def doc(inside):
    return "<?xml version='1.0'?>\n<r>\n" + inside + "</r>\n"


GOOD = "<x><a>1</a></x>\n"
LAUGHS = "<!DOCTYPE r [<!ENTITY a0 \"ha\">" + "".join(f"<!ENTITY a{n} \"{f'&a{n - 1};' * 10}\">" for n in range(1, 11)) + "]>\n<r><x><a>&a10;</a></x></r>"

xml("a billion laughs", LAUGHS, "line 1", "declares entities", "xmllint --noent")
xml("an entity of a file of the machine", "<!DOCTYPE r [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>\n<r><x><a>&e;</a></x></r>", "line 1", "declares entities", "write the values out")
xml("a parameter entity", "<!DOCTYPE r [<!ENTITY % p SYSTEM \"http://127.0.0.1:1/x\"> %p;]>\n<r/>", "line 1", "declares entities", "write the values out")
xml("an entity that nobody declared", doc("<x><a>&euro;</a></x>"), "line 3", "&euro; is no reference", "write the character itself")
xml("a reference to no character", doc("<x><a>&#0;</a></x>"), "line 3", "&#0; is no reference", "write the character itself")
xml("a reference beyond Unicode", doc("<x><a>&#x110000;</a></x>"), "line 3", "is no reference", "write the character itself")
xml("an ampersand", doc("<x><a>A & B, and so on and so on and so forth</a></x>"), "line 3", "an & stands for itself", "write &amp;")
xml("a less-than in a value", doc("<x><a>1 < 2</a></x>"), "line 3", "a < stands within a tag", "write &lt;")
xml("a less-than in an attribute", doc("<x <a>1</a></x>"), "line 3", "a < stands within a tag", "write &lt;")
xml("elements that cross", doc("<x><a>1</x></a>"), "line 3", "found the end of \"x\", expected that of \"a\"", "see that each element is closed")
xml("an end without a start", doc(GOOD) + "</r>", "line 5", "found the end of \"r\", expected an element", "see that each element is closed")
xml("a file that ends in a record", doc(GOOD)[:-10], "cut off", "an end tag is missing")
xml("a file that ends in a tag", "<r>\n<x><a>1</a></x><x att", "line 2", "the tag that begins here is not closed", "cut off")
xml("a file that ends in a value of an attribute", "<r>\n<x a=\"1", "line 2", "is not closed", "cut off")
xml("a comment without end", "<r><!-- <x><a>1</a></x></r>", "line 1", "the comment that begins here is not closed", "cut off")
xml("a section without end", "<r><x><a><![CDATA[1</a></x></r>", "line 1", "the section that begins here is not closed", "cut off")
xml("a document type without end", "<!DOCTYPE r [ <!ELEMENT r ANY", "line 1", "the document type that begins here is not closed", "cut off")
xml("two roots", "<r>" + GOOD + "</r><r/>", "line 2", "a second root element", "an XML document has one")
xml("text behind the root", "<r>" + GOOD + "</r> more", "line 2", "expected an element, found", "no XML document")
xml("text for XML", "id,name\n1,ada\n", "line 1", "expected an element", "no XML document")
xml("an empty file for XML", "", "is empty", "leave out what is empty")
xml("blanks for XML", " \n\n", "found nothing", "expected an XML document")
xml("JSON for XML", "{\"r\": 1}", "line 1", "expected an element", "no XML document")
xml("an attribute twice", doc("<x a='1' a='2'/>"), "line 3", "the attribute \"a\" stands twice", "keep one")
xml("an attribute without value", doc("<x a/>"), "line 3", "expected attributes such as name=\"value\"", "found \"a\"")
xml("an attribute without quotes", doc("<x a=1/>"), "line 3", "expected attributes such as name=\"value\"", "found \"a=1\"")
xml("attributes without a blank between", doc("<x a='1'b='2'/>"), "line 3", "expected attributes such as name=\"value\"", "found \"b=")
xml("a prefix that is bound to nothing", doc("<q:x><a>1</a></q:x>"), "line 3", "the prefix \"q\" is bound to no namespace", "declare it as xmlns:q")
xml("a prefix of an attribute that is bound to nothing", doc("<x q:a='1'/>"), "line 3", "the prefix \"q\" is bound to no namespace", "declare it as xmlns:q")
xml("elements 100,000 deep", "<r><x>" + "<a>" * 100_000 + "</a>" * 100_000 + "</x></r>", "line 1", "nested deeper than 200 levels", "which no table holds")
xml("10,000 attributes", doc("<x " + " ".join(f"a{n}='1'" for n in range(10_000)) + "/>"), "line 3", "more than 4,096 attributes", "which no table holds")
xml("10,000 different elements", doc("<x>" + "".join(f"<a{n}>1</a{n}>" for n in range(10_001)) + "</x>"), "more than 10,000 different elements", "check record_path",
    options="record_path: r/x, sample: 100MB")
xml("a value of 70 MB", lambda path: open(path, "w").write("<r><x><a>" + "x" * 70_000_000 + "</a></x></r>"), "line 1", "larger than 67 MB", "see that the file is whole")
xml("an unknown encoding that XML declares", "<?xml version='1.0' encoding='klingon'?><r/>", "line 1", "\"klingon\"", "set encoding")
xml("bytes that are none of the encoding that XML declares", b"<?xml version='1.0' encoding='UTF-16'?><r><x><a>1</a></x></r>", "expected an element", "no XML document")
xml("bytes that are no UTF-8 in XML", b"<r><x><a>1</a></x>\n<x><a>\xff\xfe</a></x></r>", "line 2", "UTF-8")
xml("no record where the path leads", doc(GOOD), "no element 'r/y'", "records at record_path", options="record_path: r/y")
xml("a path that is no path", doc(GOOD), "'r/x[1]' is no path", "catalog/book", options="record_path: \"r/x[1]\"", exit=CONFIG)
xml("a prefix that namespaces does not have", doc(GOOD), "the prefix 'p' is none of namespaces", "declare it there", options="record_path: \"p:x\"", exit=CONFIG)
xml("a value that does not fit its element", doc("<x><a>1</a></x>\n" * 200 + "<x><a>many</a></x>\n"), "line 203", "column a", "'many'", options="record_path: x, sample: 1000")
xml("an element that is new", doc("<x><a>1</a></x>\n" * 200 + "<x><b>1</b></x>\n"), "line 203", "the key 'b'", "raise sample", options="record_path: x, sample: 1000")
xml("a list that the sample did not have", doc("<x><a>1</a></x>\n" * 200 + "<x><a>1</a><a>2</a></x>\n"), "line 203", "'a' stands several times", "name it in lists",
    options="record_path: x, sample: 1000")
xml("a zip bomb for XML", lambda path: __import__("zipfile").ZipFile(path, "w", 8, compresslevel=9).writestr("a.xml", "<r><x><a>1</a></x>" + " " * 100_000_000 + "</r>"),
    "line 1", "larger than 67 MB", "see that the file is whole")
xml("entities in attributes of the document type", "<!DOCTYPE r [<!ATTLIST x a CDATA \"&e;\"><!ENTITY e \"" + "e" * 1_000_000 + "\">]>\n<r><x/></r>", "line 1", "declares entities",
    "write the values out")
xml("an entity that contains itself", "<!DOCTYPE r [<!ENTITY a \"&b;\"><!ENTITY b \"&a;\">]>\n<r><x><a>&a;</a></x></r>", "line 1", "declares entities", "write the values out")
xml("a document type of 70 MB", lambda path: open(path, "w").write("<!DOCTYPE r [" + "<!ELEMENT r ANY>" * 4_400_000 + "]>\n<r/>"), "line 1", "larger than 67 MB", "see that the file is whole")
xml("a comment of 70 MB", lambda path: open(path, "w").write("<r><x><a>1</a></x><!--" + "x" * 70_000_000 + "--></r>"), "line 1", "larger than 67 MB", "see that the file is whole")
xml("a name of 70 MB", lambda path: open(path, "w").write("<r><x><" + "a" * 70_000_000 + ">1</a></x></r>"), "line 1", "larger than 67 MB", "see that the file is whole")
xml("an instruction of 70 MB", lambda path: open(path, "w").write("<?x " + "a" * 70_000_000 + "?><r><x><a>1</a></x></r>"), "line 1", "larger than 67 MB", "see that the file is whole")
xml("an instruction without end", "<r><?x <x><a>1</a></x></r>", "line 1", "is not closed", "cut off")
xml("an element with no name", doc("<x>< >1</></x>"), "line 3", "expected")
xml("a tag without its slash", doc("<x><a>1<a></x>"), "line 3", "expected that of \"a\"", "see that each element is closed")
xml("a character that XML does not have", doc("<x><a>\x01</a></x>"), "line 3", "control character", "take it out")
xml("a NUL in XML", doc("<x><a>1\0</a></x>"), "line 3", "take it out")
xml("half of a surrogate pair in a reference", doc("<x><a>&#xD800;</a></x>"), "line 3", "is no reference", "write the character itself")
xml("gzip that was cut, for XML", gzip.compress(doc(GOOD * 100).encode())[:-30], "cut short", "write it again")
xml("a gzip bomb in a record", lambda path: gzip.open(path, "wb", 9).write(b"<r><x><a>" + b"x" * 600_000_000), "larger than 67 MB", "see that the file is whole")
