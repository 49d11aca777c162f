// Azure Blob Storage and Data Lake Storage through Arrow.

#include <map>
#include <memory>
#include <mutex>

#include <arrow/filesystem/azurefs.h>

#include "base/text.h"
#include "io/arrow_files.h"
#include "io/registry.h"
#include "io/uri.h"

namespace calve::io {
namespace {

/// The first of the keys that is given, or "".
std::string FirstOf(const Properties& properties, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    const auto found = properties.find(key);
    if (found != properties.end() && !found->second.empty()) return found->second;
  }
  return "";
}

/// container@account.dfs.core.windows.net, or container alone when the properties name the account.
struct Authority {
  std::string container;
  std::string account;
};

Result<Authority> Parse(const Properties& properties, const Uri& uri, const std::string& text) {
  const size_t at = uri.authority.find('@');
  Authority parsed{uri.authority.substr(0, at), ""};
  if (at != std::string::npos) {
    const std::string host = uri.authority.substr(at + 1);
    parsed.account = host.substr(0, host.find('.'));
  }
  if (parsed.account.empty()) {
    parsed.account =
        FirstOf(properties, {"adls.account-name", "adls.auth.shared-key.account.name"});
  }
  if (parsed.account.empty() || parsed.container.empty()) {
    return ConfigError(
        "address " + Quote(text) +
        ": expected abfss://container@account.dfs.core.windows.net/path, or adls.account-name set");
  }
  return parsed;
}

Result<arrow::fs::AzureOptions> OptionsFrom(const Properties& properties,
                                            const std::string& account) {
  arrow::fs::AzureOptions options;
  options.account_name = account;
  const std::string endpoint = FirstOf(properties, {"adls.blob-storage-authority"});
  if (!endpoint.empty()) options.blob_storage_authority = options.dfs_storage_authority = endpoint;
  const std::string scheme = FirstOf(properties, {"adls.blob-storage-scheme"});
  if (!scheme.empty()) options.blob_storage_scheme = options.dfs_storage_scheme = scheme;
  const std::string key =
      FirstOf(properties, {"adls.account-key", "adls.auth.shared-key.account.key"});
  const std::string sas =
      FirstOf(properties, {"adls.sas-token." + account + ".dfs.core.windows.net",
                           "adls.sas-token." + account, "adls.sas-token"});
  const std::string client_secret = FirstOf(properties, {"adls.client-secret"});
  arrow::Status configured;
  if (!key.empty()) {
    configured = options.ConfigureAccountKeyCredential(key);
  } else if (!sas.empty()) {
    configured = options.ConfigureSASCredential(sas.starts_with('?') ? sas : "?" + sas);
  } else if (!client_secret.empty()) {
    configured = options.ConfigureClientSecretCredential(FirstOf(properties, {"adls.tenant-id"}),
                                                         FirstOf(properties, {"adls.client-id"}),
                                                         client_secret);
  } else if (ToLower(FirstOf(properties, {"adls.anonymous"})) == "true") {
    configured = options.ConfigureAnonymousCredential();
  } else {
    configured = options.ConfigureDefaultCredential();
  }
  if (!configured.ok())
    return ConfigError("the Azure credentials for account " + Quote(account) + " make no sense");
  return options;
}

/// One of Arrow's file systems for each account. Threads: any.
class Accounts {
 public:
  explicit Accounts(Properties properties) : properties_(std::move(properties)) {}

  Result<ArrowPlace> Resolve(const std::string& text) {
    CALVE_ASSIGN_OR_RETURN(const Uri uri, ParseUri(text));
    CALVE_ASSIGN_OR_RETURN(const Authority authority, Parse(properties_, uri, text));
    std::lock_guard lock(mutex_);
    auto& files = opened_[authority.account];
    if (files == nullptr) {
      CALVE_ASSIGN_OR_RETURN(const auto options, OptionsFrom(properties_, authority.account));
      auto made = arrow::fs::AzureFileSystem::Make(options);
      if (!made.ok())
        return RefusedError("Azure account " + Quote(authority.account) + " cannot be used");
      files = *made;
    }
    return ArrowPlace{
        files, uri.path.empty() ? authority.container : authority.container + "/" + uri.path};
  }

 private:
  const Properties properties_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<arrow::fs::FileSystem>> opened_;
};

/// Every value that may be secret, and what of it could stand in an address.
std::vector<std::string> SecretsOf(const Properties& properties) {
  std::vector<std::string> secrets;
  for (const auto& [key, value] : properties) {
    const bool secret = key.find("key") != std::string::npos ||
                        key.find("secret") != std::string::npos ||
                        key.find("sas-token") != std::string::npos;
    if (!key.starts_with("adls.") || !secret || key.ends_with("account.name")) continue;
    for (const std::string& part : Split(value, '&')) {
      if (part.size() > 8) secrets.push_back(part);
    }
    if (value.size() > 8) secrets.push_back(value);
  }
  return secrets;
}

}  // namespace

CALVE_PART(azure) {
  registry.Add({.name = "azure",
                .schemes = {"abfss", "abfs", "wasbs", "wasb"},
                .open = [](const Properties& properties) -> Result<std::unique_ptr<FileSystem>> {
                  auto accounts = std::make_shared<Accounts>(properties);
                  return std::make_unique<ArrowFiles>(
                      [accounts](const std::string& uri) { return accounts->Resolve(uri); },
                      SecretsOf(properties));
                }});
}

}  // namespace calve::io
