#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace calve::source::web_scraper {

/// The XPath that finds what a CSS selector finds below a node: types, #id, .class, [attribute]
/// with every operator, the combinators, lists, and :first-child, :last-child, :only-child,
/// :nth-child(), :first-of-type, :last-of-type, :nth-of-type(), :empty, :not(), :has(),
/// :contains("text"). Fails with kConfig, naming the place, on what is no selector or another one.
Result<std::string> CssToXPath(std::string_view selector);

}  // namespace calve::source::web_scraper
