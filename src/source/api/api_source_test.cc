#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>

#include "base/text.h"
#include "io/http.h"
#include "source/api/endpoint_pages.h"
#include "source/api/page_walk.h"
#include "source/api/reply.h"
#include "source/fixture_for_test.h"
#include "source/source_for_test.h"

namespace calve::source {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kServer = "CALVE_TEST_API";

std::string ServerUrl() {
  const char* url = std::getenv(kServer);
  return url == nullptr ? "" : url;
}

/// Send a body to the service, as a test's own set-up.
void Put(const std::string& method, const std::string& path, std::string body) {
  OwnedContext context{7};
  const auto client = io::MakeHttpClient();
  const auto reply = client->Send(*context, {.method = method,
                                             .url = ServerUrl() + path,
                                             .headers = {{"Content-Type", "application/json"}},
                                             .body = std::move(body)});
  ASSERT_TRUE(reply.ok()) << reply.error().message;
  ASSERT_TRUE(reply->ok()) << reply->status;
}

/// Numbers beyond a double are texts, as services have them.
std::string RowsAsJson(int64_t first, int64_t rows) {
  std::string body;
  for (int64_t n = first; n < first + rows; ++n) {
    const ContractRow row = ContractRowAt(n);
    body += (body.empty() ? "[" : ",") + std::string("{\"id\": \"") + std::to_string(row.id) +
            "\", \"price\": \"" + row.PriceText() + "\", \"day\": \"" + row.DayText() +
            "\", \"at\": \"" + row.AtText() +
            "\", \"name\": " + (row.name.has_value() ? Quote(*row.name) : "null") + "}";
  }
  return body.empty() ? "[]" : body + "]";
}

void WriteRows(const std::string& folder, int64_t first, int64_t rows) {
  Put("POST", "/plain/_rows/" + TableOfFolder(folder), RowsAsJson(first, rows));
}

BrokenInput Broken(std::string name, std::string body, std::vector<std::string> says) {
  const auto write = [body](const std::string& folder) {
    Put("PUT", "/_raw/" + TableOfFolder(folder), body);
  };
  return {.name = std::move(name), .write = write, .says = std::move(says)};
}

}  // namespace

SOURCE_FIXTURE(api) {
  return {.options =
              [](const std::string& folder, int64_t rows) {
                // What is broken is no page of many.
                if (rows < 0) {
                  return "endpoint: " + TableOfFolder(folder) + "\nbase_url: " + ServerUrl() +
                         "/plain\ntypes: {id: long}";
                }
                if (std::filesystem::is_directory(folder)) WriteRows(folder, 0, 0);
                return "endpoint: " + TableOfFolder(folder) + "\nbase_url: " + ServerUrl() +
                       "/plain\npagination_strategy: page\npagination_config: {page_param: _page, "
                       "size_param: _limit, size: 1000}\ncursor_column: id\ncursor_param: id_gte\n"
                       "types: {id: long, price: \"decimal(18, 2)\"}";
              },
          .write = WriteRows,
          .broken = {Broken("a text in a number", R"([{"id": 1}, {"id": "many"}])",
                            {"record 2", "column id", "'many'"}),
                     Broken("a record that is none", R"([{"id": 1}, 7])",
                            {"record 2", "no JSON object"}),
                     Broken("a page for people", "<!DOCTYPE html><p>Sign in</p>",
                            {"expected a reply in JSON", "DOCTYPE", "base_url"}),
                     Broken("an object around the records", R"({"data": {"rows": [{"id": 1}]}})",
                            {"set records_path", "data.rows"}),
                     Broken("a number with a letter", R"([{"id": 1x}])", {"no JSON", "character"})},
          .server = kServer};
}

