#include "source/api/api_options.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "source/typing.h"

namespace calve::source::api {
namespace {

constexpr std::string_view kHeaderPrefix = "header:";

/// Which keys of a nested mapping a choice needs, and which it takes.
struct KeysOfChoice {
  std::string_view choice;
  std::vector<std::string> needs;
  std::vector<std::string> takes;
};

const std::vector<KeysOfChoice>& AuthKeys() {
  static const std::vector<KeysOfChoice> kKeys = {{"none", {}, {}},
                                                  {"basic", {"username", "password"}, {}},
                                                  {"bearer", {"token"}, {}},
                                                  {"api_key", {"key"}, {"name", "in"}},
                                                  {"oauth2",
                                                   {"token_url", "client_id", "client_secret"},
                                                   {"scope", "client_in", "token_params"}}};
  return kKeys;
}

const std::vector<KeysOfChoice>& PaginationKeys() {
  static const std::vector<KeysOfChoice> kKeys = {
      {"none", {}, {}},
      {"page",
       {},
       {"page_param", "first_page", "size_param", "size", "more_path", "total_path", "in",
        "pages_max"}},
      {"offset",
       {},
       {"offset_param", "size_param", "size", "more_path", "total_path", "in", "pages_max"}},
      {"cursor",
       {},
       {"cursor_param", "cursor_path", "cursor_field", "size_param", "size", "more_path", "in",
        "pages_max"}},
      {"link", {}, {"next_path", "size_param", "size", "pages_max"}}};
  return kKeys;
}

/// See that a nested mapping has the keys of what was chosen, and no others.
void CheckChoice(const std::vector<KeysOfChoice>& choices, std::string_view choice,
                 const std::string& choice_key, const std::string& key, const config::Node& node,
                 config::Faults& faults) {
  const auto found = std::find_if(choices.begin(), choices.end(),
                                  [&](const KeysOfChoice& c) { return c.choice == choice; });
  const config::Node* nested = node.Find(key);
  const config::Place& place = nested == nullptr ? node.place() : nested->place();
  const std::string chosen = choice_key + " " + std::string(choice);
  for (const std::string& needed : found->needs) {
    if (nested != nullptr && nested->is_mapping() && nested->Find(needed) != nullptr) continue;
    faults.Add(place, chosen + " needs '" + needed + "' in " + key + "; add it");
  }
  if (nested == nullptr || !nested->is_mapping()) return;
  std::vector<std::string> known = found->needs;
  known.insert(known.end(), found->takes.begin(), found->takes.end());
  for (const config::Node::Entry& entry : nested->entries()) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    faults.Add(entry.value.place(), "'" + entry.key + "' says nothing where " + chosen + "; " +
                                        (known.empty() ? std::string("leave it out")
                                                       : "its keys are " + Join(known, ", ")));
  }
}

template <typename E>
std::string_view NameOf(E value) {
  for (const auto& name : NamesOf(value)) {
    if (name.value == value) return name.name;
  }
  return "";
}

Status CheckEndpoint(const std::string& endpoint) {
  if (endpoint.find("://") != std::string::npos) {
    return ConfigError("'" + endpoint +
                       "' is an address; expected the path below base_url, such as orders");
  }
  if (endpoint.find_first_of("?#") != std::string::npos) {
    return ConfigError("'" + endpoint +
                       "' holds parameters; give the path alone, and the parameters in params");
  }
  return StatusOf(PlaceholdersOf(endpoint));
}

void CheckParent(const ApiOptions& o, const config::Node& node, config::Faults& faults) {
  if (o.AllEndpoints().empty())
    faults.Add(node.Find("endpoints")->place(), "expected at least one endpoint, found none");
  for (const std::string& endpoint : o.AllEndpoints()) {
    const auto names = PlaceholdersOf(endpoint);
    if (!names.ok()) return;
    const config::Node* place = node.Find(o.endpoint.empty() ? "endpoints" : "endpoint");
    if (names->empty() && o.parent.has_value()) {
      faults.Add(place->place(), "'" + endpoint +
                                     "' takes nothing of the parent's records; expected a field "
                                     "of them in braces, such as customers/{id}/orders");
    } else if (!names->empty() && !o.parent.has_value()) {
      faults.Add(place->place(), "'" + endpoint + "' has {" + names->front() +
                                     "}, which a parent's records fill; add parent with the "
                                     "endpoint that lists them");
    }
  }
}

void CheckIncremental(const ApiOptions& o, const config::Node& node, config::Faults& faults) {
  if (!o.incremental || !o.cursor_column.empty()) return;
  faults.Add(node.Find("incremental")->place(),
             "an incremental job needs cursor_column, the field that grows, such as updated_at or "
             "an id that counts up");
}

void CheckPaths(const ApiOptions& o, const config::Node& node, config::Faults& faults) {
  const config::Node* nested = node.Find("pagination_config");
  const config::Place& place = nested == nullptr ? node.place() : nested->place();
  const PaginationConfig& c = o.pagination_config;
  if (o.pagination_strategy == Pagination::kCursor &&
      c.cursor_path.empty() == c.cursor_field.empty()) {
    faults.Add(place,
               "pagination_strategy cursor needs one of 'cursor_path' (where a reply has the next "
               "cursor) and 'cursor_field' (the field of the last record that is the next cursor); "
               "add one to pagination_config");
  }
  if (c.in == ParamPlace::kBody && o.method != Method::kPost) {
    faults.Add(place, "parameters go into the body of a POST; set method: POST");
  }
}

Status CheckBody(const ApiOptions& o) {
  if (o.body.empty()) return Status::Ok();
  if (o.method != Method::kPost) return ConfigError("a body goes with method: POST");
  const auto parsed = nlohmann::json::parse(o.body, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) {
    return ConfigError(
        "the body is no JSON object; expected one, such as '{\"status\": \"open\"}'");
  }
  return Status::Ok();
}

}  // namespace

