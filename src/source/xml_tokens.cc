#include "source/xml_tokens.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <span>
#include <utility>

#include "base/text.h"

namespace calve::source::xml {
namespace {

constexpr size_t kReadBytes = 256 << 10;
constexpr size_t kAttributesMax = 4096;

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':' ||
         static_cast<unsigned char>(c) >= 0x80;
}

bool IsNameByte(char c) { return IsNameStart(c) || (c >= '0' && c <= '9') || c == '-' || c == '.'; }

size_t NameEnd(std::string_view text, size_t at) {
  if (at == text.size() || !IsNameStart(text[at])) return at;
  while (at < text.size() && IsNameByte(text[at])) ++at;
  return at;
}

void AppendUtf8(uint32_t code, std::string* text) {
  if (code < 0x80) {
    *text += static_cast<char>(code);
  } else if (code < 0x800) {
    *text += static_cast<char>(0xC0 | code >> 6);
    *text += static_cast<char>(0x80 | (code & 63));
  } else if (code < 0x10000) {
    *text += static_cast<char>(0xE0 | code >> 12);
    *text += static_cast<char>(0x80 | (code >> 6 & 63));
    *text += static_cast<char>(0x80 | (code & 63));
  } else {
    *text += static_cast<char>(0xF0 | code >> 18);
    *text += static_cast<char>(0x80 | (code >> 12 & 63));
    *text += static_cast<char>(0x80 | (code >> 6 & 63));
    *text += static_cast<char>(0x80 | (code & 63));
  }
}

bool IsXmlCharacter(uint32_t code) {
  return code == 9 || code == 10 || code == 13 || (code >= 0x20 && code < 0xD800) ||
         (code >= 0xE000 && code < 0xFFFE) || (code >= 0x10000 && code < 0x110000);
}

std::string Shown(std::string_view text) {
  const std::string_view start = text.substr(0, 40);
  return IsValidUtf8(start) ? Quote(start) : "bytes that are no UTF-8";
}

/// Whether there is a character that XML does not have: NUL and others below the blank. Without an
/// early end, so that the compiler looks at many at once.
bool HasControl(std::string_view text) {
  unsigned found = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    found |= unsigned{byte < 0x20} & unsigned{byte != '\t'} & unsigned{byte != '\n'} &
             unsigned{byte != '\r'};
  }
  return found != 0;
}

}  // namespace

XmlTokens::XmlTokens(std::string name, std::unique_ptr<io::InputStream> stream)
    : file_(std::move(name)), stream_(std::move(stream)) {}

int64_t XmlTokens::line() {
  const char* const text = buffer_.data();
  line_ += std::count(text + counted_, text + std::max(counted_, start_), '\n');
  counted_ = std::max(counted_, start_);
  return line_;
}

Error XmlTokens::Fault(const std::string& what) {
  return DataError(file_ + " line " + FormatCount(line()) + ": " + what);
}

Result<bool> XmlTokens::Fill() {
  if (at_end_) return false;
  if (buffer_.size() - start_ >= kRecordBytesMax) {
    return Fault("what begins here is larger than " +
                 FormatBytes(ByteCount(static_cast<int64_t>(kRecordBytesMax))) +
                 ", or is not closed; see that the file is whole");
  }
  line();
  buffer_.erase(0, start_);
  before_ += static_cast<int64_t>(start_);
  at_ -= start_;
  counted_ -= start_;
  start_ = 0;
  const size_t size = buffer_.size();
  // A token of many bytes is gone through again each time.
  const size_t more = std::min(std::max(kReadBytes, size), kRecordBytesMax - size);
  buffer_.resize(size + more);
  Result<size_t> got = stream_->Read(std::span<char>(buffer_).subspan(size));
  buffer_.resize(size + (got.ok() ? *got : 0));
  if (!got.ok()) return While(file_, std::move(got).error());
  at_end_ = *got == 0;
  return !at_end_;
}

