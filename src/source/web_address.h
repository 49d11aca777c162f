#pragma once

#include <string>
#include <utility>
#include <vector>

namespace calve::source {

using Params = std::vector<std::pair<std::string, std::string>>;

/// Put parameters behind an address, encoded.
std::string WithParams(std::string url, const Params& params);

/// Leave out of an address what a parameter says, if it has it.
std::string WithoutParam(const std::string& url, const std::string& name);

/// The address that a link leads to, from the address that it was found at (RFC 3986, 5.2), without
/// a fragment.
std::string ResolveLink(const std::string& from, std::string link);

/// "https://host:8080", without user information, in lower case; "" of what is no address.
std::string OriginOf(const std::string& url);

}  // namespace calve::source
