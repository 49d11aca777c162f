#include "source/file_set.h"

#include <algorithm>
#include <map>

#include "base/text.h"
#include "io/glob.h"
#include "source/encoding.h"

namespace calve::source {
namespace {

constexpr int64_t kBlockBytesMin = 4 << 10;
constexpr int64_t kBlockBytesMax = 8 << 20;
/// A reader more is worth its own data file from so many bytes on.
constexpr int64_t kBytesPerReader = 32 << 20;

constexpr std::string_view kState = R"({"version": 1, "kind": "files"})";

/// What tells one content of a file from another.
std::string VersionOf(const io::FileInfo& file) {
  if (!file.etag.empty()) return file.etag;
  const int64_t modified =
      file.modified.has_value() ? file.modified->time_since_epoch().count() : 0;
  return std::to_string(file.size.value()) + "-" + std::to_string(modified);
}

/// The ledger: one line for each file that was read, `version<TAB>address`, sorted by address.
std::map<std::string, std::string> ParseLedger(const std::string& ledger) {
  std::map<std::string, std::string> versions;
  for (const std::string& line : calve::Split(ledger, '\n')) {
    const size_t tab = line.find('\t');
    if (tab != std::string::npos) versions.emplace(line.substr(tab + 1), line.substr(0, tab));
  }
  return versions;
}

std::string PrintLedger(const std::map<std::string, std::string>& versions) {
  std::string ledger;
  for (const auto& [uri, version] : versions) ledger += version + "\t" + uri + "\n";
  return ledger;
}

bool IsRelative(const std::string& path) {
  return !path.starts_with('/') && path.find(':') == std::string::npos;
}

std::string Counted(size_t count, std::string_view noun) {
  return FormatCount(static_cast<int64_t>(count)) + " " + std::string(noun) +
         (count == 1 ? "" : "s");
}

}  // namespace

config::Shape<FileOptions> FileOptions::PlaceDeclaration() {
  config::Shape<FileOptions> shape("file source");
  shape.Required("source_path", &FileOptions::source_path,
                 "Where the files are: a file, a folder, or an address with wildcards; local, "
                 "s3://, gs://, abfss:// or https://.",
                 {.example = "incoming/reports/", .aliases = {"path"}});
  shape.Optional("file_pattern", &FileOptions::file_pattern, "Which files of a folder are read.",
                 {.example = "\"daily_sales_*\""});
  shape.Optional("incremental", &FileOptions::incremental,
                 "Read only files that are new or have changed since the last run.");
  return shape;
}

config::Shape<FileOptions> FileOptions::Declaration() {
  config::Shape<FileOptions> shape = PlaceDeclaration();
  shape.Optional("compression", &FileOptions::compression,
                 "auto (by the first bytes), none, gz, zst, bz2, xz or zip.");
  shape.Check("compression", [](const FileOptions& options) -> Status {
    if (options.compression == "auto") return Status::Ok();
    return io::ParseCompression(options.compression).status();
  });
  return shape;
}

Result<FileSet> FindFileSet(const Context& context, const Resources& resources,
                            const FileOptions& options, const std::optional<Position>& since) {
  std::string place = options.source_path;
  if (IsRelative(place) && !resources.project_folder.empty())
    place = resources.project_folder + "/" + place;
  const Result<std::vector<io::FileInfo>> listed =
      io::FindFiles(context, *resources.files, place, options.file_pattern);
  if (!listed.ok() && listed.error().kind == ErrorKind::kNotFound) {
    return NotFoundError("source_path '" + options.source_path +
                         "' names nothing that is there; mend the path, or put the files there: " +
                         listed.error().message);
  }
  CALVE_RETURN_IF_ERROR(listed);
  const std::vector<io::FileInfo>& found = *listed;
  FileSet set;
  std::map<std::string, std::string> seen;
  if (since.has_value()) {
    if (since->state != kState) {
      return DataError(
          "the position in the table was made by another kind of source (" +
          since->state.substr(0, 80) +
          "); a files source cannot go on from it: give this job another name, or another table");
    }
    seen = ParseLedger(since->ledger);
  }
  size_t seen_before = 0;
  size_t changed = 0;
  for (const io::FileInfo& file : found) {
    const std::string version = VersionOf(file);
    const auto known = seen.find(file.uri);
    if (options.incremental && known != seen.end() && known->second == version) {
      ++seen_before;
      continue;
    }
    if (options.incremental && known != seen.end()) ++changed;
    seen[file.uri] = version;
    set.bytes += file.size;
    set.files.push_back(file);
  }
  set.summary = Counted(set.files.size() - changed, options.incremental ? "new file" : "file");
  // The rows of a changed file are read again, all of them: a person should know.
  if (changed > 0) set.summary += ", " + Counted(changed, "changed file") + " read anew";
  set.summary += ", " + FormatBytes(set.bytes);
  if (seen_before > 0)
    set.summary += " (" + FormatCount(static_cast<int64_t>(seen_before)) + " seen before)";
  set.summary += "   " + options.source_path + options.file_pattern;
  if (options.incremental)
    set.position = Position{.state = std::string(kState), .ledger = PrintLedger(seen)};
  return set;
}

ReadPlan PlanOf(FileSet& set) {
  ReadPlan plan;
  plan.summary = set.summary;
  plan.bytes = set.bytes;
  plan.position = std::move(set.position);
  return plan;
}

std::string NameFiles(const FileSet& set, std::string_view one, std::string_view several) {
  std::string names = ShortName(set.files.front().uri);
  if (set.files.size() > 1) names += " and " + Counted(set.files.size() - 1, "more file");
  return names + " " + std::string(set.files.size() > 1 ? several : one);
}

Status PassOverEmpty(const FileSet& set, const FileOptions& options, const Lack& lack,
                     ReadPlan* plan) {
  const std::string what = set.bytes.value() == 0
                               ? NameFiles(set, "is", "are") + " empty"
                               : NameFiles(set, "has", "have") + " no " + std::string(lack.lacking);
  if (!options.incremental) {
    return DataError(what + "; expected " + std::string(lack.expected) +
                     ": put them there, or leave out what is empty");
  }
  plan->notes.push_back(what + ": there is nothing to read yet");
  return Status::Ok();
}

std::vector<Split> WholeFiles(FileSet& set) {
  std::vector<Split> splits;
  for (io::FileInfo& file : set.files) {
    splits.push_back(
        {.label = ShortName(file.uri), .bytes = file.size, .payload = std::move(file)});
  }
  return splits;
}

TextBlocks::Open OpenText(const Resources& resources, const FileOptions& options,
                          std::string encoding, io::FileInfo file) {
  return [&resources, &options, encoding = std::move(encoding), file = std::move(file)](
             const Context& context) -> Result<std::unique_ptr<io::InputStream>> {
    CALVE_ASSIGN_OR_RETURN(auto bytes, OpenFile(context, resources, options, file));
    return AsUtf8(std::move(bytes), encoding);
  };
}

std::vector<Split> SplitsOfText(const io::FileInfo& file, const PlanOptions& options) {
  const int64_t readers =
      std::clamp<int64_t>(file.size.value() / kBytesPerReader, 1, options.parallelism);
  return std::vector<Split>(static_cast<size_t>(readers),
                            {.label = ShortName(file.uri),
                             .bytes = ByteCount(file.size.value() / readers),
                             .payload = {}});
}

size_t TextBlockBytes(const PlanOptions& options) {
  return static_cast<size_t>(
      std::clamp(options.batch_bytes_max.value(), kBlockBytesMin, kBlockBytesMax));
}

Result<std::vector<Stream>> DiscoverFiles(const Context& context, Source& source,
                                          const FileOptions& options) {
  CALVE_ASSIGN_OR_RETURN(ReadPlan plan, source.Plan(context, {}));
  return std::vector<Stream>{
      {.name = options.source_path + options.file_pattern, .schema = plan.schema}};
}

Result<std::unique_ptr<io::InputStream>> OpenFile(const Context& context,
                                                  const Resources& resources,
                                                  const FileOptions& options,
                                                  const io::FileInfo& file) {
  CALVE_ASSIGN_OR_RETURN(auto input,
                         resources.files->OpenInput(context, file.uri, {.size = file.size}));
  io::StreamOptions stream;
  if (options.compression != "auto") {
    CALVE_ASSIGN_OR_RETURN(stream.compression, io::ParseCompression(options.compression));
  }
  return io::OpenStream(std::move(input), stream);
}

TextPlaces PlacesOf(const Resources& resources, const io::FileInfo& file) {
  return TextPlaces(ShortName(file.uri), resources.first_origins);
}

std::string ShortName(std::string_view uri) {
  std::string name(uri.substr(uri.rfind('/') + 1));
  const bool plain = std::none_of(name.begin(), name.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
  });
  return plain ? name : Quote(name);
}

}  // namespace calve::source
