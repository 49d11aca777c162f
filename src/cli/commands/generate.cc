#include <CLI/CLI.hpp>

#include <array>

#include "base/text.h"
#include "cli/print.h"
#include "cli/program.h"
#include "cli/registry.h"
#include "cli/report.h"
#include "config/project.h"

namespace calve::cli {
namespace {

struct GenerateArguments {
  int64_t rows = 1000;
  bool no_null = false;
  std::optional<uint64_t> seed;
  std::string output;
};

constexpr std::array<std::string_view, 12> kFirstNames = {"Ada",    "Grace",    "Linus", "Barbara",
                                                          "Edsger", "Frances",  "Alan",  "Radia",
                                                          "Donald", "Margaret", "Ken",   "Hedy"};
constexpr std::array<std::string_view, 10> kLastNames = {
    "Moreau", "Okafor", "Lindqvist", "Tanaka",  "Silva",
    "Novak",  "Haddad", "Castillo",  "Eriksen", "Banerjee"};
constexpr std::array<std::string_view, 6> kCountries = {"DE", "FR", "BR", "JP", "NG", "SE"};

template <size_t N>
std::string_view Pick(Random& random, const std::array<std::string_view, N>& from) {
  return from[random.Below(N)];
}

/// Customers as a CSV file; unless `no_null`, about a third of the e-mail addresses and a tenth of
/// the amounts are missing.
std::string MakeRows(Random& random, const GenerateArguments& arguments, Timestamp now) {
  std::string text = "id,name,email,country,amount,created_at\n";
  for (int64_t i = 1; i <= arguments.rows; ++i) {
    const std::string first(Pick(random, kFirstNames));
    const std::string last(Pick(random, kLastNames));
    const bool has_email = arguments.no_null || random.Below(10) >= 3;
    const bool has_amount = arguments.no_null || random.Below(10) >= 1;
    const std::string id = std::to_string(random.Below(900'000'000) + 100'000'000);
    const uint64_t cents = random.Below(100'000);
    const std::string amount = std::to_string(cents / 100) + "." + (cents % 100 < 10 ? "0" : "") +
                               std::to_string(cents % 100);
    const Timestamp created = now - std::chrono::seconds(random.Below(30 * 86'400));
    text += id + "," + first + " " + last + ",";
    if (has_email)
      text += ToLower(first) + "." + ToLower(last) + std::to_string(i) + "@example.com";
    text += "," + std::string(Pick(random, kCountries)) + ",";
    if (has_amount) text += amount;
    text += "," + FormatTimestamp(created) + "\n";
  }
  return text;
}

Result<ExitCode> Generate(Program& program, const GenerateArguments& arguments) {
  const Context& context = program.context();
  CALVE_ASSIGN_OR_RETURN(const config::LoadedProject* loaded, program.project());
  Random seeded(arguments.seed.value_or(context.random->Next()));
  const std::string text = MakeRows(seeded, arguments, context.clock->Now());
  std::string place = arguments.output;
  if (place.empty()) {
    std::string folder = loaded->project.source_bucket.empty()
                             ? "incoming"
                             : config::BucketUri(loaded->project.source_bucket);
    if (loaded->project.source_bucket.find('/') != std::string::npos &&
        loaded->project.source_bucket.find(':') == std::string::npos)
      folder = loaded->project.source_bucket;
    place =
        folder + "/customers_" + ToLower(NewRunId(context.clock->Now(), *context.random)) + ".csv";
  }
  const std::string shown = place;
  if (!place.starts_with('/') && place.find(':') == std::string::npos)
    place = program.folder() + "/" + place;
  CALVE_ASSIGN_OR_RETURN(const io::Made made,
                         program.files().EnsureFolder(context, place.substr(0, place.rfind('/'))));
  Report report(program.options.json);
  if (made == io::Made::kNow)
    report.Hint("made", shown.substr(0, shown.rfind('/')) + "   it was missing");
  CALVE_RETURN_IF_ERROR(program.files().WriteFile(context, place, text));
  report.Line("generate",
              Counted(arguments.rows, "row") + "   " +
                  FormatBytes(ByteCount(static_cast<int64_t>(text.size()))) + "   " + shown,
              "file", shown);
  report.Fact("rows", arguments.rows);
  report.Fact("bytes", text.size());
  if (program.options.verbose && !program.options.json)
    Print(text.substr(0, text.find('\n', 200) + 1));
  return report.Done();
}

}  // namespace

CALVE_PART(generate) {
  registry.Add({.name = "generate", .add = [](CLI::App& app, Program& program) {
                  CLI::App* command = app.add_subcommand(
                      "generate",
                      "Make sample rows and put them where files arrive (SOURCE_BUCKET)");
                  auto arguments = std::make_shared<GenerateArguments>();
                  command->add_option("-n,--rows", arguments->rows, "How many rows")
                      ->capture_default_str()
                      ->check(CLI::Range(int64_t{0}, int64_t{100'000'000}));
                  command->add_flag("--no-null", arguments->no_null, "Leave no value out");
                  command->add_option("--seed", arguments->seed, "Make the same rows again");
                  command->add_option("-o,--output", arguments->output,
                                      "The file; a new one in SOURCE_BUCKET (incoming/) otherwise");
                  command->callback([&program, arguments, command] {
                    if (!command->get_subcommands().empty()) return;
                    program.todo = [&program, arguments] { return Generate(program, *arguments); };
                  });
                }});
}

}  // namespace calve::cli