Status XmlTokens::Ensure(size_t count) {
  while (buffer_.size() - at_ < count) {
    CALVE_ASSIGN_OR_RETURN(const bool more, Fill());
    if (!more) return Status::Ok();
  }
  return Status::Ok();
}

Result<size_t> XmlTokens::Find(std::string_view closing, size_t from, const char* what) {
  size_t offset = from;  // From the start of the token, which moves with the buffer.
  while (true) {
    const size_t found = buffer_.find(closing, start_ + offset);
    if (found != std::string::npos) return found;
    const size_t read = buffer_.size() - start_;
    offset = std::max(offset, read < closing.size() ? 0 : read - closing.size() + 1);
    CALVE_ASSIGN_OR_RETURN(const bool more, Fill());
    if (!more) {
      return Fault("the " + std::string(what) +
                   " that begins here is not closed; the file was cut off, or " + Quote(closing) +
                   " is missing");
    }
  }
}

Result<XmlTokens::Kind> XmlTokens::Next() {
  if (pending_end_) {
    pending_end_ = false;
    Close();
    return Kind::kEnd;
  }
  while (true) {
    start_ = at_;
    CALVE_RETURN_IF_ERROR(Ensure(2));
    if (at_ == buffer_.size()) {
      if (!open_lengths_.empty()) {
        return Fault(
            "the file ends within " +
            Shown(std::string_view(open_names_).substr(open_names_.size() - open_lengths_.back())) +
            "; it was cut off, or an end tag is missing");
      }
      const bool is_empty = before_ == 0 && buffer_.empty();
      if (!had_root_ && !is_empty) return Fault("expected an XML document, found nothing");
      return Kind::kDone;
    }
    if (buffer_[at_] != '<') {
      if (!open_lengths_.empty()) return ReadText();
      const size_t next = buffer_.find_first_not_of(" \t\r\n", at_);
      if (next == std::string::npos) {
        at_ = buffer_.size();
        continue;
      }
      if (buffer_[next] != '<') {
        start_ = next;
        return Fault("expected an element, found " + Shown(std::string_view(buffer_).substr(next)) +
                     "; the file is no XML document");
      }
      at_ = next;
      continue;
    }
    if (buffer_.size() - at_ < 2) return Fault("the file ends within a tag; it was cut off");
    const char next = buffer_[at_ + 1];
    if (next == '/') return ReadEnd();
    if (next != '!' && next != '?') return ReadStart();
    CALVE_ASSIGN_OR_RETURN(const bool is_text, ReadOther());
    if (is_text) return Kind::kText;
  }
}

Result<XmlTokens::Kind> XmlTokens::ReadText() {
  CALVE_ASSIGN_OR_RETURN(at_, Find("<", 0, "text"));
  CALVE_ASSIGN_OR_RETURN(
      text_, Decode(std::string_view(buffer_).substr(start_, at_ - start_), &text_scratch_));
  return Kind::kText;
}

/// True when it is a section of text.
Result<bool> XmlTokens::ReadOther() {
  CALVE_RETURN_IF_ERROR(Ensure(9));
  const std::string_view head = std::string_view(buffer_).substr(at_, 9);
  if (head.starts_with("<?")) {
    CALVE_ASSIGN_OR_RETURN(at_, Find("?>", 2, "instruction"));
    at_ += 2;
    return false;
  }
  if (head.starts_with("<!--")) {
    CALVE_ASSIGN_OR_RETURN(at_, Find("-->", 4, "comment"));
    at_ += 3;
    return false;
  }
  if (head == "<![CDATA[") {
    if (open_lengths_.empty()) return Fault("a section of text stands outside of the root element");
    CALVE_ASSIGN_OR_RETURN(const size_t end, Find("]]>", 9, "section"));
    text_ = std::string_view(buffer_).substr(start_ + 9, end - start_ - 9);
    at_ = end + 3;
    return true;
  }
  if (head == "<!DOCTYPE" && !had_root_) {
    CALVE_RETURN_IF_ERROR(SkipDoctype());
    return false;
  }
  return Fault("expected an element, found " + Shown(head) + "; the file is no well-formed XML");
}

