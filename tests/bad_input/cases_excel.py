"""Excel workbooks that are none, that are hostile, and sheets that are not as they should be."""
import io, zipfile
from table import CONFIG, REFUSED, source

HEAD = "<row><c t='inlineStr'><is><t>a</t></is></c><c t='inlineStr'><is><t>b</t></is></c></row>"
PARTS = {
    "_rels/.rels": "<Relationships><Relationship Id='r' Type='http://x/officeDocument' Target='xl/workbook.xml'/></Relationships>",
    "xl/workbook.xml": "<workbook xmlns:r='r'><sheets><sheet name='S' sheetId='1' r:id='r1'/></sheets></workbook>",
    "xl/_rels/workbook.xml.rels": "<Relationships><Relationship Id='r1' Type='http://x/worksheet' Target='worksheets/sheet1.xml'/>"
                                  "<Relationship Id='r2' Type='http://x/sharedStrings' Target='sharedStrings.xml'/>"
                                  "<Relationship Id='r3' Type='http://x/styles' Target='styles.xml'/></Relationships>",
    "xl/styles.xml": "<styleSheet><cellXfs><xf numFmtId='0'/><xf numFmtId='14'/></cellXfs></styleSheet>",
    "xl/sharedStrings.xml": "<sst><si><t>x</t></si></sst>",
}


def book(rows="", sheet=None, **parts):
    """A workbook; keys of `parts` are names of PARTS, None leaves one out."""
    named = {"rels": "_rels/.rels", "workbook": "xl/workbook.xml", "relations": "xl/_rels/workbook.xml.rels", "styles": "xl/styles.xml",
             "texts": "xl/sharedStrings.xml"}
    all_parts = {**PARTS, "xl/worksheets/sheet1.xml": sheet if sheet is not None else f"<worksheet><sheetData>{HEAD}{rows}</sheetData></worksheet>"}
    all_parts.update({named[key]: text for key, text in parts.items()})
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in all_parts.items():
            if text is not None:
                archive.writestr(name, text)
    return packed.getvalue()


def excel(name, data, *says, options="", **more):
    source("workbook: " + name, "type: excel, source_path: in/a.xlsx" + (", " + options if options else ""), {"in/a.xlsx": data}, *([] if more.get("exit") == CONFIG else ["a.xlsx"]), *says, **more)


def row(cells):
    return f"<row>{cells}</row>"


GOOD = book(row("<c><v>1</v></c>"))
HIDDEN = PARTS["xl/workbook.xml"].replace("sheetId", "state='hidden' sheetId")
HALF = bytearray(GOOD)
HALF[120:124] = b"\xff\xff\xff\xff"

excel("text for a workbook", "id,name\n1,ada\n" * 50, "is no readable .xlsx workbook", "save it again")
excel("an empty workbook", b"", "is no readable .xlsx workbook", "save it again")
excel("a workbook of Excel 97", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "Excel 97", "save it as .xlsx")
excel("a workbook that was cut", GOOD[:-200], "is no readable .xlsx workbook", "save it again")
excel("a workbook with other bytes in it", bytes(HALF), "in/a.xlsx", "a.xlsx")
excel("a zip of one text for a workbook", book(rels=None, workbook=None, relations=None), "xl/workbook.xml", "save it again")
excel("a workbook without sheets", book(workbook="<workbook><sheets/></workbook>"), "it has no sheet with cells", "save it again")
excel("a workbook whose sheet is not there", book(relations=PARTS["xl/_rels/workbook.xml.rels"].replace("sheet1", "sheet2")), "xl/worksheets/sheet2.xml", "which it names")
excel("a workbook whose sheet is above its folder", book(relations=PARTS["xl/_rels/workbook.xml.rels"].replace("worksheets/sheet1.xml", "../../../etc/passwd")),
      "etc/passwd", "which it names")
