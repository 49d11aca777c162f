#include "catalog/rest/table_access.h"

#include <algorithm>

#include "base/text.h"
#include "catalog/rest/access_token.h"

namespace calve::catalog {
namespace {

using std::chrono::seconds;

/// After a server did not answer, while what is there still holds.
constexpr seconds kNextTry{10};

bool IsStorageKey(const std::string& key) {
  return key.starts_with("s3.") || key.starts_with("gcs.") || key.starts_with("adls.") ||
         key == "client.region";
}

/// Whether a key is part of what lets one in, so that others of its kind must go with it.
bool IsSecret(const std::string& key) {
  return key.find("key") != std::string::npos || key.find("token") != std::string::npos;
}

/// A bare scheme stands for all of it.
std::string AsAddress(const std::string& prefix) {
  return prefix.find(':') == std::string::npos && !prefix.empty() ? prefix + "://" : prefix;
}

bool IsAbove(const std::string& prefix, const std::string& address) {
  if (!address.starts_with(prefix)) return false;
  return prefix.empty() || prefix.ends_with('/') || address.size() == prefix.size() ||
         address[prefix.size()] == '/';
}

/// The first moment at which one of the keys runs out: s3.session-token-expires-at-ms,
/// gcs.oauth2.token-expires-at, adls.sas-token-expires-at-ms.ACCOUNT.
void AddExpiry(const io::Properties& properties, std::optional<Timestamp>& expires) {
  for (const auto& [key, value] : properties) {
    if (key.find("-expires-at") == std::string::npos) continue;
    const std::optional<int64_t> ms = ParseInteger(value);
    if (!ms.has_value() || *ms < 0) continue;
    const Timestamp at = TimestampFromMillis(*ms);
    expires = std::min(expires.value_or(at), at);
  }
}

}  // namespace

io::Properties Grant::For(const std::string& address) const {
  io::Properties properties;
  const StorageCredential* nearest = nullptr;
  for (const StorageCredential& credential : credentials) {
    if (!IsAbove(AsAddress(credential.prefix), address)) continue;
    if (nearest == nullptr || credential.prefix.size() > nearest->prefix.size())
      nearest = &credential;
  }
  if (nearest != nullptr) properties = nearest->config;
  for (const auto& [key, value] : config.value_or(io::Properties())) {
    if (IsStorageKey(key)) properties.emplace(key, value);
  }
  return properties;
}

bool Grant::is_empty() const {
  return credentials.empty() &&
         (!config.has_value() || std::ranges::none_of(*config, [](const auto& property) {
           return IsStorageKey(property.first);
         }));
}

class TableAccess::Place : public io::LiveProperties {
 public:
  Place(std::shared_ptr<TableAccess> access, std::string address)
      : access_(std::move(access)), address_(std::move(address)) {}
  Result<PropertiesPtr> Now(const Context& context) override {
    return access_->Now(context, address_);
  }
  Result<PropertiesPtr> Renew(const Context& context, const PropertiesPtr& refused) override {
    return access_->Renew(context, address_, refused);
  }

 private:
  const std::shared_ptr<TableAccess> access_;
  const std::string address_;
};

std::shared_ptr<io::LiveProperties> TableAccess::At(const std::string& address) {
  std::lock_guard lock(mutex_);
  std::shared_ptr<Place> place = places_[address].lock();
  if (place == nullptr) {
    place = std::make_shared<Place>(shared_from_this(), address);
    places_[address] = place;
  }
  return place;
}

std::vector<std::string> TableAccess::PrefixesBelow(const std::string& folder) const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> prefixes;
  for (const StorageCredential& credential : grant_.credentials) {
    if (credential.prefix.size() > folder.size() && IsAbove(folder, credential.prefix))
      prefixes.push_back(credential.prefix);
  }
  return prefixes;
}

void TableAccess::Take(Timestamp now, Grant grant) {
  if (!grant.config.has_value()) {
    grant.config = std::move(grant_.config).value_or(io::Properties());
    std::erase_if(*grant.config, [](const auto& property) { return IsSecret(property.first); });
  }
  grant_ = std::move(grant);
  expires_.reset();
  AddExpiry(*grant_.config, expires_);
  for (const StorageCredential& credential : grant_.credentials)
    AddExpiry(credential.config, expires_);
  renew_at_ = expires_.has_value() ? std::optional(RenewalTime(now, *expires_)) : std::nullopt;
}

void TableAccess::Offer(const Context& context, Grant grant) {
  std::lock_guard lock(mutex_);
  const Timestamp now = context.clock->Now();
  const bool holds = renew_at_.has_value() && now < *renew_at_;
  if (!holds) Take(now, std::move(grant));
}

TableAccess::PropertiesPtr TableAccess::PropertiesOf(const std::string& address) {
  io::Properties now = grant_.For(address);
  PropertiesPtr& known = by_address_[address];
  if (known == nullptr || *known != now)
    known = std::make_shared<const io::Properties>(std::move(now));
  return known;
}

Status TableAccess::FetchNow(const Context& context) {
  const Timestamp asked = context.clock->Now();
  Result<Grant> grant = fetch_(context);
  if (grant.ok()) {
    Take(asked, std::move(*grant));
    return Status::Ok();
  }
  const bool holds = expires_.has_value() && context.clock->Now() < *expires_;
  if (!holds || grant.error().kind != ErrorKind::kTransient) return std::move(grant).error();
  renew_at_ = context.clock->Now() + kNextTry;
  return Status::Ok();
}

Result<TableAccess::PropertiesPtr> TableAccess::Now(const Context& context,
                                                    const std::string& address) {
  std::lock_guard lock(mutex_);
  if (renew_at_.has_value() && context.clock->Now() >= *renew_at_)
    CALVE_RETURN_IF_ERROR(FetchNow(context));
  return PropertiesOf(address);
}

Result<TableAccess::PropertiesPtr> TableAccess::Renew(const Context& context,
                                                      const std::string& address,
                                                      const PropertiesPtr& refused) {
  std::lock_guard lock(mutex_);
  if (PropertiesOf(address) == refused) CALVE_RETURN_IF_ERROR(FetchNow(context));
  return PropertiesOf(address);
}

}  // namespace calve::catalog