namespace api {
namespace {

TEST(ApiLinks, NextIsFoundAmongOthers) {
  EXPECT_EQ(
      NextOf(R"(<https://a/x?page=1>; rel="prev", </y?a=1,2>; title="a, b"; rel="last next")"),
      "/y?a=1,2");
  EXPECT_EQ(NextOf("<b>; rel=next"), "b");
  EXPECT_EQ(NextOf(R"(<b>; rel="nextish")"), "");
  EXPECT_EQ(NextOf("<b"), "");
  EXPECT_EQ(ResolveLink("https://a:1/x/y?q=1", "/z?p=2"), "https://a:1/z?p=2");
  EXPECT_EQ(ResolveLink("https://a/x/y?q=1", "?p=2"), "https://a/x/y?p=2");
  EXPECT_EQ(ResolveLink("https://a/x/y?q=1", "z"), "https://a/x/z");
  EXPECT_EQ(ResolveLink("https://a", "z"), "https://a/z");
}

TEST(ApiReplies, WhatBreaksOffIsToldFromWhatIsNoJson) {
  EXPECT_TRUE(CheckWholeJson(R"({"a": [1, {"b": "}"}]})").ok());
  const std::string whole = R"([{"a": "x\"y", "b": [1.5, null]}, {}])";
  for (size_t size = 1; size < whole.size(); ++size) {
    const Status cut = CheckWholeJson(std::string_view(whole).substr(0, size));
    ASSERT_FALSE(cut.ok());
    EXPECT_EQ(cut.error().kind, ErrorKind::kTransient) << size << ": " << cut.error().message;
  }
  EXPECT_EQ(CheckWholeJson("<html>").error().kind, ErrorKind::kData);
  EXPECT_EQ(CheckWholeJson("").error().kind, ErrorKind::kData);
  EXPECT_EQ(CheckWholeJson(R"({"a": nope, "b": 1, "c": 2})").error().kind, ErrorKind::kData);
}

TEST(ApiReplies, RecordsAreTheOnesOfThePath) {
  EXPECT_THAT(*RecordsOf(R"([{"a": 1}, {"a": 2}])", ""), ElementsAre(R"({"a": 1})", R"({"a": 2})"));
  EXPECT_THAT(*RecordsOf(R"({"x": {"y": [{"a": 1}]}})", "x.y"), SizeIs(1));
  EXPECT_THAT(*RecordsOf(R"({"x": null})", "x"), IsEmpty());
  EXPECT_THAT(*RecordsOf(R"({"status": "up"})", ""), SizeIs(1));
  EXPECT_THAT(RecordsOf(R"({"x": {"y": [{"a": 1}]}, "z": [{}]})", "").error().message,
              HasSubstr("x.y or z"));
  EXPECT_THAT(RecordsOf(R"([{"a": 1}])", "data").error().message,
              HasSubstr("leave out records_path"));
  EXPECT_EQ(CanonicalJson(R"( {"b" : [1, {"y":2,"x":"\u0061"}], "a":null})"),
            CanonicalJson(R"({"a":null,"b":[1,{"x":"a","y":2}]})"));
  EXPECT_NE(CanonicalJson(R"({"a": 9007199254740993})"),
            CanonicalJson(R"({"a": 9007199254740992})"));
}

/// What several runs take of the replies of one service.
std::vector<std::string> TakeNew(const ApiOptions& options, std::optional<TablePosition>* position,
                                 const std::vector<std::string>& records) {
  const auto track = CursorTrack::Make(options, *position);
  EXPECT_TRUE(track.ok());
  std::vector<std::string> taken;
  for (const std::string& record : records) {
    const auto is_new = SeeRecord(**track, options, record);
    EXPECT_TRUE(is_new.ok()) << is_new.error().message;
    if (is_new.ok() && *is_new) taken.push_back(record);
  }
  const auto reached = (*track)->Reached();
  EXPECT_TRUE(reached.ok());
  *position = *reached;
  return taken;
}

ApiOptions By(CursorOptions cursor) {
  ApiOptions options;
  static_cast<CursorOptions&>(options) = std::move(cursor);
  return options;
}

