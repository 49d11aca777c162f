#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>

#include "base/text.h"
#include "source/excel/cell_format.h"
#include "source/excel/sheet_rows.h"
#include "source/fixture_for_test.h"
#include "source/source_for_test.h"

namespace calve::source {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

using Parts = std::vector<std::pair<std::string, std::string>>;

uint32_t Crc(std::string_view bytes) {
  uint32_t crc = ~0U;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320U : 0U);
  }
  return ~crc;
}

std::string Little(uint64_t value, int width) {
  std::string bytes;
  for (int i = 0; i < width; ++i) bytes += i < 8 ? static_cast<char>(value >> (8 * i) & 255) : 0;
  return bytes;
}

/// A zip archive whose parts are stored as they are.
std::string Zip(const Parts& parts) {
  std::string archive;
  std::string directory;
  for (const auto& [name, bytes] : parts) {
    const std::string facts = Little(Crc(bytes), 4) + Little(bytes.size(), 4) +
                              Little(bytes.size(), 4) + Little(name.size(), 2) + Little(0, 2);
    directory += "PK\x01\x02" + Little(20, 2) + Little(20, 2) + Little(0, 8) + facts +
                 Little(0, 10) + Little(archive.size(), 4) + name;
    archive += "PK\x03\x04" + Little(20, 2) + Little(0, 8) + facts + name + bytes;
  }
  return archive + directory + "PK\x05\x06" + Little(0, 4) + Little(parts.size(), 2) +
         Little(parts.size(), 2) + Little(directory.size(), 4) + Little(archive.size(), 4) +
         Little(0, 2);
}

constexpr std::string_view kStyles =
    R"(<styleSheet><numFmts><numFmt numFmtId="164" formatCode="yyyy\-mm\-dd\ hh:mm:ss.000"/>
<numFmt numFmtId="165" formatCode="&quot;day &quot;0.00;[Red]-0.00"/><numFmt numFmtId="166" formatCode="[h]:mm"/>
</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/>
<xf numFmtId="20"/><xf numFmtId="165"/><xf numFmtId="166"/></cellXfs></styleSheet>)";

/// A workbook of sheets, given as what stands in their sheetData.
std::string Book(const Parts& sheets, const std::string& texts = "",
                 const std::string& properties = "") {
  std::string book = "<workbook xmlns:r=\"r\">" + properties + "<sheets>";
  std::string relations =
      "<Relationships><Relationship Id=\"s\" Type=\"http://x/styles\" Target=\"styles.xml\"/>"
      "<Relationship Id=\"t\" Type=\"http://x/sharedStrings\" Target=\"/xl/texts.xml\"/>";
  Parts parts = {{"xl/styles.xml", std::string(kStyles)},
                 {"xl/texts.xml", "<sst>" + texts + "</sst>"}};
  for (size_t i = 0; i < sheets.size(); ++i) {
    const std::string id = std::to_string(i + 1);
    book += "<sheet name=\"" + sheets[i].first + "\" sheetId=\"9\" r:id=\"rId" + id + "\"" +
            (sheets[i].first == "Hidden" ? " state=\"hidden\"" : "") + "/>";
    relations += "<Relationship Id=\"rId" + id + "\" Type=\"http://x/worksheet\" Target=\"sheets/" +
                 id + ".xml\"/>";
    parts.emplace_back("xl/sheets/" + id + ".xml",
                       "<worksheet><sheetData>" + sheets[i].second + "</sheetData></worksheet>");
  }
  parts.emplace_back("xl/workbook.xml", book + "</sheets></workbook>");
  parts.emplace_back("xl/_rels/workbook.xml.rels", relations + "</Relationships>");
  return Zip(parts);
}

std::string TextCell(std::string_view text) {
  std::string escaped;
  for (const char c : text) escaped += c == '&' ? "&amp;" : c == '<' ? "&lt;" : std::string(1, c);
  return "<c t=\"inlineStr\"><is><t>" + escaped + "</t></is></c>";
}

void WriteRows(const std::string& folder, int64_t first, int64_t rows) {
  std::string data = "<row>";
  for (const char* name : {"id", "price", "day", "at", "name"}) data += TextCell(name);
  data += "</row>";
  for (int64_t n = first; n < first + rows; ++n) {
    const ContractRow row = ContractRowAt(n);
    // Excel's numbers and moments are not that exact: they are texts here.
    data += "<row>" + TextCell(std::to_string(row.id)) + TextCell(row.PriceText()) +
            "<c s=\"1\"><v>" + std::to_string(row.day + 25'569) + "</v></c>" +
            TextCell(row.AtText()) + (row.name.has_value() ? TextCell(*row.name) : "") + "</row>";
  }
  WriteText(folder + "/" + std::to_string(first) + ".xlsx", Book({{"Rows", data}}));
}

BrokenInput Broken(std::string name, std::string bytes, std::vector<std::string> says) {
  const auto write = [bytes](const std::string& folder) { WriteText(folder + "/b.xlsx", bytes); };
  says.insert(says.begin(), "b.xlsx");
  return {.name = std::move(name), .write = write, .says = std::move(says)};
}

const std::string kHead = "<row>" + TextCell("a") + TextCell("b") + "</row>";

}  // namespace

