#pragma once

#include <string>

#include "base/result.h"

namespace calve::source::adbc {

/// The library of an ADBC driver by what a person calls it: a path (relative ones begin in
/// `folder`), or a name such as postgresql, adbc_driver_postgresql or adbc-driver-postgresql, which
/// is looked for in Python's packages (the active environment's, then the user's and the machine's).
/// A name that is not found there is given back as it is, for the driver manager to look in its
/// manifests and the loader's folders.
std::string FindDriver(const std::string& driver, const std::string& folder);

/// See that a library is there and is an ADBC driver. Fails with kConfig, naming what to do.
Status CheckDriver(const std::string& library, const std::string& entrypoint,
                   const std::string& driver);

}  // namespace calve::source::adbc
