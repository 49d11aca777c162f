#include <algorithm>

#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/registry.h"
#include "iceberg/snapshot_json.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "add-encryption-key";

class AddEncryptionKeyUpdate : public Update {
 public:
  explicit AddEncryptionKeyUpdate(EncryptedKey key) : key_(std::move(key)) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    std::vector<EncryptedKey>& keys = builder.metadata().encryption_keys;
    const bool known = std::any_of(keys.begin(), keys.end(), [&](const EncryptedKey& other) {
      return other.key_id == key_.key_id;
    });
    if (!known) keys.push_back(key_);
    return Status::Ok();
  }
  std::string ToJson() const override {
    return DumpJson({{"action", kAction}, {"encryption-key", EncryptedKeyToJson(key_)}});
  }

 private:
  EncryptedKey key_;
};

Result<UpdatePtr> Parse(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(const Json* json, object.Require("encryption-key"));
  CALVE_ASSIGN_OR_RETURN(const JsonObject key_object, JsonObject::Of(*json, "encryption-key"));
  CALVE_ASSIGN_OR_RETURN(EncryptedKey key, EncryptedKeyFromJson(key_object));
  return AddEncryptionKey(std::move(key));
}

}  // namespace

UpdatePtr AddEncryptionKey(EncryptedKey key) {
  return std::make_shared<AddEncryptionKeyUpdate>(std::move(key));
}

CALVE_PART(add_encryption_key) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg
