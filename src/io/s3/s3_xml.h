#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace calve::io {

/// The text of the first element `name` in `xml`, at any depth, with entities decoded; nothing when
/// there is none.
///
/// Enough for what S3 answers: elements without attributes that matter, no CDATA, no comments
/// inside.
std::optional<std::string> XmlText(std::string_view xml, std::string_view name);

/// What stands inside each element `name`, in order. Elements of that name are not nested in each
/// other.
std::vector<std::string_view> XmlElements(std::string_view xml, std::string_view name);

/// Whether `xml` goes on to the end of its outermost element: a reply that was cut short does not.
bool XmlIsWhole(std::string_view xml);

/// Write text so that it can stand in an element. Nothing when it holds what XML 1.0 cannot hold.
std::optional<std::string> XmlEscaped(std::string_view text);

}  // namespace calve::io
