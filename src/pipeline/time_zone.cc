#include "pipeline/time_zone.h"

#include <unicode/ucal.h>
#include <unicode/uenum.h>

#include <algorithm>
#include <memory>
#include <vector>

#include "base/text.h"
#include "config/fault.h"

namespace calve::pipeline {
namespace {

/// How many zones a hint names.
constexpr size_t kHintsMax = 3;

struct CloseNames {
  void operator()(UEnumeration* names) const { uenum_close(names); }
};

/// Every name that ICU has, the older ones too.
Result<std::vector<std::string>> TimeZones() {
  UErrorCode code = U_ZERO_ERROR;
  const std::unique_ptr<UEnumeration, CloseNames> found(
      ucal_openTimeZoneIDEnumeration(UCAL_ZONE_TYPE_ANY, nullptr, nullptr, &code));
  std::vector<std::string> names;
  while (U_SUCCESS(code) != 0) {
    int32_t length = 0;
    const char* name = uenum_next(found.get(), &length, &code);
    if (name == nullptr) break;
    names.emplace_back(name, static_cast<size_t>(length));
  }
  if (U_FAILURE(code) != 0 || names.empty()) return BugError("ICU tells no time zones");
  std::erase(names, "Etc/Unknown");
  return names;
}

/// The zones that are called so but for upper and lower case, as a whole or by their city: utc, new
/// york.
std::vector<std::string> ZonesCalled(const std::string& name,
                                     const std::vector<std::string>& zones) {
  std::string wanted = ToLower(name);
  std::replace(wanted.begin(), wanted.end(), ' ', '_');
  std::vector<std::string> found;
  for (const std::string& zone : zones) {
    const std::string lower = ToLower(zone);
    const bool of_city = lower.ends_with("/" + wanted) && !lower.starts_with("etc/");
    if ((lower == wanted || of_city) && found.size() < kHintsMax) found.push_back(zone);
  }
  return found;
}

}  // namespace

Status CheckTimeZone(const std::string& name) {
  CALVE_ASSIGN_OR_RETURN(const std::vector<std::string> zones, TimeZones());
  if (std::find(zones.begin(), zones.end(), name) != zones.end()) return Status::Ok();
  const std::vector<std::string> called = ZonesCalled(name, zones);
  const std::string meant =
      called.empty() ? DidYouMean(name, zones) : "; did you mean '" + Join(called, "' or '") + "'?";
  return ConfigError(
      config::QuoteForMessage(name) + " is no time zone" +
      (meant.empty() ? "; write one by its IANA name, such as Europe/Berlin, or UTC" : meant));
}

}  // namespace calve::pipeline
