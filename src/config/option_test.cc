#include "config/option.h"

#include <gtest/gtest.h>

#include "base/time.h"
#include "config/edit.h"

namespace calve::config {
namespace {

enum class WriteMode { kAppend, kOverwrite, kMerge };
Names<WriteMode> NamesOf(WriteMode) {
  return {{"append", WriteMode::kAppend, "Add rows."},
          {"overwrite", WriteMode::kOverwrite},
          {"merge", WriteMode::kMerge}};
}

struct AuthOptions {
  std::string user = "guest";
  std::string password;
  std::vector<AuthOptions> fallbacks;

  static Shape<AuthOptions> Declaration() {
    Shape<AuthOptions> shape("sign-in");
    shape.Optional("user", &AuthOptions::user, "Who signs in.");
    shape.Required("password", &AuthOptions::password, "The password.", {.secret = true});
    shape.Optional("fallbacks", &AuthOptions::fallbacks, "Who else to try.");
    return shape;
  }
};

struct FileOptions {
  std::string source_path;
  bool incremental = false;

  static Shape<FileOptions> Declaration() {
    Shape<FileOptions> shape("file source");
    shape.Required("source_path", &FileOptions::source_path, "Where the files are.",
                   {.example = "s3://incoming/reports/", .aliases = {"path"}});
    shape.Optional("incremental", &FileOptions::incremental, "Read new files only.");
    return shape;
  }
};

struct CsvOptions : FileOptions {
  char delimiter = ',';
  int sample_rows = 1000;
  int64_t skip_rows = 0;
  uint16_t port = 80;
  double ratio = 1.5;
  Fraction share{0.25};
  std::chrono::seconds timeout{30};
  ByteCount split_bytes{64'000'000};
  std::optional<RowCount> limit;
  WriteMode write_mode = WriteMode::kAppend;
  std::vector<WriteMode> modes;
  std::vector<std::string> null_values = {""};
  std::map<std::string, std::string> properties;
  std::vector<std::pair<std::string, int>> widths;
  std::optional<AuthOptions> auth;
  Node extra;
  std::string table;
  std::string query;
  std::string token;

