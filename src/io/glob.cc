#include "io/glob.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "io/uri.h"

namespace calve::io {
namespace {

constexpr size_t kAlternativesMax = 1000;
constexpr size_t kPatternBytesMax = 4096;

Error Wrong(std::string_view pattern, const std::string& what) {
  return ConfigError("file pattern " + Quote(pattern) + ": " + what);
}

/// Where the bracket that opens at `open` closes, or npos. A `]` right behind the opening is meant
/// as such.
size_t ClosingBracket(std::string_view text, size_t open) {
  size_t at = open + 1;
  if (at < text.size() && (text[at] == '!' || text[at] == '^')) ++at;
  return text.find(']', at + 1);
}

/// Expand the first `{a,b}` into `out`, and what comes after it in turn.
Status Expand(std::string_view whole, const std::string& text, std::vector<std::string>& out) {
  if (out.size() >= kAlternativesMax) {
    return Wrong(whole, "its braces make more than " + FormatCount(kAlternativesMax) + " patterns");
  }
  for (size_t open = 0; open < text.size(); ++open) {
    if (text[open] == '\\') {
      ++open;
      continue;
    }
    if (text[open] == '[') {
      const size_t close = ClosingBracket(text, open);
      if (close == std::string::npos) return Wrong(whole, "a [ is not closed");
      open = close;
      continue;
    }
    if (text[open] == '}') return Wrong(whole, "a } closes nothing; write \\} for a brace");
    if (text[open] != '{') continue;
    int depth = 0;
    size_t start = open + 1;
    std::vector<std::string> parts;
    size_t at = open;
    for (; at < text.size(); ++at) {
      if (text[at] == '\\') {
        ++at;
      } else if (text[at] == '{') {
        ++depth;
      } else if (text[at] == '}' && --depth == 0) {
        break;
      } else if (text[at] == ',' && depth == 1) {
        parts.push_back(text.substr(start, at - start));
        start = at + 1;
      }
    }
    if (at >= text.size()) return Wrong(whole, "a { is not closed");
    parts.push_back(text.substr(start, at - start));
    for (const std::string& part : parts) {
      CALVE_RETURN_IF_ERROR(Expand(whole, text.substr(0, open) + part + text.substr(at + 1), out));
    }
    return Status::Ok();
  }
  out.push_back(text);
  return Status::Ok();
}

/// Whether one character is in the brackets' set `set` (what stands between them).
bool InSet(std::string_view set, char c) {
  const bool negated = set.starts_with('!') || set.starts_with('^');
  if (negated) set.remove_prefix(1);
  bool found = false;
  const auto byte = static_cast<unsigned char>(c);
  for (size_t i = 0; i < set.size(); ++i) {
    const auto low = static_cast<unsigned char>(set[i]);
    if (i + 2 < set.size() && set[i + 1] == '-') {
      found = found || (low <= byte && byte <= static_cast<unsigned char>(set[i + 2]));
      i += 2;
    } else {
      found = found || low == byte;
    }
  }
  return found != negated;
}

/// Match one pattern character (or set) at `p` against `c`; give where the next one starts, or
/// npos.
size_t MatchOne(std::string_view pattern, size_t p, char c) {
  if (pattern[p] == '?') return p + 1;
  if (pattern[p] == '[') {
    const size_t close = ClosingBracket(pattern, p);
    return InSet(pattern.substr(p + 1, close - p - 1), c) ? close + 1 : std::string_view::npos;
  }
  if (pattern[p] == '\\' && p + 1 < pattern.size()) ++p;
  return pattern[p] == c ? p + 1 : std::string_view::npos;
}

/// Match one name without slashes. Goes back only to the last star, so it takes at most |pattern| *
/// |name| steps.
bool MatchName(std::string_view pattern, std::string_view name) {
  if (name.starts_with('.') && !pattern.starts_with('.') && !pattern.starts_with("\\."))
    return false;
  size_t p = 0;
  size_t n = 0;
  size_t star = std::string_view::npos;
  size_t star_name = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_name = n;
      continue;
    }
    const size_t next = p < pattern.size() ? MatchOne(pattern, p, name[n]) : std::string_view::npos;
    if (next != std::string_view::npos) {
      p = next;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++star_name;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

using Names = std::span<const std::string>;

/// Match a path name by name. With `below`, whether something below the path could still match.
bool MatchPath(Names pattern, Names path, bool below) {
  // reachable[i]: the names of the path taken so far can be matched by the first i names of the
  // pattern.
  std::vector<bool> reachable(pattern.size() + 1);
  reachable[0] = true;
  const auto skip_empty = [&] {
    for (size_t i = 0; i < pattern.size(); ++i) {
      if (reachable[i] && pattern[i] == "**") reachable[i + 1] = true;
    }
  };
  skip_empty();
  for (const std::string& name : path) {
    std::vector<bool> next(pattern.size() + 1);
    for (size_t i = 0; i < pattern.size(); ++i) {
      if (!reachable[i]) continue;
      if (pattern[i] == "**") {
        if (!name.starts_with('.')) next[i] = true;
      } else if (MatchName(pattern[i], name)) {
        next[i + 1] = true;
      }
    }
    reachable = std::move(next);
    skip_empty();
  }
  if (!below) return reachable[pattern.size()];
  return std::find(reachable.begin(), reachable.end() - 1, true) != reachable.end() - 1;
}

std::string Unescaped(std::string_view text) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    plain += text[i];
  }
  return plain;
}

Status CheckNames(std::string_view pattern, const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    if (name.empty()) return Wrong(pattern, "a name between two slashes, or at an end, is empty");
    if (name == "." || name == "..") {
      return Wrong(pattern, "it must stay in its folder, so it can't hold " + Quote(name));
    }
    if (name != "**" && name.find("**") != std::string::npos) {
      return Wrong(pattern, "** must stand alone between slashes, found " + Quote(name));
    }
    for (size_t i = 0; i < name.size(); ++i) {
      if (name[i] == '\\' && ++i == name.size())
        return Wrong(pattern, "it ends in a lone backslash");
      if (name[i] == '[') {
        i = ClosingBracket(name, i);
        if (i == std::string::npos)
          return Wrong(pattern, "a [ is not closed before the next slash");
      }
    }
  }
  return Status::Ok();
}

