#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"
#include "io/zip.h"
#include "source/excel/cell_format.h"
#include "source/xml_tokens.h"

namespace calve::source::excel {

using xml::XmlTokens;

/// An .xlsx file (ECMA-376, SpreadsheetML): its sheets, and what their cells refer to. Threads: any,
/// once opened.
class Workbook {
 public:
  struct Sheet {
    std::string name;
    std::string part;  ///< Of the archive.
    bool is_hidden = false;
  };

  /// `name` is the file's, for messages. Fails with kData when it is no whole workbook.
  static Result<std::shared_ptr<Workbook>> Open(std::shared_ptr<io::InputFile> file,
                                                std::string name);

  const std::string& name() const { return name_; }
  const std::vector<Sheet>& sheets() const { return sheets_; }
  Epoch epoch() const { return epoch_; }
  /// What numbers in cells of a style stand for.
  CellForm FormOf(size_t style) const {
    return style < forms_.size() ? forms_[style] : CellForm::kNumber;
  }
  /// Read the texts that cells share, unless they were read. For one thread.
  Status LoadTexts();
  size_t texts() const { return text_ends_.size(); }
  std::string_view Text(size_t index) const {
    const size_t begin = index == 0 ? 0 : text_ends_[index - 1];
    return std::string_view(texts_).substr(begin, text_ends_[index] - begin);
  }
  /// Open a part of the archive. Fails with kData when it is not there.
  Result<std::unique_ptr<XmlTokens>> OpenPart(const std::string& part) const;

 private:
  struct Relation {
    std::string id;
    std::string type;  ///< What follows its last slash: "worksheet".
    std::string target;
  };
  Workbook(std::shared_ptr<io::InputFile> file, std::string name)
      : file_(std::move(file)), name_(std::move(name)) {}
  bool Has(const std::string& part) const;
  Result<std::vector<Relation>> RelationsOf(const std::string& part) const;
  Status ReadWorkbook();
  Status ReadStyles(const std::string& part);

  const std::shared_ptr<io::InputFile> file_;
  const std::string name_;
  std::vector<io::ZipEntry> entries_;
  std::vector<Sheet> sheets_;
  Epoch epoch_ = Epoch::k1900;
  std::vector<CellForm> forms_;
  std::string texts_part_;  ///< "" when there is none.
  bool has_texts_ = false;
  std::string texts_;
  std::vector<size_t> text_ends_;
};

/// A name without its prefix.
std::string_view LocalName(std::string_view name);
/// What an attribute says, by its name without prefix; "" when it is not there.
std::string_view AttributeOf(const XmlTokens& tokens, std::string_view name);

}  // namespace calve::source::excel
