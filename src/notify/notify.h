#pragma once

#include <string>
#include <vector>

#include "base/context.h"
#include "base/result.h"
#include "config/project.h"
#include "io/http.h"

namespace calve::notify {

/// What people are told.
struct Notice {
  std::string title;               ///< One line: "customers: an audit stopped the load".
  std::vector<std::string> lines;  ///< What happened, what did not, how to look, what to do next.
};

/// How telling on one channel went.
struct Told {
  std::string channel;  ///< "Slack #data", "e-mail to data@example.com"
  Status status;
};

/// Tell on the channels named (slack, email, webhook), as the project sets them up; one that is off
/// is passed over. A channel that fails keeps no other from being tried.
std::vector<Told> Tell(const Context& context, io::HttpClient& http,
                       const config::NotificationOptions& options,
                       const std::vector<std::string>& channels, const Notice& notice);

}  // namespace calve::notify