excel("a workbook that is no XML", book(workbook="<workbook>"), "xl/workbook.xml", "the file ends within", "save it again")
excel("a workbook with entities", book(workbook="<!DOCTYPE w [<!ENTITY a 'aaaa'>]>" + PARTS["xl/workbook.xml"]), "xl/workbook.xml", "declares entities", "save it again")
excel("texts with entities", book(row("<c t='s'><v>0</v></c>"), texts="<!DOCTYPE w [<!ENTITY a 'aaaa'>]><sst><si><t>&a;</t></si></sst>"), "xl/sharedStrings.xml",
      "declares entities", "write the values out")
excel("a sheet that breaks off", book(sheet="<worksheet><sheetData><row><c><v>1"), "sheet1.xml line 1", "cut off")
excel("a sheet with hidden sheets only", book(workbook=HIDDEN), "only hidden sheets", "name one in sheet")
excel("a sheet that the workbook does not have", GOOD, "has no sheet 'T'", "its sheets are S", options="sheet: T")
excel("a sheet with no row", book(sheet="<worksheet/>"), "no row below a header", "expected a sheet with a header")
excel("a sheet with a header alone", book(), "no row below a header", "expected a sheet with a header")
excel("a header row that is empty", book(row("<c><v>1</v></c>") + "<row r='9'><c><v>1</v></c></row>"), "row 5 is empty", "set header_row", options="header_row: 5")
excel("two columns with one name", book(sheet=f"<worksheet><sheetData>{HEAD.replace('>b<', '>a<')}</sheetData></worksheet>"), "sheet \"S\"", "columns A and B are both called",
      "a name of its own")
