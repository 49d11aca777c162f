#pragma once

#include <string>

#include "base/context.h"
#include "base/result.h"
#include "source/api/api_options.h"

namespace calve::source::api {

/// Options that a reply of the service suggests and that the configuration does not give.
struct Proposal {
  std::string text;          ///< As YAML, a line each; "" when nothing is missing.
  std::string records_path;  ///< The one to read by.

  /// The options for a look at one endpoint.
  ApiOptions Applied(const ApiOptions& options, const std::string& endpoint) const;
};

/// Look at one reply of the first endpoint. One with a parent is left as it is.
Result<Proposal> Propose(const Context& context, const ApiOptions& options);

}  // namespace calve::source::api