/// The leading names without a wildcard, leaving at least one name.
std::string LiteralFolder(const std::vector<std::string>& names) {
  std::string folder;
  for (size_t i = 0; i + 1 < names.size() && !HasWildcard(names[i]); ++i) {
    folder = JoinUri(folder, Unescaped(names[i]));
  }
  return folder;
}

/// Walk the folders that may hold matches and collect them.
class GlobWalk {
 public:
  GlobWalk(const Context& context, FileSystem& files, const GlobPattern& pattern,
           const GlobOptions& options)
      : context_(context), files_(files), pattern_(pattern), options_(options) {}

  Status Walk(const std::string& root) {
    root_ = root;
    pending_.push_back(pattern_.literal_folder());
    while (!pending_.empty()) {
      const std::string below = std::move(pending_.back());
      pending_.pop_back();
      CALVE_RETURN_IF_ERROR(WalkOne(below));
    }
    return Status::Ok();
  }

  std::vector<FileInfo> Take() && {
    std::ranges::sort(found_, {}, &FileInfo::uri);
    return std::move(found_);
  }

 private:
  Status WalkOne(const std::string& below) {
    const std::string start = JoinUri(root_, below);
    // At any depth the storage walks by itself: at once, and not around in links to folders.
    Status listed = files_.List(context_, start, {.recursive = pattern_.any_depth()},
                                [&](std::span<const FileInfo> page) -> Result<bool> {
                                  for (const FileInfo& info : page) {
                                    std::string_view path = info.uri;
                                    path.remove_prefix(std::min(path.size(), start.size()));
                                    CALVE_RETURN_IF_ERROR(Take(JoinUri(below, path), info));
                                  }
                                  return true;
                                });
    // A folder may vanish while we walk, and the literal start of a pattern need not be there.
    if (below.empty() || listed.ok() || listed.error().kind != ErrorKind::kNotFound) return listed;
    return Status::Ok();
  }

  Status Take(const std::string& path, const FileInfo& info) {
    if (info.kind == FileKind::kFolder) {
      if (pattern_.MayMatchBelow(path)) pending_.push_back(path);
      return Status::Ok();
    }
    if (!pattern_.Matches(path)) return Status::Ok();
    if (found_.size() == options_.files_max) {
      return RefusedError("more than " + FormatCount(static_cast<int64_t>(options_.files_max)) +
                          " files match below " + Quote(root_) + "; narrow the pattern");
    }
    found_.push_back(info);
    return Status::Ok();
  }