excel("a value without a name above it", book(row("<c><v>1</v></c>") + row("<c r='D3'><v>1</v></c>")), "sheet \"S\" row 3", "cell D3", "leave it out by range")
excel("an error in a cell", book(row("<c><v>1</v></c>") + row("<c t='e'><v>#DIV/0!</v></c>")), "row 3", "cell A3 holds the error #DIV/0!", "null_values")
excel("a number that is none", book(row("<c><v>1</v></c>") + row("<c><v>1x</v></c>")), "row 3", "cell A3 holds no number", "save the workbook again")
excel("a number that is infinite", book(row("<c><v>1</v></c>") + row("<c><v>inf</v></c>")), "row 3", "cell A3 holds no number", "save the workbook again")
excel("a day that no calendar has", book(row("<c s='1'><v>1</v></c>") + row("<c s='1'><v>60</v></c>")), "row 3", "no calendar has its day 60", "mend the sheet")
excel("a day before all days", book(row("<c s='1'><v>1</v></c>") + row("<c s='1'><v>-5</v></c>")), "row 3", "no calendar has its day -5", "mend the sheet")
excel("a text for a day that is far off", book(row("<c s='1'><v>1</v></c>") + row("<c s='1'><v>1e300</v></c>")), "row 3", "no calendar has its day", "mend the sheet")
excel("a text that the workbook does not have", book(row("<c t='s'><v>5</v></c>")), "cell A2 names a text", "save it again")
excel("a text number that is below zero", book(row("<c t='s'><v>-1</v></c>")), "cell A2 names a text", "save it again")
excel("a text number that is none", book(row("<c t='s'><v>x</v></c>")), "cell A2 names a text", "save it again")
excel("a cell of another row", book(row("<c r='A9'><v>1</v></c>")), "expected a cell of row 2", "A9", "save the workbook again")
excel("a cell that comes back", book(row("<c r='B2'><v>1</v></c><c r='A2'><v>1</v></c>")), "expected a cell of row 2", "A2", "save the workbook again")
excel("a cell that is nowhere", book(row("<c r='12'><v>1</v></c>")), "expected a cell of row 2", "\"12\"", "save the workbook again")
excel("a cell beyond the last column", book(row("<c r='XFE2'><v>1</v></c>")), "XFE2", "save the workbook again")
excel("20,000 cells in a row", book(row("<c><v>1</v></c>" * 20_000)), "row 2 goes on beyond column XFD", "a.xlsx")
excel("a row that comes back", book("<row r='5'><c><v>1</v></c></row><row r='4'><c><v>1</v></c></row>"), "found \"4\"", "save the workbook again")
excel("a row beyond the last", book("<row r='1048577'><c><v>1</v></c></row>"), "of 1,048,576 at most", "save the workbook again")
excel("a row whose number is none", book("<row r='x'><c><v>1</v></c></row>"), "found \"x\"", "save the workbook again")
excel("a bomb of a cell", lambda path: open(path, "wb").write(book(row("<c t='str'><v>" + "x" * 70_000_000 + "</v></c>"))), "decompresses to more than 300 times its size", "looks like an attack", exit=REFUSED)
excel("a bomb of cells", lambda path: open(path, "wb").write(book(row(("<c t='str'><v>" + "x" * 10_000 + "</v></c>") * 10_000))), "decompresses to more than 300 times its size", "looks like an attack", exit=REFUSED)
excel("a bomb of blanks in a sheet", lambda path: open(path, "wb").write(book(sheet="<worksheet><sheetData>" + HEAD + " " * 120_000_000 + "</sheetData></worksheet>")), "decompresses to more than 300 times its size", "looks like an attack", exit=REFUSED)
excel("a bomb of rows", lambda path: open(path, "wb").write(book("<row/>" * 20_000_000)), "no row below a header", "leave out what is empty")
excel("a bomb of texts", lambda path: open(path, "wb").write(book(row("<c t='s'><v>0</v></c>"), texts="<sst>" + "<si><t>xxxxxxxxxxxxxxxxxx</t></si>" * 4_000_000 + "</sst>")), "decompresses to more than 300 times its size", "looks like an attack", exit=REFUSED)
excel("a bomb of styles", lambda path: open(path, "wb").write(book(styles="<styleSheet><cellXfs>" + "<xf/>" * 24_000_000 + "</cellXfs></styleSheet>")), "decompresses to more than 300 times its size", "looks like an attack", exit=REFUSED)
excel("elements 10,000 deep in a sheet", book("<row>" + "<a>" * 10_000 + "</a>" * 10_000 + "</row>"), "nested deeper than 200 levels", "which no table holds")
excel("a range that is none", GOOD, "'A1-B2' is no range", "such as B3:F200", options="range: A1-B2", exit=CONFIG)
excel("a range that ends before it begins", GOOD, "'C1:A2' is no range", "such as B3:F200", options="range: \"C1:A2\"", exit=CONFIG)
excel("a range beyond the last column", GOOD, "'A1:XFE2' is no range", "such as B3:F200", options="range: \"A1:XFE2\"", exit=CONFIG)
excel("a value that does not fit its column", book(row("<c><v>1</v></c>") * 200 + row("<c t='str'><v>many</v></c>")), "row 202", "column a", "'many'", options="sample: 1000")
excel("a workbook whose sheet is no XML", book(sheet="id,name\n1,ada\n"), "sheet1.xml line 1", "expected an element")
excel("a workbook whose relations name no sheet", book(relations="<Relationships/>"), "a.xlsx", "save it again")
excel("a sheet whose cells cross their rows", book(sheet="<worksheet><sheetData><row><c><v>1</row></v></c></sheetData></worksheet>"), "sheet1.xml line 1", "see that each element is closed")
excel("a sheet with an entity of a file", book(sheet="<!DOCTYPE w [<!ENTITY e SYSTEM \"file:///etc/passwd\">]><worksheet><sheetData><row><c t='str'><v>&e;</v></c></row></sheetData></worksheet>"),
      "sheet1.xml line 1", "declares entities", "write the values out")
excel("texts that break off", book(row("<c t='s'><v>0</v></c>"), texts="<sst><si><t>x"), "xl/sharedStrings.xml", "cut off")
excel("10,000 attributes of a cell", book(row("<c " + " ".join(f"a{n}='1'" for n in range(10_000)) + "/>")), "more than 4,096 attributes", "a.xlsx")
excel("a sheet by the name of its folder", book(relations=PARTS["xl/_rels/workbook.xml.rels"].replace("worksheets/sheet1.xml", "worksheets/")), "xl/worksheets", "which it names")