TEST(ApiCursor, RecordsWithTheSameValueAreTakenOnceEach) {
  const ApiOptions options = By({.cursor_column = "t", .cursor_param = "since"});
  const std::string a = R"({"id": 1, "t": "2026-01-01T10:00:00Z"})";
  const std::string b = R"({"id": 2, "t": "2026-01-01T11:00:00Z"})";
  const std::string c = R"({"id": 3, "t": "2026-01-01T11:00:00Z"})";
  const std::string d = R"({"id": 4, "t": "2026-01-01T10:30:00+00:00"})";
  std::optional<TablePosition> position;
  EXPECT_THAT(TakeNew(options, &position, {b, a}), ElementsAre(b, a));
  // What is older is not new, and nothing comes twice.
  EXPECT_THAT(TakeNew(options, &position, {a, b, c, d}), ElementsAre(c));
  EXPECT_THAT(TakeNew(options, &position, {}), IsEmpty());
  EXPECT_THAT(TakeNew(options, &position, {b, c}), IsEmpty());
  EXPECT_EQ(position->until, "2026-01-01T11:00:00Z");
  EXPECT_EQ(*(*CursorTrack::Make(options, position))->Sent(), "2026-01-01T11:00:00Z");
}

TEST(ApiCursor, LateRecordsAreTakenWithinTheStretch) {
  ApiOptions options = By({.cursor_column = "t", .cursor_param = "since", .look_back = "1h"});
  const std::string a = R"({"id": 1, "t": "2026-01-01T10:00:00Z"})";
  const std::string b = R"({"id": 2, "t": "2026-01-01T11:00:00.25Z"})";
  const std::string late = R"({"id": 3, "t": "2026-01-01T10:30:00Z"})";
  const std::string too_late = R"({"id": 4, "t": "2026-01-01T09:30:00Z"})";
  std::optional<TablePosition> position;
  EXPECT_THAT(TakeNew(options, &position, {a, b}), ElementsAre(a, b));
  EXPECT_EQ(*(*CursorTrack::Make(options, position))->Sent(), "2026-01-01T10:00:00.250Z");
  EXPECT_THAT(TakeNew(options, &position, {too_late, a, late, b}), ElementsAre(late));
  EXPECT_THAT(TakeNew(options, &position, {late, b}), IsEmpty());
  // A longer stretch does not reach what was not remembered.
  options.look_back = "1d";
  EXPECT_THAT(TakeNew(options, &position, {too_late, a, late, b}), IsEmpty());
  options.cursor_format = CursorFormat::kUnix;
  EXPECT_EQ(*(*CursorTrack::Make(options, position))->Sent(), "1767261600");
}

TEST(ApiCursor, NumbersAreOrderedAsNumbersAndKindsAreNotMixed) {
  const ApiOptions options = By({.cursor_column = "n"});
  std::optional<TablePosition> position;
  EXPECT_THAT(TakeNew(options, &position, {R"({"n": 9})", R"({"n": 10})"}), SizeIs(2));
  EXPECT_EQ(position->until, "10");
  const auto track = CursorTrack::Make(options, position);
  EXPECT_THAT(SeeRecord(**track, options, R"({"n": "later"})").error().message,
              HasSubstr("expected a number in n"));
  EXPECT_THAT(SeeRecord(**track, options, R"({"m": 1})").error().message,
              HasSubstr("no value in n"));
}

class ApiSourceTest : public SourceTest {
 protected:
  void SetUp() override {
    SourceTest::SetUp();
    if (ServerUrl().empty()) GTEST_SKIP() << "needs the server of tests/services/api.sh";
    name_ = TableOfFolder(folder_.path());
  }

  void WriteNumbers(int64_t count) {
    std::string body;
    for (int64_t n = 1; n <= count; ++n) {
      body += (body.empty() ? "[" : ",") + std::string("{\"id\": ") + std::to_string(n) +
              ", \"even\": " + (n % 2 == 0 ? "true" : "false") + "}";
    }
    Put("POST", "/plain/_rows/" + name_, body + "]");
  }

  Result<Rows> Api(const std::string& way, const std::string& options,
                   const PlanOptions& plan = {}) {
    return ReadRows(
        "api", "base_url: " + ServerUrl() + way + "\nendpoint: " + name_ + "\n" + options, plan);
  }

  std::string Refusal(const std::string& way, const std::string& options) {
    const auto rows = Api(way, options);
    return rows.ok() ? "it was read" : rows.error().message;
  }