config::Names<AuthType> NamesOf(AuthType) {
  return {{"none", AuthType::kNone, "Nothing."},
          {"basic", AuthType::kBasic, "`username` and `password`."},
          {"bearer", AuthType::kBearer, "`token`, as Authorization: Bearer."},
          {"api_key", AuthType::kApiKey, "`key`, in the header or the parameter `name`."},
          {"oauth2", AuthType::kOauth2,
           "Client credentials: `client_id` and `client_secret` are exchanged at `token_url` for a "
           "token, which is renewed before it ends, and once more when the service refuses it."}};
}
config::Names<KeyPlace> NamesOf(KeyPlace) {
  return {{"header", KeyPlace::kHeader, "As a header."},
          {"query", KeyPlace::kQuery, "As a parameter of the address."}};
}
config::Names<ClientPlace> NamesOf(ClientPlace) {
  return {{"body", ClientPlace::kBody, "In the form that is posted."},
          {"header", ClientPlace::kHeader, "As Authorization: Basic."}};
}
config::Names<Pagination> NamesOf(Pagination) {
  return {{"none", Pagination::kNone, "One reply has all records."},
          {"page", Pagination::kPage, "Pages are counted."},
          {"offset", Pagination::kOffset, "Each page says how many records come before it."},
          {"cursor", Pagination::kCursor, "Each reply, or its last record, names the next page."},
          {"link", Pagination::kLink, "Each reply has the address of the next page."}};
}
config::Names<ParamPlace> NamesOf(ParamPlace) {
  return {{"query", ParamPlace::kQuery, "In the address."},
          {"body", ParamPlace::kBody, "As keys of the JSON body of a POST."}};
}
config::Names<Method> NamesOf(Method) {
  return {{"GET", Method::kGet}, {"POST", Method::kPost, "For services that search by POST."}};
}

config::Shape<AuthConfig> AuthConfig::Declaration() {
  config::Shape<AuthConfig> shape("auth_config", "How to sign in, by `auth_type`.");
  shape.Optional("username", &AuthConfig::username, "basic: who reads.");
  shape.Optional("password", &AuthConfig::password, "basic: the password.", {.secret = true});
  shape.Optional("token", &AuthConfig::token, "bearer: the token.",
                 {.example = "${API_TOKEN}", .secret = true});
  shape.Optional("key", &AuthConfig::key, "api_key: the key.", {.secret = true});
  shape.Optional("name", &AuthConfig::name, "api_key: the header, or the parameter.");
  shape.Optional("in", &AuthConfig::in, "api_key: where the key stands.");
  shape.Optional("token_url", &AuthConfig::token_url, "oauth2: where tokens are had.");
  shape.Optional("client_id", &AuthConfig::client_id, "oauth2: who asks.");
  shape.Optional("client_secret", &AuthConfig::client_secret, "oauth2: its secret.",
                 {.secret = true});
  shape.Optional("scope", &AuthConfig::scope, "oauth2: what is asked for.");
  shape.Optional("client_in", &AuthConfig::client_in, "oauth2: where id and secret stand.");
  shape.Optional("token_params", &AuthConfig::token_params,
                 "oauth2: more that the service wants to be told, such as an audience.");
  return shape;
}