Status XmlTokens::SkipDoctype() {
  CALVE_ASSIGN_OR_RETURN(size_t end, Find(">", 9, "document type"));
  const size_t subset = buffer_.find('[', start_);
  if (subset < end) {
    CALVE_ASSIGN_OR_RETURN(const size_t closed, Find("]", 9, "document type"));
    const std::string_view declared = std::string_view(buffer_).substr(start_, closed - start_);
    if (declared.find("<!ENTITY") != std::string_view::npos) {
      return Fault(
          "the document type declares entities, which are not expanded: they can make a "
          "small file endless; write the values out, as xmllint --noent does");
    }
    CALVE_ASSIGN_OR_RETURN(end, Find(">", closed - start_, "document type"));
  }
  at_ = end + 1;
  return Status::Ok();
}

/// The > of a tag, which is in no value of an attribute.
Result<size_t> XmlTokens::FindTagEnd() {
  size_t offset = 1;
  char quote = 0;
  while (true) {
    const char* const text = buffer_.data() + start_;
    const size_t size = buffer_.size() - start_;
    for (; offset < size; ++offset) {
      const char c = text[offset];
      if (quote != 0) {
        const void* closed = std::memchr(text + offset, quote, size - offset);
        if (closed == nullptr) {
          offset = size;
          break;
        }
        offset = static_cast<size_t>(static_cast<const char*>(closed) - text);
        quote = 0;
      } else if (c == '>') {
        return start_ + offset;
      } else if (c == '"' || c == '\'') {
        quote = c;
      } else if (c == '<') {
        return Fault("a < stands within a tag; write &lt; where a text has one");
      }
    }
    CALVE_ASSIGN_OR_RETURN(const bool more, Fill());
    if (!more) return Fault("the tag that begins here is not closed; the file was cut off");
  }
}

Result<XmlTokens::Kind> XmlTokens::ReadStart() {
  CALVE_ASSIGN_OR_RETURN(const size_t end, FindTagEnd());
  std::string_view tag = std::string_view(buffer_).substr(start_ + 1, end - start_ - 1);
  is_empty_ = tag.ends_with('/');
  if (is_empty_) tag.remove_suffix(1);
  const size_t name_end = NameEnd(tag, 0);
  name_ = tag.substr(0, name_end);
  if (name_.empty() || (name_end < tag.size() && !IsBlank(tag[name_end]))) {
    return Fault("expected the name of an element behind <, found " + Shown(tag) +
                 "; write &lt; where a text has one");
  }
  if (open_lengths_.empty() && std::exchange(had_root_, true))
    return Fault("a second root element begins here; an XML document has one");
  if (open_lengths_.size() == kDepthMax) {
    return Fault("elements are nested deeper than " + std::to_string(kDepthMax) +
                 " levels, which no table holds");
  }
  at_ = end + 1;
  attributes_.clear();
  if (name_end < tag.size()) CALVE_RETURN_IF_ERROR(ReadAttributes(tag.substr(name_end)));
  open_names_ += name_;
  open_lengths_.push_back(name_.size());
  pending_end_ = is_empty_;
  return Kind::kStart;
}

Result<XmlTokens::Kind> XmlTokens::ReadEnd() {
  CALVE_ASSIGN_OR_RETURN(const size_t end, Find(">", 2, "tag"));
  name_ = Trim(std::string_view(buffer_).substr(start_ + 2, end - start_ - 2));
  const std::string_view open =
      open_lengths_.empty()
          ? std::string_view()
          : std::string_view(open_names_).substr(open_names_.size() - open_lengths_.back());
  if (open_lengths_.empty() || name_ != open) {
    return Fault("found the end of " + Shown(name_) + ", expected " +
                 (open.empty() ? std::string("an element") : "that of " + Shown(open)) +
                 "; see that each element is closed");
  }
  Close();
  at_ = end + 1;
  return Kind::kEnd;
}

void XmlTokens::Close() {
  open_names_.resize(open_names_.size() - open_lengths_.back());
  open_lengths_.pop_back();
}

