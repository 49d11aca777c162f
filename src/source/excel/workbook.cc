#include "source/excel/workbook.h"

#include <algorithm>
#include <map>
#include <utility>

#include "base/text.h"
#include "io/compression.h"

namespace calve::source::excel {
namespace {

/// A part that unpacks to more times its size than this is a bomb: cells that repeat reach about a
/// hundred.
constexpr int64_t kRatioMax = 300;
/// Texts that cells share stay in memory.
constexpr size_t kTextBytesMax = 256 << 20;
constexpr size_t kTextsMax = 16 << 20;
constexpr size_t kSheetsMax = 10'000;

std::string FolderOf(const std::string& part) {
  const size_t slash = part.rfind('/');
  return slash == std::string::npos ? "" : part.substr(0, slash + 1);
}

/// The part that a target names, from the folder of the part that names it.
std::string Resolve(const std::string& folder, std::string_view target) {
  if (target.starts_with('/')) return std::string(target.substr(1));
  std::vector<std::string> path;
  for (const std::string& step : calve::Split(folder + std::string(target), '/')) {
    if (step == "..") {
      if (!path.empty()) path.pop_back();
    } else if (!step.empty() && step != ".") {
      path.push_back(step);
    }
  }
  return Join(path, "/");
}

}  // namespace

std::string_view LocalName(std::string_view name) { return name.substr(name.find(':') + 1); }

std::string_view AttributeOf(const XmlTokens& tokens, std::string_view name) {
  for (const XmlTokens::Attribute& attribute : tokens.attributes()) {
    if (LocalName(attribute.name) == name) return attribute.value;
  }
  return {};
}

Result<std::shared_ptr<Workbook>> Workbook::Open(std::shared_ptr<io::InputFile> file,
                                                 std::string name) {
  std::string head(8, '\0');
  CALVE_ASSIGN_OR_RETURN(const size_t got, file->ReadInto(0, head));
  head.resize(got);
  if (head.starts_with("\xD0\xCF\x11\xE0")) {
    return DataError(name +
                     " is a workbook of Excel 97 (.xls), or one with a password; save it as .xlsx "
                     "without a password");
  }
  std::shared_ptr<Workbook> book(new Workbook(std::move(file), std::move(name)));
  auto entries = io::ListZipEntries(*book->file_);
  Status read = entries.status();
  if (read.ok()) {
    book->entries_ = std::move(*entries);
    read = book->ReadWorkbook();
  }
  if (read.ok()) return book;
  if (read.error().kind != ErrorKind::kData) return std::move(read).error();
  return DataError(book->name_ + " is no readable .xlsx workbook; save it again, or name only " +
                   "workbooks in file_pattern: " + read.error().message);
}

bool Workbook::Has(const std::string& part) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const io::ZipEntry& entry) { return entry.name == part; });
}

Result<std::unique_ptr<XmlTokens>> Workbook::OpenPart(const std::string& part) const {
  for (io::ZipEntry entry : entries_) {
    if (entry.name != part) continue;
    CALVE_RETURN_IF_ERROR(io::LocateZipEntry(*file_, &entry));
    CALVE_ASSIGN_OR_RETURN(auto stream, io::OpenZipEntry(file_, entry,
                                                         {.ratio_max = kRatioMax,
                                                          .buffer_bytes = ByteCount(256 << 10)}));
    return std::make_unique<XmlTokens>(name_ + " " + part, std::move(stream));
  }
  return DataError(name_ + " has no part " + Quote(part.substr(0, 80)) + ", which it names");
}

Result<std::vector<Workbook::Relation>> Workbook::RelationsOf(const std::string& part) const {
  const std::string folder = FolderOf(part);
  const std::string name = folder + "_rels/" + part.substr(folder.size()) + ".rels";
  std::vector<Relation> relations;
  if (!Has(name)) return relations;
  CALVE_ASSIGN_OR_RETURN(const auto tokens, OpenPart(name));
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const auto kind, tokens->Next());
    if (kind == XmlTokens::Kind::kDone) return relations;
    if (kind != XmlTokens::Kind::kStart || LocalName(tokens->name()) != "Relationship") continue;
    const std::string_view type = AttributeOf(*tokens, "Type");
    relations.push_back({.id = std::string(AttributeOf(*tokens, "Id")),
                         .type = std::string(type.substr(type.rfind('/') + 1)),
                         .target = Resolve(folder, AttributeOf(*tokens, "Target"))});
    if (relations.size() > kSheetsMax) return tokens->Fault("a workbook with very many parts");
  }
}

