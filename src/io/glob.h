#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "io/file_system.h"

namespace calve::io {

/// A pattern over paths: `*` and `?` within a name, `**` over folders, `[a-z]`, `[!a-z]`, `{a,b}`,
/// `\` before what is meant as such.
///
/// `**` stands alone between slashes and matches any number of folders, none too. Names that start
/// with a dot are matched only by a pattern that starts with one there. Immutable. Threads: any.
class GlobPattern {
 public:
  /// Fails with kConfig, saying what and where: an open bracket or brace, `..`, an empty name, a
  /// pattern that grows too large.
  static Result<GlobPattern> Parse(std::string_view pattern);

  bool Matches(std::string_view path) const;
  /// Whether a file below the folder `path` could match: false allows to skip it.
  bool MayMatchBelow(std::string_view path) const;
  /// The folders before the first name with a wildcard; "" when there is none.
  const std::string& literal_folder() const { return literal_folder_; }
  /// Whether it matches at any depth: some name of it is `**`.
  bool any_depth() const { return any_depth_; }

 private:
  std::vector<std::vector<std::string>> alternatives_;  // braces expanded; names between slashes
  std::string literal_folder_;
  bool any_depth_ = false;
};

/// Whether the text holds a wildcard that is not escaped.
bool HasWildcard(std::string_view text);

struct GlobOptions {
  size_t files_max = 1'000'000;  ///< More fails with kRefused.
};

/// The files below `folder` whose path relative to it matches, sorted by address.
///
/// Only what may match is listed. A link to a folder is not followed. Nothing outside `folder` is
/// reached.
Result<std::vector<FileInfo>> Glob(const Context& context, FileSystem& files,
                                   const std::string& folder, std::string_view pattern,
                                   const GlobOptions& options = {});

/// The files of one address: the file itself, the files that match when it has wildcards, or those
/// directly in a folder.
///
/// `pattern` (a job's file_pattern, may be empty) chooses among the files of a folder. A file whose
/// own name has wildcard characters wins over the pattern. Fails with kNotFound when the place is
/// not there; a pattern that matches nothing is an empty list.
Result<std::vector<FileInfo>> FindFiles(const Context& context, FileSystem& files,
                                        const std::string& uri, std::string_view pattern = "",
                                        const GlobOptions& options = {});

}  // namespace calve::io