  const Context& context_;
  FileSystem& files_;
  const GlobPattern& pattern_;
  const GlobOptions& options_;
  std::string root_;
  std::vector<std::string> pending_;  // folders to list, relative to the root
  std::vector<FileInfo> found_;
};

}  // namespace

bool HasWildcard(std::string_view text) {
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '*' || text[i] == '?' || text[i] == '[' || text[i] == '{') {
      return true;
    }
  }
  return false;
}

Result<GlobPattern> GlobPattern::Parse(std::string_view pattern) {
  if (pattern.empty()) return Wrong(pattern, "expected a pattern, found nothing");
  if (pattern.size() > kPatternBytesMax) {
    return Wrong(pattern.substr(0, 40),
                 "it is longer than " + FormatCount(kPatternBytesMax) + " bytes");
  }
  std::vector<std::string> expanded;
  CALVE_RETURN_IF_ERROR(Expand(pattern, std::string(pattern), expanded));
  GlobPattern parsed;
  for (const std::string& each : expanded) {
    std::vector<std::string> names = Split(each, '/');
    CALVE_RETURN_IF_ERROR(CheckNames(pattern, names));
    parsed.alternatives_.push_back(std::move(names));
  }
  if (parsed.alternatives_.size() == 1)
    parsed.literal_folder_ = LiteralFolder(parsed.alternatives_[0]);
  parsed.any_depth_ = std::ranges::any_of(parsed.alternatives_, [](const auto& names) {
    return std::ranges::find(names, "**") != names.end();
  });
  return parsed;
}

bool GlobPattern::Matches(std::string_view path) const {
  const std::vector<std::string> names = Split(path, '/');
  return std::ranges::any_of(alternatives_,
                             [&](const auto& pattern) { return MatchPath(pattern, names, false); });
}

bool GlobPattern::MayMatchBelow(std::string_view path) const {
  const std::vector<std::string> names = Split(path, '/');
  return std::ranges::any_of(alternatives_,
                             [&](const auto& pattern) { return MatchPath(pattern, names, true); });
}

Result<std::vector<FileInfo>> Glob(const Context& context, FileSystem& files,
                                   const std::string& folder, std::string_view pattern,
                                   const GlobOptions& options) {
  CALVE_ASSIGN_OR_RETURN(const GlobPattern parsed, GlobPattern::Parse(pattern));
  GlobWalk walk(context, files, parsed, options);
  CALVE_RETURN_IF_ERROR(walk.Walk(folder));
  return std::move(walk).Take();
}

namespace {

struct Parted {
  std::string folder;
  std::string pattern;
};

/// Part an address with wildcards into the folder before them and the pattern.
Result<Parted> PartAtWildcard(const std::string& uri) {
  size_t wildcard = 0;
  while (wildcard < uri.size() && !HasWildcard(uri.substr(0, wildcard + 1))) ++wildcard;
  const size_t slash = uri.rfind('/', wildcard);
  if (slash == std::string::npos) return Parted{".", uri};
  const std::string scheme = SchemeOf(uri);
  if (!scheme.empty() && scheme != "file" && slash < scheme.size() + 3) {
    return ConfigError("address " + Quote(uri) + ": a bucket can't be given by a pattern");
  }
  return Parted{slash == 0 ? "/" : Unescaped(uri.substr(0, slash)), uri.substr(slash + 1)};
}

}  // namespace

Result<std::vector<FileInfo>> FindFiles(const Context& context, FileSystem& files,
                                        const std::string& uri, std::string_view pattern,
                                        const GlobOptions& options) {
  const std::string scheme = SchemeOf(uri);
  const bool web = scheme == "http" || scheme == "https";  // where a ? starts the query
  std::optional<Parted> parted;
  if (!web && HasWildcard(uri)) {
    CALVE_ASSIGN_OR_RETURN(parted, PartAtWildcard(uri));
  }
  auto there = files.Stat(context, uri);
  if (!there.ok() && there.error().kind != ErrorKind::kNotFound) return there.error();
  if (there.ok() && there->kind == FileKind::kFile) {
    return std::vector<FileInfo>{*std::move(there)};
  }
  if (there.ok()) return Glob(context, files, uri, pattern.empty() ? "*" : pattern, options);
  if (!parted) return there.error();
  const std::string whole = pattern.empty() ? parted->pattern : JoinUri(parted->pattern, pattern);
  return Glob(context, files, parted->folder, whole, options);
}

}  // namespace calve::io
