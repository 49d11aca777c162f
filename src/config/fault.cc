#include "config/fault.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"

namespace calve::config {

namespace {

/// Lines printed; a file with more faults needs another look anyway.
constexpr size_t kPrintedMax = 100;
constexpr size_t kHiddenBytesMin = 4;

void Replace(std::string& text, const std::string& what) {
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 3)) {
    text.replace(at, what.size(), "***");
  }
}

}  // namespace

std::string ToString(const Place& place) {
  std::string text(place.file_name());
  if (place.line == 0) return text;
  if (!text.empty()) text += ':';
  return text + fmt::format("{}:{}", place.line, place.column);
}

std::string Fault::Sentence() const { return hint.empty() ? message : message + "; " + hint; }

void Faults::Add(Place place, std::string message, std::string hint) {
  ++count_;
  if (faults_.size() < kKeptMax)
    faults_.push_back({std::move(place), std::move(message), std::move(hint)});
}

void Faults::Warn(Place place, std::string message, std::string hint) {
  if (warnings_.size() < kKeptMax)
    warnings_.push_back({std::move(place), std::move(message), std::move(hint)});
}

void Faults::Hide(std::string_view secret) {
  if (secret.size() >= kHiddenBytesMin) hidden_.emplace(secret);
}

std::vector<Fault> Faults::Sort(std::vector<Fault> faults) const {
  std::map<std::string, size_t, std::less<>> order;
  for (const Fault& fault : faults)
    order.try_emplace(std::string(fault.place.file_name()), order.size());
  const auto key = [&](const Fault& f) {
    return std::tuple(order.find(f.place.file_name())->second, f.place.line, f.place.column);
  };
  std::stable_sort(faults.begin(), faults.end(),
                   [&](const Fault& a, const Fault& b) { return key(a) < key(b); });
  std::vector<std::string> hidden(hidden_.begin(),
                                  hidden_.end());  // Longest first: one secret may hold another.
  std::stable_sort(hidden.begin(), hidden.end(),
                   [](const auto& a, const auto& b) { return a.size() > b.size(); });
  for (Fault& fault : faults) {
    for (const std::string& secret : hidden) {
      Replace(fault.message, secret);
      Replace(fault.hint, secret);
    }
  }
  return faults;
}

std::vector<Fault> Faults::Sorted() const { return Sort(faults_); }
std::vector<Fault> Faults::SortedWarnings() const { return Sort(warnings_); }

std::string Faults::Render(std::string_view consequence) const {
  if (empty()) return {};
  std::vector<Fault> sorted = Sorted();
  if (sorted.size() > kPrintedMax) sorted.resize(kPrintedMax);
  size_t width = 0;
  for (const Fault& fault : sorted) width = std::max(width, ToString(fault.place).size());
  std::string text;
  for (const Fault& fault : sorted) {
    const std::string place = ToString(fault.place);
    text +=
        width == 0 ? fault.Sentence() : fmt::format("{:<{}}   {}", place, width, fault.Sentence());
    text += '\n';
  }
  if (size() > sorted.size())
    text += fmt::format("... and {} more\n", FormatCount(int64_t(size() - sorted.size())));
  return text + fmt::format("{} fault{}, {}.", FormatCount(int64_t(size())), size() == 1 ? "" : "s",
                            consequence);
}

Status Faults::ToStatus(std::string_view consequence) const {
  if (empty()) return Status::Ok();
  return ConfigError(Render(consequence));
}

std::string QuoteForMessage(std::string_view text) {
  constexpr size_t kCharactersMax = 60;
  std::string quoted = "'";
  size_t characters = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool starts_character = (byte & 0xC0) != 0x80;
    if (starts_character && characters++ == kCharactersMax) return quoted + "...'";
    if (byte == '\n') {
      quoted += "\\n";
    } else if (byte == '\t') {
      quoted += "\\t";
    } else if (byte < 0x20 || byte == 0x7F) {
      quoted += fmt::format("\\x{:02x}", byte);
    } else if (byte == 0xC2 && i + 1 < text.size() &&
               static_cast<unsigned char>(text[i + 1]) < 0xA0) {
      quoted += fmt::format("\\x{:02x}", static_cast<unsigned char>(
                                             text[++i]));  // U+0080 to U+009F control terminals.
    } else {
      quoted += text[i];
    }
  }
  return quoted + "'";
}

}  // namespace calve::config
