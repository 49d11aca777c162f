#include "iceberg/json.h"
#include "iceberg/metadata_builder.h"
#include "iceberg/registry.h"
#include "iceberg/update.h"

namespace calve::iceberg {
namespace {

constexpr std::string_view kAction = "remove-encryption-key";

class RemoveEncryptionKeyUpdate : public Update {
 public:
  explicit RemoveEncryptionKeyUpdate(std::string key_id) : key_id_(std::move(key_id)) {}
  std::string_view action() const override { return kAction; }
  Status ApplyTo(MetadataBuilder& builder) const override {
    std::erase_if(builder.metadata().encryption_keys,
                  [&](const EncryptedKey& key) { return key.key_id == key_id_; });
    return Status::Ok();
  }
  std::string ToJson() const override {
    return DumpJson({{"action", kAction}, {"key-id", key_id_}});
  }

 private:
  std::string key_id_;
};

Result<UpdatePtr> Parse(const JsonObject& object) {
  CALVE_ASSIGN_OR_RETURN(std::string key_id, object.Text("key-id"));
  return RemoveEncryptionKey(std::move(key_id));
}

}  // namespace

UpdatePtr RemoveEncryptionKey(std::string key_id) {
  return std::make_shared<RemoveEncryptionKeyUpdate>(std::move(key_id));
}

CALVE_PART(remove_encryption_key) { registry.Add(std::string(kAction), Parse); }

}  // namespace calve::iceberg
