#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace calve::io {

/// The parts of a file's address; none of them is decoded or normalised.
///
/// `scheme` is empty for plain paths and "file" for file: addresses; `authority` is the bucket,
/// container or host; `path` keeps its leading slash for file and plain addresses and has none for
/// object stores.
struct Uri {
  std::string scheme;
  std::string authority;
  std::string path;
};

/// Take an address apart. Fails with kConfig when it is empty, holds a NUL, or names a remote host
/// with file:.
///
/// Local forms: /abs, relative/path, file:/abs (Java's), file:///abs, file://localhost/abs. Percent
/// sequences stay as they are: `%20` in a path means these three characters.
Result<Uri> ParseUri(std::string_view text);

/// The scheme in lower case, or "" for a plain path. Never fails: what is no address is a plain
/// path.
std::string SchemeOf(std::string_view uri);

/// The address in the one spelling that all names of its place share: local ones as file:///abs,
/// s3a: and s3n: as s3:, without slashes at its end. To compare by, not to open.
std::string OneSpelling(std::string_view uri);

/// Whether `uri` lies below `folder`, however both are spelled. Nothing lies below "".
bool IsBelow(std::string_view uri, std::string_view folder);

/// Put `relative` below `folder` with exactly one slash between them; nothing else changes.
std::string JoinUri(std::string_view folder, std::string_view relative);

/// The address of what a listing of `folder` names `relative`: a slash between them when `folder`
/// ends in none, and every slash of `relative` kept, since "a//b" and "a/b" are two objects of a
/// bucket.
std::string Below(std::string_view folder, std::string_view relative);

/// The address of the folder that holds `uri`, without a trailing slash; "" when there is none.
std::string ParentUri(std::string_view uri);

/// What follows the last slash.
std::string_view BaseName(std::string_view uri);

/// The address as it may be shown: without user information, query and fragment, which can hold
/// secrets.
///
/// Only for http, https and ftp addresses; in all others '?', '#' and '@' are plain characters of a
/// name.
std::string ShownUri(std::string_view uri);

}  // namespace calve::io