config::Shape<PaginationConfig> PaginationConfig::Declaration() {
  using Config = PaginationConfig;
  config::Shape<Config> shape("pagination_config", "How pages are asked for.");
  shape.Optional("page_param", &Config::page_param, "page: the parameter that counts pages.");
  shape.Optional("first_page", &Config::first_page, "page: the number of the first one.",
                 {.min = 0, .max = 1});
  shape.Optional("offset_param", &Config::offset_param,
                 "offset: the parameter that says how many records come before the page.");
  shape.Optional("cursor_param", &Config::cursor_param,
                 "cursor: the parameter that takes the cursor.");
  shape.Optional("cursor_path", &Config::cursor_path,
                 "cursor: where a reply has the next cursor: keys with dots between them, or "
                 "`header:` and a header's name. The last page has none, or null.",
                 {.example = "meta.next_cursor"});
  shape.Optional("cursor_field", &Config::cursor_field,
                 "cursor: the field of the last record that is the next cursor, such as id.");
  shape.Optional("next_path", &Config::next_path,
                 "link: where a reply has the address of the next page, when that is not the "
                 "header Link.");
  shape.Optional("size_param", &Config::size_param,
                 "The parameter that says how many records a page has; without it the service "
                 "decides.",
                 {.example = "per_page"});
  shape.Optional("size", &Config::size, "What size_param says.", {.min = 1, .max = 1'000'000});
  shape.Optional("more_path", &Config::more_path,
                 "Where a reply says whether more follows, as true or false. Without it pages end "
                 "with an empty one, at the total, or where the next cursor is missing.",
                 {.example = "has_more"});
  shape.Optional(
      "total_path", &Config::total_path,
      "page, offset: where a reply says how many records there are in all, as cursor_path "
      "does. A run that gets another number of records fails: they changed while it read.");
  shape.Optional("in", &Config::in, "Where the parameters above stand.");
  shape.Optional("pages_max", &Config::pages_max, "More pages of one endpoint are a fault.",
                 {.min = 1});
  return shape;
}

config::Shape<ParentOptions> ParentOptions::Declaration() {
  config::Shape<ParentOptions> shape(
      "parent", "The endpoint that lists what `endpoint` is asked for, once for each record.");
  shape.Required("endpoint", &ParentOptions::endpoint, "Its path below base_url.");
  shape.Optional("params", &ParentOptions::params, "Its parameters.");
  shape.Optional("records_path", &ParentOptions::records_path, "Where its replies have records.");
  shape.Optional(
      "include", &ParentOptions::include,
      "Columns that each record gets from its parent: the column, and the parent's field.");
  shape.Check("endpoint", [](const ParentOptions& o) -> Status {
    CALVE_RETURN_IF_ERROR(CheckEndpoint(o.endpoint));
    if (o.endpoint.find('{') != std::string::npos)
      return ConfigError("a parent has no parent of its own; give an endpoint without braces");
    return Status::Ok();
  });
  return shape;
}