Status Workbook::ReadWorkbook() {
  std::string part = "xl/workbook.xml";
  CALVE_ASSIGN_OR_RETURN(const auto roots, RelationsOf(""));
  for (const Relation& relation : roots) {
    if (relation.type == "officeDocument") part = relation.target;
  }
  std::map<std::string, std::string> parts;
  std::string styles;
  CALVE_ASSIGN_OR_RETURN(const auto relations, RelationsOf(part));
  for (const Relation& relation : relations) {
    if (relation.type == "worksheet") parts[relation.id] = relation.target;
    if (relation.type == "styles") styles = relation.target;
    if (relation.type == "sharedStrings") texts_part_ = relation.target;
  }
  CALVE_ASSIGN_OR_RETURN(const auto tokens, OpenPart(part));
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const auto kind, tokens->Next());
    if (kind == XmlTokens::Kind::kDone) break;
    if (kind != XmlTokens::Kind::kStart) continue;
    const std::string_view name = LocalName(tokens->name());
    if (name == "workbookPr") {
      const std::string_view is_1904 = AttributeOf(*tokens, "date1904");
      if (is_1904 == "1" || is_1904 == "true") epoch_ = Epoch::k1904;
    } else if (name == "sheet") {
      // The sheet's own number is sheetId; id is that of the relation.
      const auto found = parts.find(std::string(AttributeOf(*tokens, "id")));
      if (found == parts.end()) continue;  // A chart.
      const std::string_view state = AttributeOf(*tokens, "state");
      sheets_.push_back({.name = std::string(AttributeOf(*tokens, "name")),
                         .part = found->second,
                         .is_hidden = state == "hidden" || state == "veryHidden"});
    }
  }
  if (sheets_.empty()) return DataError("it has no sheet with cells");
  return styles.empty() ? Status::Ok() : ReadStyles(styles);
}

Status Workbook::ReadStyles(const std::string& part) {
  CALVE_ASSIGN_OR_RETURN(const auto tokens, OpenPart(part));
  std::map<int64_t, CellForm> own;
  bool in_cell_styles = false;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const auto kind, tokens->Next());
    if (kind == XmlTokens::Kind::kDone) return Status::Ok();
    const std::string_view name = LocalName(tokens->name());
    if (name == "cellXfs") in_cell_styles = kind == XmlTokens::Kind::kStart;
    if (kind != XmlTokens::Kind::kStart) continue;
    const int64_t format = ParseInteger(AttributeOf(*tokens, "numFmtId")).value_or(0);
    if (name == "numFmt") {
      own[format] = FormOfCode(AttributeOf(*tokens, "formatCode"));
    } else if (name == "xf" && in_cell_styles) {
      const auto known = own.find(format);
      const int built_in = format >= 0 && format < 200 ? static_cast<int>(format) : 0;
      forms_.push_back(known == own.end() ? FormOfBuiltIn(built_in) : known->second);
      if (forms_.size() > kTextsMax) return tokens->Fault("expected fewer styles");
    }
  }
}

Status Workbook::LoadTexts() {
  if (std::exchange(has_texts_, true) || texts_part_.empty()) return Status::Ok();
  CALVE_ASSIGN_OR_RETURN(const auto tokens, OpenPart(texts_part_));
  bool in_text = false;
  int phonetic = 0;
  while (true) {
    CALVE_ASSIGN_OR_RETURN(const auto kind, tokens->Next());
    if (kind == XmlTokens::Kind::kDone) return Status::Ok();
    if (kind == XmlTokens::Kind::kText) {
      if (in_text && phonetic == 0) texts_ += tokens->text();
      continue;
    }
    const bool starts = kind == XmlTokens::Kind::kStart;
    const std::string_view name = LocalName(tokens->name());
    if (name == "t") {
      in_text = starts;
    } else if (name == "rPh") {
      phonetic += starts ? 1 : -1;
    } else if (name == "si" && !starts) {
      text_ends_.push_back(texts_.size());
    }
    if (texts_.size() > kTextBytesMax || text_ends_.size() > kTextsMax) {
      return RefusedError(name_ + ": the texts of its cells take more than " +
                          FormatBytes(ByteCount(static_cast<int64_t>(kTextBytesMax))) +
                          ", which are kept in memory; save it as several workbooks, or as CSV");
    }
  }
}

}  // namespace calve::source::excel