SOURCE_FIXTURE(excel) {
  const std::string good = Book({{"Rows", kHead + "<row><c><v>1</v></c></row>"}});
  return {
      .options =
          [](const std::string& folder, int64_t rows) {
            return "source_path: " + folder + "\nfile_pattern: \"*.xlsx\"" +
                   (rows < 0 ? "" : "\ntypes: {id: long, price: \"decimal(18, 2)\"}");
          },
      .write = WriteRows,
      .broken = {
          Broken("text", "id,name\n1,ada\n", {"no readable .xlsx workbook", "save it again"}),
          Broken("cut in half", good.substr(0, good.size() / 2), {"no whole zip archive"}),
          Broken("an old workbook", "\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1 and more",
                 {"Excel 97", "save it as .xlsx"}),
          Broken("a zip of something else", Zip({{"a.txt", "hello"}}), {"xl/workbook.xml"}),
          Broken(
              "an error in a cell",
              Book({{"S",
                     kHead + "<row><c><v>1</v></c></row><row><c t=\"e\"><v>#N/A</v></c></row>"}}),
              {"sheet \"S\" row 3", "cell A3", "#N/A", "null_values"}),
          Broken("a text that is not there",
                 Book({{"S", kHead + "<row><c t=\"s\"><v>7</v></c></row>"}}),
                 {"cell A2", "save it again"}),
          Broken("a value without a name above",
                 Book({{"S", kHead + "<row><c><v>1</v></c><c/><c><v>3</v></c></row><row><c><v>2</"
                                     "v></c></row>"}}),
                 {"cell C2", "no name in the header", "range"}),
          Broken("a cell beyond the last column",
                 Book({{"S", kHead + "<row><c r=\"XFE2\"><v>1</v></c></row>"}}), {"XFE2", "XFD"}),
          Broken("a name twice", Book({{"S", "<row>" + TextCell("a") + TextCell("a") + "</row>"}}),
                 {"columns A and B are both called \"a\"", "a name of its own"})}};
}

namespace excel {
namespace {

class ExcelSourceTest : public SourceTest {
 protected:
  Result<Rows> Excel(const std::string& book, const std::string& options = "") {
    WriteText(folder_.At("a.xlsx"), book);
    return ReadRows("excel", "source_path: a.xlsx\n" + options);
  }
};

TEST_F(ExcelSourceTest, CellsAreWhatTheyHold) {
  const auto rows = Excel(Book(
      {{"S",
        "<row>" + TextCell("n") + TextCell("d") + TextCell("day") + TextCell("at") +
            TextCell("time") + TextCell("yes") + TextCell("text") + TextCell("f") +
            TextCell("span") +
            "</row><row r=\"3\"><c r=\"A3\"><v>12</v></c><c r=\"B3\" s=\"4\"><v>1.5</v></c><c "
            "r=\"C3\" "
            "s=\"1\"><v>46000</v></c><c r=\"D3\" s=\"2\"><v>46000.500005787037</v></c><c r=\"E3\" "
            "s=\"3\"><v>0.75</v></c><c r=\"F3\" t=\"b\"><v>1</v></c><c r=\"G3\" "
            "t=\"s\"><v>1</v></c>"
            "<c r=\"H3\"><f>0.1+0.2</f><v>0.30000000000000004</v></c><c r=\"I3\" "
            "s=\"5\"><v>1.25</v></c></row>"
            "<row r=\"4\"/><row r=\"9\"><c r=\"G9\" t=\"str\"><v>x</v></c></row>"}},
      "<si><t>no</t></si><si><r><t>a&amp;</t></r><r><t>b</t></r><rPh><t>ruby</t></rPh></si>"));
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->schema,
            "n: long, d: decimal(18, 1), day: date, at: timestamp, time: string, yes: boolean, "
            "text: string, f: double, span: decimal(18, 2)");
  EXPECT_EQ(
      rows->rows.front(),
      R"({"n": 12, "d": 1.5, "day": "2025-12-09", "at": "2025-12-09T12:00:00.5", "time": "18:00:00", "yes": true, "text": "a&b", "f": 0.30000000000000004, "span": 1.25})");
  EXPECT_THAT(rows->origins, ElementsAre("a.xlsx sheet \"S\" row 3", "a.xlsx sheet \"S\" row 9"));
}

TEST_F(ExcelSourceTest, SheetsRangesAndHeadersAreChosen) {
  const std::string data = "<row>" + TextCell("title") + "</row><row><c/>" + TextCell("a") +
                           TextCell("b") +
                           "</row><row><c/><c><v>1</v></c><c><v>2</v></c><c><v>9</v></c></"
                           "row><row><c/><c><v>3</v></c></row>";
  const std::string book = Book({{"Hidden", kHead}, {"Q1", data}, {"Q2", data}});
  const auto one = Excel(book, "range: B2:C4");
  ASSERT_TRUE(one.ok()) << one.error().message;
  EXPECT_THAT(one->rows, ElementsAre(R"({"a": 1, "b": 2})", R"({"a": 3, "b": null})"));
  const auto both = Excel(book, "sheet: Q*\nrange: \"B:C\"\nheader_row: 2");
  ASSERT_TRUE(both.ok()) << both.error().message;
  EXPECT_THAT(both->rows, testing::SizeIs(4));
  const auto none = Excel(book, "sheet: Q2\nrange: B3:D4\nheader_row: 0");
  ASSERT_TRUE(none.ok()) << none.error().message;
  EXPECT_EQ(none->rows.front(), R"({"B": 1, "C": 2, "D": 9})");
  EXPECT_THAT(
      Excel(book, "sheet: Q3").error().message,
      HasSubstr("has no sheet 'Q3'; did you mean 'Q1' or 'Q2'?; its sheets are Hidden, Q1, Q2"));
  EXPECT_THAT(Excel(book, "header_row: 7\nsheet: Q1").error().message, HasSubstr("no row below"));
}

TEST_F(ExcelSourceTest, TheEpochOf1904Counts) {
  const auto rows =
      Excel(Book({{"S", "<row>" + TextCell("d") + "</row><row><c s=\"1\"><v>44538</v></c></row>"}},
                 "", "<workbookPr date1904=\"true\"/>"));
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->rows, ElementsAre(R"({"d": "2025-12-09"})"));
}

