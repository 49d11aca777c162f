"""Files of the formats that the bar sources-files reads, and how their peers read them: python files.py make FOLDER | read FORMAT FILE."""
import datetime, decimal, os, sys, zipfile

ROWS = 1_000_000


def rows(count):
    for n in range(count):
        yield n, f"customer {n % 5000}", n % 100000 / 100, 46000 + n % 365


def make_xlsx(path, count=100_000):
    """A million cells: 10 columns, a third of them texts that cells share."""
    head = "<row r=\"1\">" + "".join(f"<c r=\"{c}1\" t=\"inlineStr\"><is><t>column {c}</t></is></c>" for c in "ABCDEFGHIJ") + "</row>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as book:
        book.writestr("xl/workbook.xml", "<workbook xmlns:r=\"r\"><sheets><sheet name=\"S\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>")
        book.writestr("xl/_rels/workbook.xml.rels", "<Relationships>" + "".join(
            f"<Relationship Id=\"{i}\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/{t}\" Target=\"{p}\"/>"
            for i, t, p in (("r1", "worksheet", "worksheets/sheet1.xml"), ("r2", "styles", "styles.xml"), ("r3", "sharedStrings", "sharedStrings.xml"))) + "</Relationships>")
        book.writestr("xl/styles.xml", "<styleSheet><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"22\"/></cellXfs></styleSheet>")
        book.writestr("xl/sharedStrings.xml", "<sst>" + "".join(f"<si><t>customer {n}</t></si>" for n in range(5000)) + "</sst>")
        with book.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(("<worksheet><sheetData>" + head).encode())
            for n, _, price, day in rows(count):
                r = n + 2
                sheet.write((f"<row r=\"{r}\"><c r=\"A{r}\"><v>{n}</v></c><c r=\"B{r}\" t=\"s\"><v>{n % 5000}</v></c><c r=\"C{r}\"><v>{price}</v></c>"
                             f"<c r=\"D{r}\" s=\"1\"><v>{day}</v></c><c r=\"E{r}\" s=\"2\"><v>{day}.25</v></c><c r=\"F{r}\" t=\"b\"><v>{n % 2}</v></c>"
                             f"<c r=\"G{r}\" t=\"s\"><v>{n % 977}</v></c><c r=\"H{r}\"><v>{n * 3}</v></c><c r=\"I{r}\"><v>{price * 2:.2f}</v></c>"
                             f"<c r=\"J{r}\" t=\"s\"><v>{n % 31}</v></c></row>").encode())
            sheet.write(b"</sheetData></worksheet>")


def make_xml(path, count=ROWS // 2):
    with open(path, "w") as out:
        out.write("<?xml version=\"1.0\"?>\n<orders>\n")
        for n, customer, price, day in rows(count):
            date = datetime.date.fromordinal(738000 + n % 3000)
            out.write(f"  <order id=\"{n}\"><customer>{customer}</customer><price currency=\"EUR\">{price:.2f}</price><day>{date}</day>"
                      f"<note>deliver &amp; ring {n % 97}</note></order>\n")
        out.write("</orders>\n")


def columns(count):
    import pyarrow as pa
    return pa.table({"id": pa.array(range(count), pa.int64()), "customer": [f"customer {n % 5000}" for n in range(count)],
                     "price": pa.array([decimal.Decimal(n % 100000) / 100 for n in range(count)], pa.decimal128(12, 2)),
                     "quantity": pa.array([n % 50 for n in range(count)], pa.int32()), "share": [n / 3 for n in range(count)],
                     "day": pa.array([18000 + n % 3000 for n in range(count)], pa.int32()).cast(pa.date32()),
                     "at": pa.array([1_700_000_000_000_000 + n * 1000 for n in range(count)], pa.timestamp("us", "UTC")),
                     "note": [f"note {n * 7919 % count}" for n in range(count)]})


def make_orc(path):
    import pyarrow.orc
    pyarrow.orc.write_table(columns(ROWS), path, compression="zstd")


def make_avro(path):
    import fastavro
    fields = [("id", "long"), ("customer", "string"), ("price", {"type": "bytes", "logicalType": "decimal", "precision": 12, "scale": 2}), ("quantity", "int"),
              ("share", "double"), ("day", {"type": "int", "logicalType": "date"}), ("at", {"type": "long", "logicalType": "timestamp-micros"}), ("note", "string")]
    schema = {"type": "record", "name": "r", "fields": [{"name": name, "type": kind} for name, kind in fields]}
    with open(path, "wb") as out:
        fastavro.writer(out, schema, columns(ROWS // 2).to_pylist(), codec="deflate")


def read(form, path):
    """What the peer does: every record, its values looked at."""
    count = 0
    if form == "xml":
        from lxml import etree
        for _, element in etree.iterparse(path, tag="order"):
            count += len([(child.tag, child.text) for child in element]) > 0
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]
    elif form == "orc":
        import pyarrow.orc
        reader = pyarrow.orc.ORCFile(path)
        for stripe in range(reader.nstripes):
            count += reader.read_stripe(stripe).num_rows
    elif form == "avro":
        import fastavro
        with open(path, "rb") as file:
            for _ in fastavro.reader(file):
                count += 1
    print(count)


if __name__ == "__main__":
    if sys.argv[1] == "make":
        os.makedirs(sys.argv[2], exist_ok=True)
        for form, make in (("xlsx", make_xlsx), ("xml", make_xml), ("orc", make_orc), ("avro", make_avro)):
            path = f"{sys.argv[2]}/bench.{form}"
            if not os.path.exists(path):
                make(path + ".making")
                os.rename(path + ".making", path)
    else:
        read(sys.argv[2], sys.argv[3])
