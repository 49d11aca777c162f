#include "server/access.h"

#include <nlohmann/json.hpp>

#include "base/digest.h"
#include "base/text.h"

namespace calve::server {
namespace {

constexpr std::string_view kHeader = R"({"alg":"HS256","typ":"JWT"})";

std::string SigningKey(const Client& client) {
  return HmacSha256(client.secret_digest, "calve catalog token for " + client.id);
}

int64_t SecondsOf(Timestamp now) { return MillisSinceEpoch(now) / 1000; }

bool IsAtOrBelow(std::string_view inner, std::string_view outer) {
  return inner == outer || (inner.starts_with(outer) && inner[outer.size()] == '.');
}

}  // namespace

std::string_view ToString(Right right) {
  for (const auto& name : NamesOf(right)) {
    if (name.value == right) return name.name;
  }
  return "none";
}

Right Client::RightIn(const catalog::Namespace& ns) const {
  for (catalog::Namespace at = ns; !at.empty(); at.pop_back()) {
    const auto named = rights.find(catalog::ToString(at));
    if (named != rights.end()) return named->second;
  }
  const auto all = rights.find("*");
  return all == rights.end() ? Right::kNone : all->second;
}

bool Client::Sees(const catalog::Namespace& ns) const {
  if (RightIn(ns) >= Right::kRead) return true;
  const std::string name = catalog::ToString(ns);
  for (const auto& [named, right] : rights) {
    if (right >= Right::kRead && IsAtOrBelow(named, name)) return true;
  }
  return false;
}

const Client* Access::FindBySecret(std::string_view id, std::string_view secret) const {
  const std::string digest = Sha256(secret);
  for (const Client& client : clients_) {
    if ((id.empty() || client.id == id) && SameSecret(client.secret_digest, digest)) return &client;
  }
  return nullptr;
}

std::string Access::IssueToken(const Client& client, Timestamp now) const {
  const int64_t issued = SecondsOf(now);
  const nlohmann::ordered_json claims = {
      {"sub", client.id}, {"iat", issued}, {"exp", issued + token_lifetime_.count()}};
  const std::string text = ToBase64Url(kHeader) + "." + ToBase64Url(claims.dump());
  return text + "." + ToBase64Url(HmacSha256(SigningKey(client), text));
}

Access::Bearer Access::Read(std::string_view token, Timestamp now) const {
  if (const Client* client = FindBySecret("", token); client != nullptr) return {.client = client};
  const std::vector<std::string> parts = Split(token, '.');
  if (parts.size() != 3) return {};
  const nlohmann::json claims = nlohmann::json::parse(FromBase64Url(parts[1]).value_or(""), nullptr,
                                                      /*allow_exceptions=*/false);
  if (!claims.is_object()) return {};
  const auto subject = claims.find("sub");
  const auto expiry = claims.find("exp");
  if (subject == claims.end() || !subject->is_string() || expiry == claims.end() ||
      !expiry->is_number_integer())
    return {};
  for (const Client& client : clients_) {
    if (client.id != subject->get<std::string>()) continue;
    const std::string signature = HmacSha256(SigningKey(client), parts[0] + "." + parts[1]);
    if (!SameSecret(signature, FromBase64Url(parts[2]).value_or(""))) return {};
    return {.client = &client, .expired = expiry->get<int64_t>() <= SecondsOf(now)};
  }
  return {};
}

}  // namespace calve::server