config::Shape<ApiOptions> ApiOptions::Declaration() {
  using Options = ApiOptions;
  config::Shape<Options> shape(
      "api source",
      "Read the records of a REST service that replies in JSON, page by page, with exact types "
      "guessed from the first replies.");
  shape.Required("base_url", &Options::base_url, "Where the service is.",
                 {.example = "https://api.example.com/v1"});
  shape.Optional("endpoint", &Options::endpoint,
                 "The path of the records below base_url. A field of a parent's record in braces "
                 "asks once for each parent: `customers/{id}/orders`.",
                 {.example = "orders"});
  shape.Optional("endpoints", &Options::endpoints,
                 "Several endpoints with records of one kind, read as one.",
                 {.example = "[orders, archived_orders]"});
  shape.ExactlyOneOf({"endpoint", "endpoints"});
  shape.Optional("method", &Options::method, "How the service is asked.");
  shape.Optional("params", &Options::params, "Parameters of each request.",
                 {.example = "{status: open}"});
  shape.Optional("headers", &Options::headers, "Headers of each request.",
                 {.example = "{Accept-Language: en}", .secret = true});
  shape.Optional("body", &Options::body, "The JSON object that a POST sends.");
  shape.Optional("auth_type", &Options::auth_type, "How to sign in.", {.example = "bearer"});
  shape.Optional("auth_config", &Options::auth_config, "With what.");
  shape.Optional("pagination_strategy", &Options::pagination_strategy,
                 "How one page follows another.", {.example = "cursor"});
  shape.Optional("pagination_config", &Options::pagination_config, "The names that takes.");
  shape.Optional("records_path", &Options::records_path,
                 "Where a reply has its records, when it is not an array of them: keys with dots "
                 "between them.",
                 {.example = "data.items"});
  shape.Optional("parent", &Options::parent, "What `endpoint` is asked for, once for each.");
  shape.Include(CursorOptions::Declaration());
  shape.Optional("key", &Options::key,
                 "The field that tells records apart. A record that comes twice in one run is a "
                 "fault: the records moved while pages were read.",
                 {.example = "id"});
  shape.Optional("requests_per_minute", &Options::requests_per_minute,
                 "Not more requests than this, evenly spaced, repeated ones included; 0: no limit.",
                 {.min = 0, .max = 1'000'000});
  shape.Optional(
      "tries_max", &Options::tries_max,
      "How often a page is asked for when the service is out of reach, answers 429, 500, "
      "502, 503 or 504, or sends half a reply; the waits between double.",
      {.min = 1, .max = 100});
  shape.Optional("timeout", &Options::timeout, "How long one reply may take.",
                 {.min = std::chrono::milliseconds(1)});
  shape.Optional("retry_after_max", &Options::retry_after_max,
                 "The longest Retry-After that is waited for; a longer one ends the run.");
  shape.Optional("types", &Options::types,
                 "Types of top-level columns, in place of a guess: Iceberg's names.",
                 {.example = "{price: \"decimal(12, 2)\"}"});
  shape.Optional(
      "sample", &Options::sample,
      "How much of each endpoint's replies is read to guess types. A record with a field "
      "that the sample did not have is held back.",
      {.min = ByteCount(1'000), .max = ByteCount(64'000'000)});
  shape.Check("base_url", [](const Options& o) -> Status {
    if (o.base_url.starts_with("http://") || o.base_url.starts_with("https://")) {
      if (o.base_url.find_first_of("?#") == std::string::npos) return Status::Ok();
      return ConfigError("base_url holds parameters; give them in params");
    }
    return ConfigError("'" + o.base_url + "' is no address; expected http:// or https://");
  });
  shape.Check("endpoint", [](const Options& o) { return CheckEndpoint(o.endpoint); });
  shape.Check("endpoints", [](const Options& o) -> Status {
    for (const std::string& endpoint : o.endpoints) CALVE_RETURN_IF_ERROR(CheckEndpoint(endpoint));
    return Status::Ok();
  });
  shape.Check("types", [](const Options& o) { return CheckTypes(o.types); });
  shape.Check("body", CheckBody);
  shape.CheckNode([](const Options& o, const config::Node& node, config::Faults& faults) {
    CheckChoice(AuthKeys(), NameOf(o.auth_type), "auth_type", "auth_config", node, faults);
    CheckChoice(PaginationKeys(), NameOf(o.pagination_strategy), "pagination_strategy",
                "pagination_config", node, faults);
    CheckParent(o, node, faults);
    CheckIncremental(o, node, faults);
    CheckPaths(o, node, faults);
  });
  return shape;
}

std::vector<std::string> ApiOptions::AllEndpoints() const {
  return endpoint.empty() ? endpoints : std::vector<std::string>{endpoint};
}

std::vector<std::string> KeysOf(const std::string& path) {
  return path.empty() ? std::vector<std::string>() : calve::Split(path, '.');
}

Result<std::vector<std::string>> PlaceholdersOf(const std::string& endpoint) {
  std::vector<std::string> names;
  size_t at = 0;
  while ((at = endpoint.find_first_of("{}", at)) != std::string::npos) {
    const size_t end = endpoint.find_first_of("{}", at + 1);
    if (endpoint[at] == '}' || end == std::string::npos || endpoint[end] == '{' || end == at + 1) {
      return ConfigError("'" + endpoint +
                         "' has a brace without its other; expected a field in braces, such as "
                         "customers/{id}/orders");
    }
    names.push_back(endpoint.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return names;
}

std::optional<std::string> HeaderOf(const std::string& path) {
  if (!path.starts_with(kHeaderPrefix)) return std::nullopt;
  return std::string(Trim(std::string_view(path).substr(kHeaderPrefix.size())));
}

}  // namespace calve::source::api