TEST_F(ExcelSourceTest, ErrorsMayMeanNull) {
  const auto rows =
      Excel(Book({{"S", kHead + "<row><c><v>1</v></c><c t=\"e\"><v>#N/A</v></c></row><row><c "
                                "t=\"str\"><v>-</v></c><c><v>2</v></c></row>"}}),
            "null_values: [\"#N/A\", \"-\"]");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->rows, ElementsAre(R"({"a": 1, "b": null})", R"({"a": null, "b": 2})"));
}

TEST(ExcelMoments, DaysAreThoseOfExcel) {
  const auto text = [](double days, CellForm form) {
    return MomentText(days, form, Epoch::k1900).value_or("none");
  };
  EXPECT_EQ(text(1, CellForm::kDate), "1900-01-01");
  EXPECT_EQ(text(59, CellForm::kDate), "1900-02-28");
  EXPECT_EQ(text(60, CellForm::kDate), "none");  // The 29th of a February that had none.
  EXPECT_EQ(text(61, CellForm::kDate), "1900-03-01");
  EXPECT_EQ(text(2'958'465, CellForm::kDate), "9999-12-31");
  EXPECT_EQ(text(2'958'466, CellForm::kDate), "none");
  EXPECT_EQ(text(-1, CellForm::kDate), "none");
  EXPECT_EQ(text(45'000.25, CellForm::kDate), "2023-03-15T06:00:00");
  EXPECT_EQ(text(45'000, CellForm::kDateTime), "2023-03-15T00:00:00");
  EXPECT_EQ(text(0.999999999, CellForm::kTime), "1900-01-01T00:00:00");
  EXPECT_EQ(text(0.5, CellForm::kTime), "12:00:00");
  EXPECT_EQ(MomentText(0, CellForm::kDate, Epoch::k1904), "1904-01-01");
}

TEST(ExcelFormats, DatesAreTold) {
  EXPECT_EQ(FormOfCode("General"), CellForm::kNumber);
  EXPECT_EQ(FormOfCode("#,##0.00 \"days\";[Red]-0"), CellForm::kNumber);
  EXPECT_EQ(FormOfCode("[$-409]mmm\\ yy"), CellForm::kDate);
  EXPECT_EQ(FormOfCode("mm:ss.0"), CellForm::kTime);
  EXPECT_EQ(FormOfCode("d/m/yy h:mm AM/PM"), CellForm::kDateTime);
  EXPECT_EQ(FormOfCode("[hh]:mm"), CellForm::kNumber);
  EXPECT_EQ(FormOfBuiltIn(14), CellForm::kDate);
  EXPECT_EQ(FormOfBuiltIn(22), CellForm::kDateTime);
  EXPECT_EQ(FormOfBuiltIn(2), CellForm::kNumber);
}

TEST(ExcelRanges, ArePairsOfCellsOrColumns) {
  const auto range = CellRange::Parse("B3:AA200");
  ASSERT_TRUE(range.ok());
  EXPECT_EQ(range->first_column, 2);
  EXPECT_EQ(range->last_column, 27);
  EXPECT_EQ(range->first_row, 3);
  EXPECT_EQ(range->last_row, 200);
  for (const char* good : {"B:F", "B3:F", "3:9", "A1:XFD1048576"})
    EXPECT_TRUE(CellRange::Parse(good).ok()) << good;
  for (const char* bad : {"", "B", "B3", "F:B", "3:", "A1:XFE2", "A0:B2", "a1:b2", "A1:B2:C3"})
    EXPECT_FALSE(CellRange::Parse(bad).ok()) << bad;
  EXPECT_EQ(LettersOf(ColumnOf("XFD")), "XFD");
}

}  // namespace
}  // namespace excel
}  // namespace calve::source
