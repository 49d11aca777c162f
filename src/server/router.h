#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/text.h"

namespace calve::server {

/// Finds who answers a path. A pattern is `/v1/namespaces/{namespace}/tables`: a part in braces
/// stands for any one part. `Handler` is what was added with the pattern.
template <typename Handler>
class Router {
 public:
  void Add(std::string method, std::string_view pattern, Handler handler) {
    routes_.push_back({std::move(method), Split(pattern, '/'), std::move(handler)});
  }

  struct Match {
    const Handler* handler = nullptr;  ///< Null: no route has this path, or not with this method.
    bool path_is_known = false;        ///< Some route has the path, with whatever method.
    std::vector<std::string> parts;    ///< What stood for the braces, still encoded.
  };
  Match Find(std::string_view method, std::string_view path) const {
    const std::vector<std::string> found = Split(path, '/');
    Match match;
    for (const Route& route : routes_) {
      std::optional<std::vector<std::string>> parts = PartsOf(route, found);
      if (!parts.has_value()) continue;
      match.path_is_known = true;
      if (route.method != method) continue;
      match.handler = &route.handler;
      match.parts = std::move(*parts);
      return match;
    }
    return match;
  }

  /// All routes as `GET /v1/namespaces`, in the order in which they were added.
  std::vector<std::string> Names() const {
    std::vector<std::string> names;
    for (const Route& route : routes_) names.push_back(route.method + " " + Join(route.parts, "/"));
    return names;
  }

 private:
  struct Route {
    std::string method;
    std::vector<std::string> parts;
    Handler handler;
  };

  static std::optional<std::vector<std::string>> PartsOf(const Route& route,
                                                         const std::vector<std::string>& found) {
    if (route.parts.size() != found.size()) return std::nullopt;
    std::vector<std::string> parts;
    for (size_t i = 0; i < found.size(); ++i) {
      if (route.parts[i].starts_with('{')) {
        if (found[i].empty()) return std::nullopt;
        parts.push_back(found[i]);
      } else if (route.parts[i] != found[i]) {
        return std::nullopt;
      }
    }
    return parts;
  }

  std::vector<Route> routes_;
};

}  // namespace calve::server