  std::string name_;
};

constexpr const char* kPages =
    "pagination_strategy: page\npagination_config: {page_param: _page, size_param: _limit, size: "
    "7}";
constexpr const char* kOffsets =
    "records_path: items\npagination_strategy: offset\npagination_config: {size_param: limit, "
    "size: "
    "7, total_path: total}";
constexpr const char* kCursors =
    "records_path: data\npagination_strategy: cursor\npagination_config: {cursor_path: "
    "next_cursor, "
    "size_param: limit, size: 7}";

TEST_F(ApiSourceTest, EveryStrategyReadsEachRecordOnce) {
  WriteNumbers(31);
  for (const auto& [way, options] : std::vector<std::pair<std::string, std::string>>{
           {"/plain", kPages},
           {"/plain", "params: {_page: \"1\", _limit: \"7\"}\npagination_strategy: link"},
           {"/offset", kOffsets},
           {"/cursor", kCursors},
           {"/body",
            "method: POST\nbody: '{\"of\": 1}'\nrecords_path: items\npagination_strategy: offset\n"
            "pagination_config: {in: body, size_param: limit, size: 7, total_path: total}"}}) {
    const auto rows = Api(way, options + "\nkey: id");
    ASSERT_TRUE(rows.ok()) << way << ": " << rows.error().message;
    EXPECT_EQ(rows->schema, "id: long, even: boolean") << way;
    EXPECT_THAT(rows->rows, SizeIs(31)) << way;
    EXPECT_EQ(rows->origins.back(), name_ + " page 5 record 3") << way;
  }
}

TEST_F(ApiSourceTest, WhatIsSignedInMayRead) {
  WriteNumbers(12);
  const std::string oauth2 = "auth_type: oauth2\nauth_config: {token_url: \"" + ServerUrl() +
                             "/token\", client_id: app, client_secret: s3cret-s3cret}\n";
  for (const auto& [way, options] : std::vector<std::pair<std::string, std::string>>{
           {"/basic", "auth_type: basic\nauth_config: {username: ada, password: secret}\n"},
           {"/bearer", "auth_type: bearer\nauth_config: {token: letmein}\n"},
           {"/key", "auth_type: api_key\nauth_config: {key: k3y-k3y}\n"},
           {"/query",
            "auth_type: api_key\nauth_config: {key: k3y-k3y, name: api_key, in: query}\n"},
           {"/oauth2", oauth2}}) {
    const auto rows =
        Api(way, options +
                     "pagination_strategy: page\npagination_config: {page_param: _page, "
                     "size_param: _limit, size: 2}");
    ASSERT_TRUE(rows.ok()) << way << ": " << rows.error().message;
    EXPECT_THAT(rows->rows, SizeIs(12)) << way;
  }
}

TEST_F(ApiSourceTest, ARefusalNamesTheReasonAndNoSecret) {
  WriteNumbers(1);
  const std::string said =
      Refusal("/bearer", "auth_type: bearer\nauth_config: {token: wr0ng-t0ken}");
  EXPECT_THAT(said, HasSubstr("401 (unauthorized); check the credentials"));
  EXPECT_THAT(said, HasSubstr("not Bearer ***"));
  EXPECT_THAT(said, testing::Not(HasSubstr("wr0ng")));
  EXPECT_THAT(Refusal("/oauth2", "auth_type: oauth2\nauth_config: {token_url: \"" + ServerUrl() +
                                     "/token\", client_id: app, client_secret: wr0ng}"),
              HasSubstr("get a token: POST " + ServerUrl() +
                        "/token was answered with status 401 (unauthorized)"));
  EXPECT_THAT(Refusal("/limited", ""), HasSubstr("429 (too many requests)"));
  EXPECT_THAT(Refusal("/limited", ""), HasSubstr("after \"3600\""));
}

