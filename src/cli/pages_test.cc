#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/audit.h"
#include "catalog/registry.h"
#include "columnar/arrow_status.h"
#include "config/document.h"
#include "config/project.h"
#include "pipeline/job.h"

namespace calve::cli {
namespace {

/// The YAML of a page's example; empty when it has none.
std::string ExampleOf(const std::string& page) {
  const size_t begin = page.find("```yaml\n");
  if (begin == std::string::npos) return "";
  const size_t end = page.find("```", begin + 8);
  return page.substr(begin + 8, end - begin - 8);
}

/// The text with variables in place, as a project's environment would have them.
std::string WithVariables(std::string text) {
  for (size_t at = text.find("${"); at != std::string::npos; at = text.find("${", at)) {
    const size_t end = text.find('}', at);
    text.replace(at, end + 1 - at, "the value of " + text.substr(at + 2, end - at - 2));
  }
  return text;
}

/// Read the example of a page as it stands there, by the shape that the page is of. Gives its tree.
config::Node ExpectSound(const std::string& name, const config::AnyShape& shape,
                         const std::string& type) {
  const std::string page = config::ReferencePage(shape.Describe(), {.type = type});
  config::Faults faults;
  config::Node node = config::ParseYaml(WithVariables(ExampleOf(page)), name, faults);
  if (!type.empty()) node.Remove("type");
  shape.Validate(node, config::Reading{.faults = faults});
  EXPECT_TRUE(faults.ToStatus().ok())
      << faults.ToStatus().error().message << "\nin the example of\n"
      << page;
  EXPECT_FALSE(ExampleOf(page).empty()) << page;
  return node;
}

template <typename Kinds>
void ExpectSoundParts(const std::string& room, const Kinds& kinds) {
  for (const auto& [type, kind] : kinds) ExpectSound(room + "/" + type, *kind.part.shape, type);
}

TEST(ReferencePages, EveryExampleIsAccepted) {
  const auto parts = pipeline::Parts::All();
  catalog::Registry catalogs;
  catalog::RegisterParts(catalogs);
  ExpectSoundParts("source", parts->sources.kinds());
  ExpectSoundParts("transform", parts->transforms.kinds());
  ExpectSoundParts("audit", parts->checks.kinds());
  ExpectSoundParts("load", parts->loaders.kinds());
  ExpectSoundParts("catalog", catalogs.kinds());
}

TEST(ReferencePages, EveryExampleOfAFileIsAccepted) {
  ASSERT_TRUE(columnar::StartArrow().ok());
  const auto parts = pipeline::Parts::All();
  catalog::Registry catalogs;
  catalog::RegisterParts(catalogs);
  ExpectSound("calve.yaml", config::ProjectShape(catalogs.parts()), "");
  ExpectSound("job", pipeline::JobShape(*parts), "");
  // What checks are is known to the contract alone: its shape leaves them open.
  const config::Node contract = ExpectSound("contract", *audit::ContractShape(), "");
  const auto parsed = audit::ParseContract(contract, "sales.daily_sales", parts->checks);
  EXPECT_TRUE(parsed.ok()) << parsed.error().message;
}

}  // namespace
}  // namespace calve::cli
