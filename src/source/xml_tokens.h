#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/compression.h"

namespace calve::source::xml {

/// Takes an XML 1.0 document apart, from its first byte to its last, in memory that does not grow
/// with it. Entities are those of XML itself: a document that declares its own is refused, so that
/// none can expand. For one thread.
class XmlTokens {
 public:
  enum class Kind { kStart, kEnd, kText, kDone };
  struct Attribute {
    std::string_view name;
    std::string_view value;
  };
  /// Elements within each other beyond this are refused.
  static constexpr size_t kDepthMax = 200;
  /// No token is larger, and no record need be.
  static constexpr size_t kRecordBytesMax = 64 << 20;

  /// `name` is the file's, for messages; `stream` is UTF-8.
  XmlTokens(std::string name, std::unique_ptr<io::InputStream> stream);

  /// Go to the next token. What the token says is good until the next call. Fails with kData on what
  /// is no well-formed XML, naming the line.
  Result<Kind> Next();

  /// The element's name, of a start and an end.
  std::string_view name() const { return name_; }
  const std::vector<Attribute>& attributes() const { return attributes_; }
  /// Of a start: an end of the same element follows without text.
  bool is_empty() const { return is_empty_; }
  std::string_view text() const { return text_; }
  /// How many elements are open: that of a start included, that of an end no more.
  size_t depth() const { return open_lengths_.size(); }
  /// The line on which the token begins.
  int64_t line();
  /// Bytes of the document before the end of the token.
  int64_t bytes_read() const { return before_ + static_cast<int64_t>(at_); }
  /// An error at the token.
  Error Fault(const std::string& what);

 private:
  /// Read more behind what is there; false at the end of the document.
  Result<bool> Fill();
  /// See that `count` bytes follow `at_`, if the document has them.
  Status Ensure(size_t count);
  /// Where `closing` begins behind the start of the token.
  Result<size_t> Find(std::string_view closing, size_t from, const char* what);
  Result<Kind> ReadText();
  Result<Kind> ReadStart();
  Result<Kind> ReadEnd();
  Result<bool> ReadOther();
  void Close();
  Status SkipDoctype();
  Result<size_t> FindTagEnd();
  Status ReadAttributes(std::string_view tag);
  /// A text without its references and with the line ends of XML; `scratch` holds it when it
  /// differs.
  Result<std::string_view> Decode(std::string_view raw, std::string* scratch);
  Status DecodeReference(std::string_view reference, std::string* text);

  const std::string file_;
  const std::unique_ptr<io::InputStream> stream_;
  std::string buffer_;
  size_t start_ = 0;  ///< Of the token.
  size_t at_ = 0;     ///< Behind it.
  bool at_end_ = false;
  int64_t before_ = 0;  ///< Bytes of the document before the buffer.
  size_t counted_ = 0;  ///< Up to where lines are counted.
  int64_t line_ = 1;

  bool pending_end_ = false;  ///< Of an empty element.
  bool had_root_ = false;
  std::string open_names_;  ///< Of the open elements, one behind the other.
  std::vector<size_t> open_lengths_;
  std::string_view name_;
  bool is_empty_ = false;
  std::string_view text_;
  std::string text_scratch_;
  std::vector<Attribute> attributes_;
  std::vector<std::unique_ptr<std::string>> value_scratch_;
};

}  // namespace calve::source::xml