TEST_F(ApiSourceTest, PagesThatGoInACircleOrChangeAreNotTaken) {
  WriteNumbers(31);
  EXPECT_THAT(Refusal("/circle", kCursors),
              HasSubstr("page 3: the next cursor is one that a page before has given already"));
  EXPECT_THAT(Refusal("/deaf", kPages),
              HasSubstr("page 2 has the same records as the page before"));
  EXPECT_THAT(Refusal("/ends", kPages), HasSubstr("give more_path or total_path"));
  EXPECT_THAT(Refusal("/grows", kOffsets), HasSubstr("there were 31 records in all, and now"));
  EXPECT_THAT(Refusal("/shrinks", kOffsets),
              HasSubstr("expected 31 records in all, as total says, found 30"));
  EXPECT_THAT(Refusal("/elsewhere", "params: {_page: \"1\"}\npagination_strategy: link"),
              HasSubstr("credentials are not sent elsewhere"));
  EXPECT_THAT(Refusal("/cursor", "records_path: data\nkey: even"), HasSubstr("records moved"));
}

TEST_F(ApiSourceTest, FaultsOfTheServiceAreWaitedFor) {
  WriteNumbers(60);
  for (const int seed : {1, 2, 3}) {
    const auto rows = Api("/faulty-" + std::to_string(seed) + "/cursor",
                          std::string(kCursors) + "\nkey: id\ntries_max: 20");
    ASSERT_TRUE(rows.ok()) << seed << ": " << rows.error().message;
    EXPECT_THAT(rows->rows, SizeIs(60)) << seed;
  }
}

TEST_F(ApiSourceTest, ChildrenOfEachParentKnowIt) {
  Put("POST", "/plain/_database",
      R"({"people_)" + name_ +
          R"(": [{"id": 1, "who": {"name": "ada"}}, {"id": 2, "who": {"name": "bo"}}],
          "notes": [{"id": 1, "people_)" +
          name_ + R"(Id": 1, "text": "x"},
                    {"id": 2, "people_)" +
          name_ + R"(Id": 1, "text": "y"}]})");
  const auto rows = ReadRows("api", "base_url: " + ServerUrl() + "/plain\nendpoint: people_" +
                                        name_ + "/{id}/notes\nparent: {endpoint: people_" + name_ +
                                        ", include: {person: who.name, person_id: id}}");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_THAT(rows->rows, SizeIs(2));
  EXPECT_THAT(rows->rows.front(), HasSubstr(R"("person": "ada", "person_id": 1)"));
  EXPECT_EQ(rows->origins.back(), "people_" + name_ + "/1/notes record 2");
}

TEST_F(ApiSourceTest, RequestsAreSpacedOut) {
  WriteNumbers(8);
  const auto begun = context_->clock->Monotonic();
  const auto rows = Api("/cursor",
                        "records_path: data\npagination_strategy: cursor\npagination_config: "
                        "{cursor_path: next_cursor, size_param: limit, size: 2}\n"
                        "requests_per_minute: 1200");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_GE(context_->clock->Monotonic() - begun, std::chrono::milliseconds(150));
}

TEST_F(ApiSourceTest, ColumnsThatNoRecordHasAreThereWhenTheyAreDeclared) {
  WriteNumbers(2);
  const auto rows = Api("/plain", "types: {note: string}");
  ASSERT_TRUE(rows.ok()) << rows.error().message;
  EXPECT_EQ(rows->schema, "id: long, even: boolean, note: string");
  EXPECT_THAT(rows->notes, ElementsAre(HasSubstr("column note is declared")));
}

TEST_F(ApiSourceTest, DiscoverProposesWhatAReplySuggests) {
  WriteNumbers(31);
  const auto node =
      config::ParseYaml("base_url: " + ServerUrl() + "/cursor\nendpoint: " + name_, "job.yaml");
  const auto source = registry_.Find("api")->make(*node, {});
  const auto streams = (*source)->Discover(*context_);
  ASSERT_TRUE(streams.ok()) << streams.error().message;
  EXPECT_EQ(streams->front().proposal,
            "records_path: data\npagination_strategy: cursor\npagination_config: {cursor_path: "
            "next_cursor, cursor_param: cursor}\nkey: id\n");
  EXPECT_EQ(streams->front().schema->num_fields(), 2);
}

}  // namespace
}  // namespace api
}  // namespace calve::source
