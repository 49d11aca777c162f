#include "io/file_system_set.h"

#include <gtest/gtest.h>

#include "base/context.h"
#include "io/test_folder.h"

namespace calve::io {
namespace {

class CountedKeys : public LiveProperties {
 public:
  Result<std::shared_ptr<const Properties>> Now(const Context&) override {
    ++asked;
    if (fault.has_value()) return *fault;
    return now;
  }
  Result<std::shared_ptr<const Properties>> Renew(
      const Context&, const std::shared_ptr<const Properties>&) override {
    return now;
  }

  int asked = 0;
  std::optional<Error> fault;
  std::shared_ptr<const Properties> now = std::make_shared<const Properties>();
};

TEST(LiveKeys, HoldBelowTheirPrefixAloneAndAreAskedForAtEachUse) {
  OwnedContext context;
  TestFolder folder;
  FileSystemSet set;
  const auto keys = std::make_shared<CountedKeys>();
  const std::string table = "file://" + folder.At("table");
  set.SetLiveProperties(table, keys);
  ASSERT_TRUE(set.WriteFile(*context, table + "/a", "x").ok());
  EXPECT_EQ(keys->asked, 1);
  EXPECT_TRUE(*set.Exists(*context, table + "/a"));
  EXPECT_EQ(keys->asked, 2);
  ASSERT_TRUE(set.WriteFile(*context, table + "2/a", "x").ok());
  EXPECT_EQ(keys->asked, 2);
  keys->fault = RefusedError("no keys any more");
  EXPECT_EQ(set.Exists(*context, table + "/a").error().message, "no keys any more");
  EXPECT_TRUE(set.CapabilitiesFor(table).ok());
  set.SetProperties(table + "/own", {});
  EXPECT_FALSE(*set.Exists(*context, table + "/own/b"));
}

}  // namespace
}  // namespace calve::io
