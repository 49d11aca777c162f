#include "source/adbc/driver.h"

#include <arrow-adbc/adbc_driver_manager.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <vector>

#include "source/adbc/failure.h"

namespace calve::source::adbc {
namespace {

namespace fs = std::filesystem;

/// Folders of the folder `parent` whose names begin so.
std::vector<fs::path> Folders(const fs::path& parent, const std::string& prefix) {
  std::vector<fs::path> found;
  std::error_code failed;
  for (fs::directory_iterator at(parent, failed), end; !failed && at != end; at.increment(failed)) {
    if (at->path().filename().string().starts_with(prefix)) found.push_back(at->path());
  }
  std::sort(found.rbegin(), found.rend());  // The latest Python first.
  return found;
}

/// Where Python keeps packages.
std::vector<fs::path> PackageFolders() {
  std::vector<fs::path> roots;
  if (const char* environment = std::getenv("VIRTUAL_ENV")) roots.emplace_back(environment);
  if (const char* environment = std::getenv("CONDA_PREFIX")) roots.emplace_back(environment);
  if (const char* home = std::getenv("HOME")) roots.push_back(fs::path(home) / ".local");
  roots.emplace_back("/usr/local");
  roots.emplace_back("/usr");
  std::vector<fs::path> folders;
  for (const fs::path& root : roots) {
    for (const fs::path& python : Folders(root / "lib", "python3")) {
      folders.push_back(python / "site-packages");
      folders.push_back(python / "dist-packages");
    }
  }
  return folders;
}

/// "adbc_driver_postgresql" of postgresql, adbc-driver-postgresql and the like.
std::string PackageOf(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name.starts_with("adbc_driver_") ? name : "adbc_driver_" + name;
}

}  // namespace

std::string FindDriver(const std::string& driver, const std::string& folder) {
  if (driver.find('/') != std::string::npos)
    return driver.starts_with('/') || folder.empty() ? driver : folder + "/" + driver;
  if (driver.ends_with(".so")) return driver;
  const std::string package = PackageOf(driver);
  for (const fs::path& packages : PackageFolders()) {
    const fs::path library = packages / package / ("lib" + package + ".so");
    std::error_code failed;
    if (fs::is_regular_file(library, failed)) return library.string();
  }
  return driver;
}

Status CheckDriver(const std::string& library, const std::string& entrypoint,
                   const std::string& driver) {
  AdbcDriver loaded = {};
  Failure failure;
  const AdbcStatusCode status = AdbcFindLoadDriver(
      library.c_str(), entrypoint.empty() ? nullptr : entrypoint.c_str(), ADBC_VERSION_1_1_0,
      ADBC_LOAD_FLAG_DEFAULT, nullptr, &loaded, failure.get());
  if (status == ADBC_STATUS_OK) {
    Failure ignored;
    if (loaded.release != nullptr) (void)loaded.release(&loaded, ignored.get());
    return Status::Ok();
  }
  const std::string said = failure.message();
  const bool has_no_entry =
      said.find("undefined symbol") != std::string::npos && said.find("dlsym") != std::string::npos;
  if (has_no_entry) {
    return ConfigError("the library of the driver " + driver +
                       " has no function to begin with: " + said +
                       "; set entrypoint as the driver's manual has it, or name the library of an "
                       "ADBC driver");
  }
  return ConfigError(
      "cannot load the ADBC driver " + driver + ": " + said +
      "; install its package (pip install " +
      (driver.find('/') == std::string::npos ? PackageOf(driver) : std::string("adbc_driver_...")) +
      "), or set driver to the path of its library");
}

}  // namespace calve::source::adbc