Status XmlTokens::ReadAttributes(std::string_view tag) {
  size_t at = 0;
  while (true) {
    const size_t before = at;
    while (at < tag.size() && IsBlank(tag[at])) ++at;
    if (at == tag.size()) return Status::Ok();
    const size_t name = at;
    at = NameEnd(tag, at);
    Attribute attribute{.name = tag.substr(name, at - name), .value = {}};
    while (at < tag.size() && IsBlank(tag[at])) ++at;
    const bool has_value =
        !attribute.name.empty() && before < name && at < tag.size() && tag[at] == '=';
    if (has_value) ++at;
    while (has_value && at < tag.size() && IsBlank(tag[at])) ++at;
    const size_t close = has_value && at < tag.size() && (tag[at] == '"' || tag[at] == '\'')
                             ? tag.find(tag[at], at + 1)
                             : std::string_view::npos;
    if (close == std::string_view::npos) {
      return Fault("expected attributes such as name=\"value\" in the tag of " + Shown(name_) +
                   ", found " + Shown(tag.substr(name)));
    }
    if (attributes_.size() == kAttributesMax) {
      return Fault(Shown(name_) + " has more than " + FormatCount(kAttributesMax) +
                   " attributes, which no table holds");
    }
    while (value_scratch_.size() <= attributes_.size())
      value_scratch_.push_back(std::make_unique<std::string>());
    CALVE_ASSIGN_OR_RETURN(attribute.value, Decode(tag.substr(at + 1, close - at - 1),
                                                   value_scratch_[attributes_.size()].get()));
    for (const Attribute& other : attributes_) {
      if (other.name == attribute.name)
        return Fault("the attribute " + Shown(attribute.name) + " stands twice; keep one");
    }
    attributes_.push_back(attribute);
    at = close + 1;
  }
}

Result<std::string_view> XmlTokens::Decode(std::string_view raw, std::string* scratch) {
  if (HasControl(raw)) {
    return Fault(
        "a control character stands in a value, which XML does not have; take it out where "
        "the file is written");
  }
  if (raw.find_first_of("&\r") == std::string_view::npos) return raw;
  scratch->clear();
  for (size_t at = 0; at < raw.size();) {
    const size_t next = std::min(raw.find_first_of("&\r", at), raw.size());
    scratch->append(raw.substr(at, next - at));
    at = next;
    if (at == raw.size()) break;
    if (raw[at] == '\r') {
      *scratch += '\n';
      at += raw.substr(at).starts_with("\r\n") ? 2 : 1;
      continue;
    }
    const size_t end = raw.find(';', at);
    if (end == std::string_view::npos || end - at > 32) {
      return Fault("an & stands for itself, found " + Shown(raw.substr(at)) + "; write &amp;");
    }
    CALVE_RETURN_IF_ERROR(DecodeReference(raw.substr(at + 1, end - at - 1), scratch));
    at = end + 1;
  }
  return std::string_view(*scratch);
}

Status XmlTokens::DecodeReference(std::string_view reference, std::string* text) {
  static constexpr std::pair<std::string_view, char> kOwn[] = {
      {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  for (const auto& [name, character] : kOwn) {
    if (reference != name) continue;
    *text += character;
    return Status::Ok();
  }
  uint32_t code = 0;
  const bool is_hex = reference.starts_with("#x");
  const std::string_view digits =
      reference.starts_with('#') ? reference.substr(is_hex ? 2 : 1) : std::string_view();
  const auto [end, failed] =
      std::from_chars(digits.data(), digits.data() + digits.size(), code, is_hex ? 16 : 10);
  if (!digits.empty() && failed == std::errc() && end == digits.data() + digits.size() &&
      IsXmlCharacter(code)) {
    AppendUtf8(code, text);
    return Status::Ok();
  }
  return Fault("&" + std::string(IsValidUtf8(reference) ? reference : "?") +
               "; is no reference that XML knows; write the character itself");
}

}  // namespace calve::source::xml