  static Shape<CsvOptions> Declaration() {
    Shape<CsvOptions> shape("csv source", "Read delimited text files.");
    shape.Include(FileOptions::Declaration());
    shape.Optional("delimiter", &CsvOptions::delimiter, "What stands between two values.");
    shape.Optional("sample_rows", &CsvOptions::sample_rows, "Rows to infer types from.",
                   {.min = 1, .max = 100'000});
    shape.Optional("skip_rows", &CsvOptions::skip_rows, "Rows to leave out.");
    shape.Optional("port", &CsvOptions::port, "A port.");
    shape.Optional("ratio", &CsvOptions::ratio, "A ratio.", {.min = 0.5});
    shape.Optional("share", &CsvOptions::share, "A share.", {.max = 1});
    shape.Optional("timeout", &CsvOptions::timeout, "How long to wait.",
                   {.max = std::chrono::hours(1)});
    shape.Optional("split_bytes", &CsvOptions::split_bytes, "Size of a piece.",
                   {.min = ByteCount(1'000'000)});
    shape.Optional("limit", &CsvOptions::limit, "Rows to stop after.");
    shape.Optional("write_mode", &CsvOptions::write_mode, "What happens to rows that are there.");
    shape.Optional("modes", &CsvOptions::modes, "Several modes.");
    shape.Optional("null_values", &CsvOptions::null_values, "Texts that mean NULL.");
    shape.Optional("properties", &CsvOptions::properties, "Any keys.");
    shape.Optional("widths", &CsvOptions::widths, "Width by column.", {.min = 1});
    shape.Optional("auth", &CsvOptions::auth, "How to sign in.");
    shape.Optional("extra", &CsvOptions::extra, "Anything.");
    shape.Optional("table", &CsvOptions::table, "A table.");
    shape.Optional("query", &CsvOptions::query, "A query.");
    shape.Optional("token", &CsvOptions::token, "A token.",
                   {.secret = true, .environment = "CSV_TOKEN"});
    shape.AtMostOneOf({"table", "query"});
    shape.Check("delimiter", [](const CsvOptions& o) -> Status {
      if (o.delimiter == '"') return ConfigError("delimiter can't be the quote; take , or ;");
      return Status::Ok();
    });
    shape.CheckNode([](const CsvOptions& o, const Node& node, Faults& faults) {
      if (o.skip_rows > o.sample_rows)
        faults.Add(node.Find("skip_rows")->place(), "skip_rows is more than sample_rows");
    });
    return shape;
  }
};

struct Outcome {
  CsvOptions options;
  std::string faults;
  std::string warnings;
};

std::string Lines(const std::vector<Fault>& faults) {
  std::string out;
  for (const Fault& fault : faults) {
    out += (out.empty() ? "" : "\n") +
           (fault.place.line > 0
                ? std::to_string(fault.place.line) + ":" + std::to_string(fault.place.column) + " "
                : "") +
           fault.Sentence();
  }
  return out;
}

Outcome Read(std::string_view text, Environment environment = {}) {
  Faults faults;
  Node node = ParseYaml(text, "job.yaml", faults);
  FillIn(node, environment, faults);
  CsvOptions options = CsvOptions::Declaration().Read(node, {faults, &environment});
  return {options, Lines(faults.Sorted()), Lines(faults.SortedWarnings())};
}

/// The fault of one more key beside a complete source_path.
std::string FaultOf(std::string_view line) {
  return Read("source_path: x\n" + std::string(line) + "\n").faults;
}

TEST(Option, EveryTypeIsRead) {
  const Outcome outcome = Read(R"(
source_path: s3://a/b
incremental: true
delimiter: ";"
sample_rows: +50
skip_rows: 7
port: 65535
ratio: 2.5e1
share: 12.5%
timeout: 1m30s
split_bytes: 1.5GiB
limit: 10
write_mode: merge
modes: [append, merge]
null_values: [NA, null, ~, "", 5]
properties: {s3.endpoint: http://x, n: 1, empty: }
widths: {b: 2, a: 1}
auth: {password: hunter2, fallbacks: [{password: abc}]}
extra: {any: [thing]}
)");
  EXPECT_EQ(outcome.faults, "");
  const CsvOptions& o = outcome.options;
  EXPECT_EQ(o.source_path, "s3://a/b");
  EXPECT_TRUE(o.incremental);
  EXPECT_EQ(o.delimiter, ';');
  EXPECT_EQ(o.sample_rows, 50);
  EXPECT_EQ(o.port, 65535);
  EXPECT_EQ(o.ratio, 25.0);
  EXPECT_EQ(o.share.value, 0.125);
  EXPECT_EQ(o.timeout, std::chrono::seconds(90));
  EXPECT_EQ(o.split_bytes, ByteCount(1'610'612'736));
  EXPECT_EQ(o.limit, RowCount(10));
  EXPECT_EQ(o.write_mode, WriteMode::kMerge);
  EXPECT_EQ(o.modes, (std::vector{WriteMode::kAppend, WriteMode::kMerge}));
  EXPECT_EQ(o.null_values, (std::vector<std::string>{"NA", "null", "~", "", "5"}));
  EXPECT_EQ(o.properties, (std::map<std::string, std::string>{
                              {"s3.endpoint", "http://x"}, {"n", "1"}, {"empty", ""}}));
  EXPECT_EQ(o.widths, (std::vector<std::pair<std::string, int>>{{"b", 2}, {"a", 1}}));
  EXPECT_EQ(o.auth->user, "guest");
  EXPECT_EQ(o.auth->fallbacks.at(0).password, "abc");
  EXPECT_EQ(ToFlowYaml(o.extra), "{any: [thing]}");
}

TEST(Option, WhatIsNotGivenKeepsItsDefault) {
  for (const char* text :
       {"source_path: x",
        "source_path: x\ndelimiter:\ntimeout: ~\nnull_values: null\nauth:\nextra:\n"}) {
    const Outcome outcome = Read(text);
    EXPECT_EQ(outcome.faults, "");
    EXPECT_EQ(outcome.options.delimiter, ',');
    EXPECT_EQ(outcome.options.timeout, std::chrono::seconds(30));
    EXPECT_EQ(outcome.options.null_values, std::vector<std::string>{""});
    EXPECT_FALSE(outcome.options.auth.has_value());
    EXPECT_FALSE(outcome.options.limit.has_value());
  }
}

TEST(Option, AllFaultsComeAtOnceByPlace) {
  Faults faults;
  Environment environment;
  Node node = ParseYaml("sorce_path: x\nwrite_mode: mrege\n\ntimeout: 10\ntoken: ${SALES_TOKEN}\n",
                        "config/jobs/daily_sales.yaml", faults);
  FillIn(node, environment, faults);
  (void)CsvOptions::Declaration().Read(node, {faults, &environment});
  EXPECT_EQ(faults.Render(),
            "config/jobs/daily_sales.yaml:1:1    unknown key 'sorce_path' of a csv source; did you "
            "mean 'source_path'?\n"
            "config/jobs/daily_sales.yaml:2:13   'mrege' is no write_mode; one of append, "
            "overwrite, merge\n"
            "config/jobs/daily_sales.yaml:4:10   timeout is a duration of at most 1h such as 30s, "
            "5m or 2d, not '10'; add a unit: "
            "10s, 10m\n"
            "config/jobs/daily_sales.yaml:5:8    ${SALES_TOKEN} is not set; set it, or write "
            "${SALES_TOKEN:-default}\n"
            "4 faults, nothing was run.");
  EXPECT_EQ(faults.ToStatus().error().kind, ErrorKind::kConfig);
}

TEST(Option, UnknownKeysNameTheNearest) {
  EXPECT_EQ(FaultOf("delimeter: x"),
            "2:1 unknown key 'delimeter' of a csv source; did you mean 'delimiter'?");
  EXPECT_EQ(FaultOf("zzz: 1"), "2:1 unknown key 'zzz' of a csv source");
  EXPECT_EQ(FaultOf("auth: {password: x, zzz: 1}"),
            "2:21 unknown key 'zzz' of a sign-in; known are user, password, fallbacks");
  EXPECT_EQ(FaultOf("\"a\\e[31m\\nb\": 1"), "2:1 unknown key 'a\\x1b[31m\\nb' of a csv source");
}

TEST(Option, ManyUnknownKeysCostLittle) {
  std::string text = "source_path: x\n";
  for (int i = 0; i < 20'000; ++i) text += std::string(180, 'k') + std::to_string(i) + ": 1\n";
  Faults faults;
  (void)ReadYaml(CsvOptions::Declaration(), text, "f", {}, faults);
  EXPECT_EQ(faults.size(), 20'000u);
}

TEST(Option, MissingKeysSayWhatToWrite) {
  EXPECT_EQ(Read("incremental: true").faults,
            "1:1 key 'source_path' of a csv source is missing; write, for example, source_path: "
            "s3://incoming/reports/");
  EXPECT_EQ(Read("source_path:\n").faults,
            "1:13 key 'source_path' of a csv source is empty; write, for example, source_path: "
            "s3://incoming/reports/");
  EXPECT_EQ(Read("source_path: ''\n").faults,
            "1:14 key 'source_path' of a csv source is empty; it says where the files are");
  EXPECT_EQ(FaultOf("auth: {user: x}"),
            "2:7 key 'password' of a sign-in is missing; it says the password");
  EXPECT_EQ(Read("").faults,
            "1:1 key 'source_path' of a csv source is missing; write, for example, source_path: "
            "s3://incoming/reports/");
}

TEST(Option, WrongShapesSayWhatIsExpected) {
  EXPECT_EQ(Read("[a]").faults,
            "1:1 a csv source is a mapping of keys to values, not a list; write its keys as 'key: "
            "value' lines, indented");
  EXPECT_EQ(Read("text").faults,
            "1:1 a csv source is a mapping of keys to values, not a single value; write its keys "
            "as 'key: value' lines, indented");
  EXPECT_EQ(FaultOf("null_values: NA"),
            "2:14 null_values is a list of texts, not 'NA'; write [NA]");
  EXPECT_EQ(FaultOf("null_values: {a: b}"), "2:14 null_values is a list of texts, not a mapping");
  EXPECT_EQ(FaultOf("null_values: [[a]]"),
            "2:15 item of null_values is a text, not a list; put a text that begins with [ or { in "
            "quotes");
  EXPECT_EQ(FaultOf("properties: [a]"),
            "2:13 properties is a mapping of names to texts, not a list");
  EXPECT_EQ(FaultOf("widths: {a: 1, b: x, c: 0}"),
            "2:19 widths.b is a whole number of at least 1, not 'x'\n2:25 widths.c is a whole "
            "number of at least 1, not '0'");
  EXPECT_EQ(FaultOf("delimiter: [;]"),
            "2:12 delimiter is one character, not a list; write it in quotes, or tab for a tab");
  EXPECT_EQ(FaultOf("table: {a: b}"),
            "2:8 table is a text, not a mapping; put a text that begins with [ or { in quotes");
}

TEST(Option, BooleansAreTrueOrFalseOnly) {
  EXPECT_TRUE(Read("source_path: x\nincremental: True").options.incremental);
  EXPECT_TRUE(Read("source_path: x\nincremental: 'true'").options.incremental);
  EXPECT_EQ(FaultOf("incremental: yes"), "2:14 incremental is true or false, not 'yes'");
  EXPECT_EQ(FaultOf("incremental: 1"), "2:14 incremental is true or false, not '1'");
  EXPECT_EQ(FaultOf("incremental: []"), "2:14 incremental is true or false, not a list");
}

TEST(Option, IntegersAreExactAndInRange) {
  EXPECT_EQ(FaultOf("sample_rows: abc"),
            "2:14 sample_rows is a whole number from 1 to 100000, not 'abc'");
  EXPECT_EQ(FaultOf("sample_rows: 0"),
            "2:14 sample_rows is a whole number from 1 to 100000, not '0'");
  EXPECT_EQ(FaultOf("sample_rows: 1.0"),
            "2:14 sample_rows is a whole number from 1 to 100000, not '1.0'");
  EXPECT_EQ(FaultOf("sample_rows: 1e3"),
            "2:14 sample_rows is a whole number from 1 to 100000, not '1e3'");
  EXPECT_EQ(FaultOf("sample_rows: +-5"),
            "2:14 sample_rows is a whole number from 1 to 100000, not '+-5'");
  EXPECT_EQ(FaultOf("port: 65536"), "2:7 port is a whole number from 0 to 65535, not '65536'");
  EXPECT_EQ(FaultOf("port: -1"), "2:7 port is a whole number from 0 to 65535, not '-1'");
  EXPECT_EQ(FaultOf("skip_rows: 9223372036854775808"),
            "2:12 skip_rows is a whole number from -9223372036854775808 to 9223372036854775807, "
            "not '9223372036854775808'");
  EXPECT_EQ(FaultOf("skip_rows: twelve"), "2:12 skip_rows is a whole number, not 'twelve'");
  EXPECT_EQ(FaultOf("port: x"), "2:7 port is a whole number of at least 0, not 'x'");
  EXPECT_EQ(FaultOf("limit: -1"),
            "2:8 limit is a whole number from 0 to 9223372036854775807, not '-1'");
}

TEST(Option, NumbersAndSharesAreFiniteAndInRange) {
  EXPECT_EQ(FaultOf("ratio: 0.4"), "2:8 ratio is a number of at least 0.5, not '0.4'");
  EXPECT_EQ(FaultOf("ratio: .inf"), "2:8 ratio is a number of at least 0.5, not '.inf'");
  EXPECT_EQ(FaultOf("ratio: inf"), "2:8 ratio is a number of at least 0.5, not 'inf'");
  EXPECT_EQ(FaultOf("ratio: nan"), "2:8 ratio is a number of at least 0.5, not 'nan'");
  EXPECT_EQ(FaultOf("ratio: 1e999"), "2:8 ratio is a number of at least 0.5, not '1e999'");
  EXPECT_EQ(FaultOf("share: 101%"),
            "2:8 share is a share of at most 1 such as 0.5 or 50%, not '101%'");
  EXPECT_EQ(FaultOf("share: -5%"),
            "2:8 share is a share of at most 1 such as 0.5 or 50%, not '-5%'");
  EXPECT_EQ(FaultOf("share: '%'"), "2:8 share is a share of at most 1 such as 0.5 or 50%, not '%'");
  EXPECT_EQ(Read("source_path: x\nshare: 1").options.share.value, 1.0);
}

struct DurationHolder {
  Duration value{};
  std::chrono::hours hours{};
  static Shape<DurationHolder> Declaration() {
    Shape<DurationHolder> shape("holder");
    shape.Optional("value", &DurationHolder::value, "A duration.");
    shape.Optional("hours", &DurationHolder::hours, "Hours.");
    return shape;
  }
};

TEST(Option, DurationsAreExact) {
  const auto read = [](const std::string& text) -> std::optional<int64_t> {
    Node node = Node::Mapping();
    node.Set("value", Node::Scalar(text, true));
    const Result<DurationHolder> holder = DurationHolder::Declaration().Parse(node);
    if (!holder.ok()) return std::nullopt;
    return holder->value.count();
  };
  EXPECT_EQ(read("10s"), 10'000'000);
  EXPECT_EQ(read("500ms"), 500'000);
  EXPECT_EQ(read("7us"), 7);
  EXPECT_EQ(read("1h30m"), 5'400'000'000);
  EXPECT_EQ(read("1h 30m"), 5'400'000'000);
  EXPECT_EQ(read("2d"), 172'800'000'000);
  EXPECT_EQ(read("1w"), 604'800'000'000);
  EXPECT_EQ(read("0.1s"), 100'000);
  EXPECT_EQ(read("1.5h"), 5'400'000'000);
  EXPECT_EQ(read("0"), 0);
  for (const char* bad : {"10", "s", "10x", "10 s s", "1.s", ".5s", "-1s", "1e3s", "0.5us",
                          "99999999999999d", "1..5s", " ", "10S", "106751991d106751991d", "1s,"}) {
    EXPECT_EQ(read(bad), std::nullopt) << bad;
  }
  Node node = Node::Mapping();
  node.Set("hours", Node::Scalar("90m"));
  EXPECT_EQ(DurationHolder::Declaration().Parse(node).error().message,
            "hours is a duration in steps of 1h, not '90m'\n1 fault, nothing was run.");
}

TEST(Option, SizesAreExact) {
  const auto read = [](const std::string& text) {
    const Outcome outcome = Read("source_path: x\nsplit_bytes: '" + text + "'");
    return outcome.faults.empty() ? outcome.options.split_bytes.value() : -1;
  };
  EXPECT_EQ(read("64MB"), 64'000'000);
  EXPECT_EQ(read("64 MB"), 64'000'000);
  EXPECT_EQ(read("1GiB"), 1'073'741'824);
  EXPECT_EQ(read("2TB"), 2'000'000'000'000);
  EXPECT_EQ(read("2000kB"), 2'000'000);
  EXPECT_EQ(read("2000KB"), 2'000'000);
  EXPECT_EQ(read("1000000"), 1'000'000);
  EXPECT_EQ(read("1000000B"), 1'000'000);
  for (const char* bad : {"64", "1kB", "64M", "64mb", "MB", "-64MB", "64MB 1kB", "1.1B",
                          "99999999999TB", "1e9", "0x100000"}) {
    EXPECT_EQ(read(bad), -1) << bad;
  }
  EXPECT_EQ(FaultOf("split_bytes: 10kB"),
            "2:14 split_bytes is a size of at least 1MB such as 64MB or 1GiB, not '10kB'");
}

TEST(Option, NamesListWhatIsKnown) {
  EXPECT_EQ(FaultOf("write_mode: mrege"),
            "2:13 'mrege' is no write_mode; one of append, overwrite, merge");
  EXPECT_EQ(FaultOf("write_mode: MERGE"),
            "2:13 'MERGE' is no write_mode; one of append, overwrite, merge");
  EXPECT_EQ(FaultOf("modes: [append, apend, zap]"),
            "2:17 'apend' is no item of modes; one of append, overwrite, merge\n"
            "2:24 'zap' is no item of modes; one of append, overwrite, merge");
}

TEST(Option, CharactersMayBeNamed) {
  EXPECT_EQ(Read("source_path: x\ndelimiter: tab").options.delimiter, '\t');
  EXPECT_EQ(Read("source_path: x\ndelimiter: \"\\t\"").options.delimiter, '\t');
  EXPECT_EQ(Read("source_path: x\ndelimiter: '\\t'").options.delimiter, '\t');
  EXPECT_EQ(FaultOf("delimiter: ab"),
            "2:12 delimiter is one character, not 'ab'; write it in quotes, or tab for a tab");
  EXPECT_EQ(FaultOf("delimiter: ü"),
            "2:12 delimiter is one character, not 'ü'; write it in quotes, or tab for a tab");
}

TEST(Option, OlderNamesAreReadWithAWarning) {
  const Outcome outcome = Read("path: x");
  EXPECT_EQ(outcome.faults, "");
  EXPECT_EQ(outcome.options.source_path, "x");
  EXPECT_EQ(outcome.warnings, "1:1 'path' is the older name of 'source_path'; rename it");
  EXPECT_EQ(Read("path: x\nsource_path: y").faults,
            "2:1 'source_path' is given twice, once under another name; remove one");
}

TEST(Option, ChecksAreFaultsAtTheirValue) {
  EXPECT_EQ(FaultOf("delimiter: '\"'"), "2:12 delimiter can't be the quote; take , or ;");
  EXPECT_EQ(FaultOf("delimiter: xx"),
            "2:12 delimiter is one character, not 'xx'; write it in quotes, or tab for a tab");
  EXPECT_EQ(FaultOf("sample_rows: 5\nskip_rows: 6"), "3:12 skip_rows is more than sample_rows");
  EXPECT_EQ(FaultOf("sample_rows: 5\nskip_rows: 6\nport: x"),
            "4:7 port is a whole number of at least 0, not 'x'");
}

TEST(Option, GroupsAllowOneKey) {
  EXPECT_EQ(FaultOf("table: a"), "");
  EXPECT_EQ(FaultOf("query: b\ntable: a"),
            "3:1 'table' and 'query' can't be given together; keep one");
  struct Either {
    std::string a, b;
  };
  Shape<Either> shape("either");
  shape.Optional("table", &Either::a, "A.")
      .Optional("query", &Either::b, "B.")
      .ExactlyOneOf({"table", "query"});
  EXPECT_EQ(shape.Parse(Node::Mapping()).error().message,
            "an either needs 'table' or 'query'; add one\n1 fault, nothing was run.");
  Node misspelt = Node::Mapping();
  misspelt.Set("tabel", Node::Scalar("x"));
  EXPECT_EQ(shape.Parse(misspelt).error().message,
            "unknown key 'tabel' of an either; did you mean 'table'?\n1 fault, nothing was run.");
}

TEST(Option, SecretsNeverComeIntoMessages) {
  struct Secrets {
    int pin = 0;
    WriteMode mode = WriteMode::kAppend;
    std::vector<std::string> list;
    std::string password;
    std::string url;
  };
  Shape<Secrets> shape("secrets");
  shape.Optional("pin", &Secrets::pin, "A pin.", {.secret = true});
  shape.Optional("mode", &Secrets::mode, "A mode.", {.secret = true});
  shape.Optional("list", &Secrets::list, "A list.", {.secret = true});
  shape.Optional("password", &Secrets::password, "A password.", {.secret = true});
  shape.Optional("url", &Secrets::url, "A URL.");
  shape.Check("url", [](const Secrets& s) -> Status {
    return ConfigError("can't reach http://user:" + s.password + "@" + s.url);
  });
  const Result<Node> node = ParseYaml(
      "url: hunter2.example\npin: secretpin\nmode: secretmode\nlist: secretlist\npassword: "
      "hunter2\n",
      "f");
  EXPECT_EQ(shape.Parse(*node).error().message,
            "f:1:6   can't reach http://user:***@***.example\n"
            "f:2:6   pin is a whole number, not what is given\n"
            "f:3:7   what is given is no mode; one of append, overwrite, merge\n"
            "f:4:7   list is a list of texts, not what is given\n"
            "4 faults, nothing was run.");
}

TEST(Option, FilledInValuesAreShownAsWritten) {
  const Environment environment{
      .variables = {{"PORT", "topsecret"}, {"MODE", "othersecret"}, {"CSV_TOKEN", ""}}};
  EXPECT_EQ(Read("source_path: x\nport: ${PORT}\nwrite_mode: ${MODE}\n", environment).faults,
            "2:7 port is a whole number of at least 0, not what '${PORT}' holds\n"
            "3:13 what '${MODE}' holds is no write_mode; one of append, overwrite, merge");
}

TEST(Option, AMissingVariableIsOneFaultWhateverReadsIt) {
  EXPECT_EQ(Read("source_path: ${A}\nport: ${B}\nwrite_mode: ${C}\nnull_values: ['${D}']\nwidths: "
                 "{a: '${E}'}\nauth: ${F}\n"
                 "delimiter: ${G}\ntimeout: ${H}\n")
                .faults,
            "1:14 ${A} is not set; set it, or write ${A:-default}\n"
            "2:7 ${B} is not set; set it, or write ${B:-default}\n"
            "3:13 ${C} is not set; set it, or write ${C:-default}\n"
            "4:15 ${D} is not set; set it, or write ${D:-default}\n"
            "5:13 ${E} is not set; set it, or write ${E:-default}\n"
            "6:7 ${F} is not set; set it, or write ${F:-default}\n"
            "7:12 ${G} is not set; set it, or write ${G:-default}\n"
            "8:10 ${H} is not set; set it, or write ${H:-default}");
}

TEST(Option, ASyntaxErrorStandsAlone) {
  Faults faults;
  (void)ReadYaml(CsvOptions::Declaration(), "port: [\n", "f", {}, faults);
  EXPECT_EQ(faults.size(), 1u);
  Faults more;
  (void)ReadYaml(CsvOptions::Declaration(), "source_path: *x\nport: y\nport: 1\n", "f", {}, more);
  EXPECT_EQ(Lines(more.Sorted()),
            "1:14 *x refers to no &x before it; an alias starts with *; put a text that begins "
            "with * in quotes\n"
            "2:7 port is a whole number of at least 0, not 'y'\n"
            "3:1 key 'port' is given twice, first in line 2; remove one");
}

TEST(Option, AnEmptyVariableIsNotGiven) {
  const Environment environment{.variables = {{"EMPTY", ""}, {"NULL", "null"}}};
  const Outcome outcome =
      Read("source_path: ${NULL}\nport: ${EMPTY}\ntimeout: ${MISSING:-}\n", environment);
  EXPECT_EQ(outcome.faults, "");
  EXPECT_EQ(outcome.options.source_path, "null");
  EXPECT_EQ(outcome.options.port, 80);
  EXPECT_EQ(outcome.options.timeout, std::chrono::seconds(30));
}

TEST(Option, TheEnvironmentGivesDefaults) {
  const Environment environment{.variables = {{"CSV_TOKEN", "abcdef"}}};
  EXPECT_EQ(Read("source_path: x", environment).options.token, "abcdef");
  EXPECT_EQ(Read("source_path: x\ntoken: own", environment).options.token, "own");
  EXPECT_EQ(Read("source_path: x\ntoken:", environment).options.token, "abcdef");
  EXPECT_EQ(Read("source_path: x", {.variables = {{"CSV_TOKEN", ""}}}).options.token, "");
}

struct NestedEnvironment {
  struct Inner {
    std::string token;
    static Shape<Inner> Declaration() {
      Shape<Inner> shape("inner");
      shape.Optional("token", &Inner::token, "A token.", {.environment = "INNER_TOKEN"});
      return shape;
    }
  };
  Inner inner;
  static Shape<NestedEnvironment> Declaration() {
    Shape<NestedEnvironment> shape("outer");
    shape.Optional("inner", &NestedEnvironment::inner, "Inner.");
    return shape;
  }
};

TEST(Option, TheEnvironmentReachesMappingsThatAreNotGiven) {
  const Environment environment{.variables = {{"INNER_TOKEN", "abcdef"}}};
  EXPECT_EQ(NestedEnvironment::Declaration().Parse(Node::Mapping(), &environment)->inner.token,
            "abcdef");
  EXPECT_EQ(NestedEnvironment::Declaration().Parse(Node::Mapping())->inner.token, "");
}

TEST(Option, WrittenOptionsReadBackAsTheSame) {
  const Outcome outcome = Read(
      "source_path: a\ndelimiter: ;\nsample_rows: 5\nratio: 0.75\nshare: 30%\ntimeout: "
      "90s\nsplit_bytes: 128MiB\nlimit: 3\n"
      "write_mode: merge\nmodes: [merge]\nnull_values: [NA, 'null']\nproperties: {a: '1'}\nwidths: "
      "{b: 1, a: 2}\n"
      "auth: {password: abcd}\nextra: [1, {b: c}]\n");
  ASSERT_EQ(outcome.faults, "");
  const Shape<CsvOptions> shape = CsvOptions::Declaration();
  const Node written = shape.Write(outcome.options);
  EXPECT_EQ(ToFlowYaml(written),
            "{source_path: a, delimiter: ;, sample_rows: 5, ratio: 0.75, share: 0.3, timeout: "
            "1m30s, split_bytes: 128MiB, limit: 3, "
            "write_mode: merge, modes: [merge], null_values: [NA, \"null\"], properties: {a: "
            "\"1\"}, widths: {b: 1, a: 2}, "
            "auth: {password: abcd}, extra: [1, {b: c}]}");
  const Result<CsvOptions> again = shape.Parse(*ParseYaml(ToYaml(written), "again"));
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_TRUE(shape.Write(*again).SameAs(written));
}

struct Holder {
  FileOptions file;
  int extra = 0;
};

TEST(Option, AStructThatIsHeldCanLendItsKeys) {
  Shape<Holder> shape("holder");
  shape.Include(&Holder::file, FileOptions::Declaration());
  shape.Optional("extra", &Holder::extra, "More.");
  const Result<Holder> holder =
      shape.Parse(*ParseYaml("source_path: x\nincremental: true\nextra: 5", "f"));
  ASSERT_TRUE(holder.ok());
  EXPECT_EQ(holder->file.source_path, "x");
  EXPECT_TRUE(holder->file.incremental);
  EXPECT_EQ(holder->extra, 5);
}

struct Job {
  PartOptions source;
  PartOptions loader;
  std::vector<PartOptions> transformers;
  std::map<std::string, PartOptions> catalogs;
};

struct NoOptions {
  static Shape<NoOptions> Declaration() { return Shape<NoOptions>("inline source"); }
};

Shape<Job> JobShape() {
  const auto sources = std::make_shared<Parts>();
  sources->noun = "source";
  sources->parts = {MakePart<CsvOptions>("csv"), MakePart<NoOptions>("inline")};
  sources->families = {{"file", "format"}};
  sources->key_aliases = {"kind"};
  const auto loaders = std::make_shared<Parts>(*sources);
  loaders->noun = "loader";
  loaders->default_name = "inline";
  Shape<Job> shape("job");
  shape.Required("source", &Job::source, "Where data is.", {.parts = sources});
  shape.Optional("loader", &Job::loader, "Where data goes.", {.parts = loaders});
  shape.Optional("transformers", &Job::transformers, "What is done.", {.parts = sources});
  shape.Optional("catalogs", &Job::catalogs, "Catalogs.", {.parts = sources});
  return shape;
}

std::string JobFaults(std::string_view text) {
  Faults faults;
  const Node node = ParseYaml(text, "f", faults);
  (void)JobShape().Read(node, {faults});
  return Lines(faults.Sorted());
}

TEST(Parts, AreCheckedByTheirOwnShapeAndReadLater) {
  const Result<Node> node =
      ParseYaml("source: {type: csv, source_path: x, delimiter: ';'}\nloader: {}\n", "f");
  const Result<Job> job = JobShape().Parse(*node);
  ASSERT_TRUE(job.ok()) << job.error().message;
  EXPECT_EQ(job->source.type, "csv");
  EXPECT_EQ(ToFlowYaml(job->source.node), "{source_path: x, delimiter: ;}");
  EXPECT_EQ(CsvOptions::Declaration().Parse(job->source.node)->delimiter, ';');
  EXPECT_EQ(job->loader.type, "inline");
  EXPECT_EQ(ToFlowYaml(JobShape().Write(*job)),
            "{source: {type: csv, source_path: x, delimiter: ;}, loader: {type: inline}}");
}

TEST(Parts, WhatTheEnvironmentGivesIsInTheOptions) {
  const Environment environment{.variables = {{"CSV_TOKEN", "abcdef"}}};
  const Result<Job> job =
      JobShape().Parse(*ParseYaml("source: {type: csv, source_path: x}", "f"), &environment);
  ASSERT_TRUE(job.ok()) << job.error().message;
  EXPECT_EQ(CsvOptions::Declaration().Parse(job->source.node)->token, "abcdef");
  EXPECT_EQ(job->source.node.Find("token")->written(), "${CSV_TOKEN}");
}

TEST(Parts, FaultsInAPartHaveTheirPlace) {
  EXPECT_EQ(JobFaults("source:\n  type: csv\n  sorce_path: x\n  port: y\ntransformers: [{type: "
                      "inline, a: 1}]\ncatalogs: {m: {type: "
                      "inline, b: 2}}\n"),
            "3:3 unknown key 'sorce_path' of a csv source; did you mean 'source_path'?\n"
            "4:9 port is a whole number of at least 0, not 'y'\n"
            "5:31 unknown key 'a' of an inline source; it takes no keys\n"
            "6:30 unknown key 'b' of an inline source; it takes no keys");
}

TEST(Parts, UnknownTypesNameTheNearest) {
  EXPECT_EQ(JobFaults("source: {type: cvs}"), "1:16 'cvs' is no source; did you mean 'csv'?");
  EXPECT_EQ(JobFaults("source: {type: xyz}"), "1:16 'xyz' is no source; one of csv, inline, file");
  EXPECT_EQ(JobFaults("source: {type: [a]}"), "1:16 a list is no source; one of csv, inline, file");
  EXPECT_EQ(JobFaults("source: {source_path: x}"),
            "1:9 key 'type' of source is missing; one of csv, inline");
  EXPECT_EQ(JobFaults("source: csv"),
            "1:9 source is a mapping with a 'type', not 'csv'; write {type: csv}");
  EXPECT_EQ(JobFaults("source: [csv]"), "1:9 source is a mapping with a 'type', not a list");
}

TEST(Parts, FamiliesAndOlderKeysNameAType) {
  EXPECT_EQ(JobFaults("source: {type: file, format: csv, source_path: x}"), "");
  EXPECT_EQ(JobFaults("source: {kind: csv, source_path: x}"), "");
  EXPECT_EQ(JobFaults("source: {type: file, source_path: x}"),
            "1:16 source of type file needs 'format'; add it, or name the type itself");
  EXPECT_EQ(JobFaults("source: {type: file, format: cvs, source_path: x}"),
            "1:30 'cvs' is no source; did you mean 'csv'?");
}

TEST(Edit, PathsSetAndFindValues) {
  Node root = *ParseYaml("source: {type: csv}\nlist: [{a: 1}, {a: 2}]\ntext: x", "f");
  ASSERT_TRUE(SetPath(root, "source.source_path", Node::Scalar("y")).ok());
  ASSERT_TRUE(SetPath(root, "new.deep.key", Node::Scalar("z")).ok());
  ASSERT_TRUE(SetPath(root, "list.1.a", Node::Scalar("3")).ok());
  EXPECT_EQ(ToFlowYaml(root),
            "{source: {type: csv, source_path: y}, list: [{a: 1}, {a: 3}], text: x, new: {deep: "
            "{key: z}}}");
  EXPECT_EQ(FindPath(root, "list.1.a")->text(), "3");
  EXPECT_EQ(FindPath(root, "list.2.a"), nullptr);
  EXPECT_EQ(FindPath(root, "text.a"), nullptr);
  EXPECT_EQ(SetPath(root, "text.a.b", Node()).error().message,
            "'text.a.b' leads through a single value; 'text' has no keys");
  EXPECT_EQ(SetPath(root, "list.2.a", Node()).error().message,
            "'list.2.a' leads into a list of 2, where '2' is no position; positions begin with 0");
  EXPECT_EQ(SetPath(root, "a..b", Node()).error().message,
            "'a..b' has an empty step; write names with one dot between");
}

TEST(Edit, OverlayJoinsMappingsAndReplacesTheRest) {
  Node base = *ParseYaml("source: {type: csv, list: [1, 2], keep: x}\nother: y", "f");
  Overlay(base, *ParseYaml("source: {list: [3], more: {a: b}}\nother: {c: d}\nnew: e", "api"));
  EXPECT_EQ(ToFlowYaml(base),
            "{source: {type: csv, list: [3], keep: x, more: {a: b}}, other: {c: d}, new: e}");
}

}  // namespace
}  // namespace calve::config
