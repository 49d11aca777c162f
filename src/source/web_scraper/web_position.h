#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "base/result.h"
#include "source/table_position.h"
#include "source/web_scraper/web_client.h"

namespace calve::source::web_scraper {

/// The name of an address in a position: what may be shown of it, and a digest of the whole.
std::string KeyOf(const std::string& url);

/// A page as the last run has read it.
struct KnownPage {
  Validators validators;
  std::string digest;  ///< Of its records.
  std::string next;    ///< The address behind its link to the next page.
  int64_t records = 0;
};

/// How far the pages of a source were read.
struct WebPosition {
  TablePositions records;                  ///< By the keys of addresses at which reading begins.
  std::map<std::string, KnownPage> pages;  ///< By the keys of their addresses.

  Position Print();
  /// Fails with kData when the position was made by another kind of source or by another column.
  static Result<WebPosition> Parse(const Position& position, const std::string& cursor_column);
};

}  // namespace calve::source::web_scraper
