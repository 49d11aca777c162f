#include "catalog/rest/rest_catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "base/text.h"
#include "catalog/rest/json_members.h"
#include "config/yaml.h"

namespace calve::catalog {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// A server that answers as a test says.
class ScriptedServer : public io::HttpClient {
 public:
  using Answerer = std::function<Result<io::HttpResponse>(const io::HttpRequest&)>;

  Result<io::HttpResponse> Send(const Context&, const io::HttpRequest& request) override {
    requests.push_back(request);
    for (const auto& [part, answer] : answers_) {
      if ((request.method + " " + request.url).find(part) != std::string::npos)
        return answer(request);
    }
    return io::HttpResponse{.status = 500, .headers = {}, .body = "no answer for " + request.url};
  }
  Result<io::HttpResponse> Download(const Context& context, const io::HttpRequest& request,
                                    const std::function<Status(std::string_view)>&) override {
    return Send(context, request);
  }

  /// Answer what has `part` in "METHOD address"; the newest rule counts.
  void On(std::string part, Answerer answer) {
    answers_.emplace_front(std::move(part), std::move(answer));
  }
  void On(std::string part, int status, std::string body = "") {
    On(std::move(part), [=](const io::HttpRequest&) -> Result<io::HttpResponse> {
      return io::HttpResponse{.status = status, .headers = {}, .body = body};
    });
  }
  /// One answer after the other; the last stays.
  void OnEach(std::string part, std::vector<Result<io::HttpResponse>> answers) {
    auto left =
        std::make_shared<std::deque<Result<io::HttpResponse>>>(answers.begin(), answers.end());
    On(std::move(part), [left](const io::HttpRequest&) {
      Result<io::HttpResponse> next = left->front();
      if (left->size() > 1) left->pop_front();
      return next;
    });
  }
  int Count(const std::string& part) const {
    return static_cast<int>(std::ranges::count_if(requests, [&](const io::HttpRequest& request) {
      return (request.method + " " + request.url).find(part) != std::string::npos;
    }));
  }
  /// The newest request to an address with `part`.
  const io::HttpRequest& Last(const std::string& part) const {
    for (auto it = requests.rbegin(); it != requests.rend(); ++it) {
      if ((it->method + " " + it->url).find(part) != std::string::npos) return *it;
    }
    ADD_FAILURE() << "nothing was sent to " << part;
    return requests.front();
  }

  std::vector<io::HttpRequest> requests;

 private:
  std::deque<std::pair<std::string, Answerer>> answers_;
};

std::string HeaderOf(const io::HttpRequest& request, const std::string& name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return "";
}

io::HttpResponse Reply(int status, std::string body = "", io::HttpHeaders headers = {}) {
  return {.status = status, .headers = std::move(headers), .body = std::move(body)};
}

std::string ErrorBody(int code, const std::string& type, const std::string& message) {
  return R"({"error":{"code":)" + std::to_string(code) + R"(,"type":")" + type +
         R"(","message":")" + message + R"("}})";
}

std::string TableBody(const std::string& key = "",
                      const std::string& location = "file:///t/m.json") {
  iceberg::CreateTableOptions options;
  options.location = "file:///t";
  options.uuid = "9c12d441-03fe-4693-9a96-a0705ddf69c1";
  options.fields = {
      iceberg::Field{.id = iceberg::FieldId(1), .name = "id", .type = iceberg::Type::Long()}};
  if (!key.empty()) options.properties[key] = "1";
  const auto metadata = iceberg::Apply(nullptr, *iceberg::CreateTable(options),
                                       {.now_ms = 1, .previous_location = ""});
  return R"({"metadata-location":")" + location + R"(","metadata":)" +
         iceberg::SerializeTableMetadata(*metadata) + R"(,"config":{"a":"b"}})";
}

const Error kCut = UnknownOutcomeError("it is not known whether POST was carried out");

class Rest : public testing::Test {
 protected:
  Rest() { server_->On("/v1/config", 200, R"({"defaults":{},"overrides":{}})"); }

  /// The catalog, of options written in YAML.
  RestCatalog& Catalog(const std::string& yaml = "") {
    if (catalog_ != nullptr) return *catalog_;
    config::Faults faults;
    auto node = config::ParseYaml("uri: http://server/api/\n" + yaml, "test", faults);
    auto options = RestOptions::Declaration().Parse(node);
    EXPECT_TRUE(options.ok());
    catalog_ = std::make_unique<RestCatalog>(*options, Resources{.name = "lake"}, server_);
    return *catalog_;
  }

  CommitOutcome CommitProperty(const std::string& yaml = "") {
    return Catalog(yaml).Commit(context(),
                                {{.table = orders_,
                                  .change = {.requirements = {iceberg::AssertTableUuid("u")},
                                             .updates = {iceberg::SetProperties({{"a", "b"}})}}}});
  }
  const Context& context() { return *context_; }
  ManualClock& clock() { return *clock_; }

  const TableName orders_{{"sales"}, "orders"};
  const std::string table_path_ = "/v1/namespaces/sales/tables/orders";
  std::shared_ptr<ScriptedServer> server_ = std::make_shared<ScriptedServer>();
  ManualClock* clock_ = new ManualClock(TimestampFromMillis(1'700'000'000'000));
  OwnedContext context_{std::unique_ptr<Clock>(clock_), 7};
  std::unique_ptr<RestCatalog> catalog_;
};

TEST_F(Rest, TheServersDefaultsAreUnderTheOptionsAndItsOverridesAbove) {
  server_->On("/v1/config", 200,
              R"({"defaults":{"prefix":"default","header.X-A":"default","rest-page-size":"7"},)"
              R"("overrides":{"namespace-separator":"%2E","header.X-B":"override"}})");
  server_->On("/namespaces/a%2Eb%20c/tables", 200, R"({"identifiers":[]})");
  RestCatalog& catalog = Catalog("prefix: mine\nwarehouse: w 1\nheaders: {X-A: mine, X-B: mine}\n");
  ASSERT_TRUE(catalog.ListTables(context(), {"a", "b c"}).ok());
  EXPECT_EQ(server_->requests[0].url, "http://server/api/v1/config?warehouse=w%201");
  const io::HttpRequest& listed = server_->requests[1];
  EXPECT_EQ(listed.url,
            "http://server/api/v1/mine/namespaces/a%2Eb%20c/tables?pageToken=&pageSize=7");
  EXPECT_EQ(HeaderOf(listed, "X-A"), "mine");
  EXPECT_EQ(HeaderOf(listed, "X-B"), "override");
}

TEST_F(Rest, WhatTheServerOffersIsKnownOnceItsConfigurationWasRead) {
  server_->On("/v1/config", 200,
              R"({"defaults":{},"overrides":{},"endpoints":["GET /v1/{prefix}/namespaces"]})");
  EXPECT_TRUE(Catalog().capabilities().multi_table);
  server_->On("/v1/namespaces", 200, R"({"namespaces":[["b"],["a"]]})");
  EXPECT_THAT(*Catalog().ListNamespaces(context(), {}),
              ElementsAre(Namespace{"a"}, Namespace{"b"}));
  EXPECT_FALSE(Catalog().capabilities().multi_table);
  EXPECT_FALSE(Catalog().capabilities().views);
  const CommitOutcome outcome =
      Catalog().Commit(context(), {{.table = orders_}, {.table = {{"sales"}, "lines"}}});
  EXPECT_THAT(std::get<Refused>(outcome).error.message, HasSubstr("one table at a time, not 2"));
}

TEST_F(Rest, AnAddressThatIsNoCatalogIsTold) {
  server_->On("/v1/config", 200, "<html>");
  const auto wrong = Catalog().ListNamespaces(context(), {});
  EXPECT_EQ(wrong.error().kind, ErrorKind::kConfig);
  EXPECT_THAT(wrong.error().message, HasSubstr("uri is the address up to where /v1 begins"));
  server_->On("/v1/config", 404, ErrorBody(404, "NoSuchWarehouseException", "no such warehouse"));
  EXPECT_EQ(Catalog().ListNamespaces(context(), {}).error().kind, ErrorKind::kConfig);
}

TEST_F(Rest, AListingGoesOnToItsLastPageAndNeverInACircle) {
  server_->OnEach("/v1/namespaces?parent=a%1Fb&pageToken=",
                  {Reply(200, R"({"namespaces":[["a","b","x"]],"next-page-token":"t/2"})"),
                   Reply(200, R"({"namespaces":[["a","b","y"]],"next-page-token":null})")});
  EXPECT_THAT(*Catalog().ListNamespaces(context(), {"a", "b"}),
              ElementsAre(Namespace{"a", "b", "x"}, Namespace{"a", "b", "y"}));
  EXPECT_THAT(server_->requests.back().url, HasSubstr("pageToken=t%2F2"));
  server_->On("/tables", 200, R"({"identifiers":[],"next-page-token":"t"})");
  EXPECT_EQ(Catalog().ListTables(context(), {"a"}).error().kind, ErrorKind::kData);
}

TEST_F(Rest, ATableThatHasNotChangedIsTakenFromMemory) {
  server_->OnEach("GET http://server/api" + table_path_,
                  {Reply(200, TableBody("k"), {{"ETag", "W/\"1\""}}), Reply(304)});
  const auto first = Catalog().LoadTable(context(), orders_);
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_EQ(first->metadata_location, "file:///t/m.json");
  EXPECT_EQ(first->config.at("a"), "b");
  EXPECT_EQ(HeaderOf(server_->requests[1], "X-Iceberg-Access-Delegation"), "vended-credentials");
  const auto second = Catalog().LoadTable(context(), orders_);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(HeaderOf(server_->requests[2], "If-None-Match"), "W/\"1\"");
  EXPECT_EQ(second->metadata, first->metadata);
}

TEST_F(Rest, OnlyTheCatalogItselfCanSayThatATableIsMissing) {
  server_->On(table_path_, 404, ErrorBody(404, "NoSuchTableException", "no table"));
  EXPECT_EQ(Catalog().LoadTable(context(), orders_).error().kind, ErrorKind::kNotFound);
  server_->On(table_path_, 404, "<html>gateway</html>");
  EXPECT_EQ(Catalog().LoadTable(context(), orders_).error().kind, ErrorKind::kRefused);
  server_->On(table_path_, 404, ErrorBody(404, "NotFoundException", "no file m.json"));
  EXPECT_EQ(Catalog().LoadTable(context(), orders_).error().kind, ErrorKind::kData);
}

TEST_F(Rest, ACommitSendsItsRequirementsAndUpdatesOnce) {
  server_->On("POST http://server/api" + table_path_, 200, TableBody("k"));
  const CommitOutcome outcome = CommitProperty();
  ASSERT_TRUE(std::holds_alternative<Committed>(outcome));
  EXPECT_EQ(std::get<Committed>(outcome).tables[0].metadata->properties.at("k"), "1");
  const io::HttpRequest& sent = server_->Last("POST");
  EXPECT_EQ(sent.repeatable, false);
  EXPECT_EQ(HeaderOf(sent, "Idempotency-Key"), "");
  EXPECT_EQ(sent.body, R"({"requirements":[{"type":"assert-table-uuid","uuid":"u"}],)"
                       R"("updates":[{"action":"set-properties","updates":{"a":"b"}}]})");
}

TEST_F(Rest, ARefusedCommitIsAConflictOnlyWhereItMayBeComputedAgain) {
  const std::string path = "POST http://server/api" + table_path_;
  server_->On(path, 409, ErrorBody(409, "CommitFailedException", "main has moved"));
  EXPECT_THAT(std::get<Conflict>(CommitProperty()).reason, HasSubstr("main has moved"));
  server_->On(path, 400, ErrorBody(400, "CommitFailedException", "sequence number is older"));
  EXPECT_TRUE(std::holds_alternative<Conflict>(CommitProperty()));
  for (const int status : {400, 401, 403, 405, 406, 413, 422, 501}) {
    server_->On(path, status, ErrorBody(status, "SomeException", "because"));
    const auto refused = std::get<Refused>(CommitProperty());
    EXPECT_EQ(refused.error.kind, ErrorKind::kRefused) << status;
    EXPECT_THAT(refused.error.message,
                HasSubstr("status " + std::to_string(status) + " SomeException: because"));
  }
  server_->On(path, 404, ErrorBody(404, "NoSuchTableException", "gone"));
  EXPECT_EQ(std::get<Refused>(CommitProperty()).error.kind, ErrorKind::kNotFound);
  server_->On(path, 429, "");
  EXPECT_EQ(std::get<Refused>(CommitProperty()).error.kind, ErrorKind::kTransient);
}

TEST_F(Rest, ACommitWhoseOutcomeNobodyKnowsIsUnknownAndNotSentAgain) {
  const std::string path = "POST http://server/api" + table_path_;
  int sent = 0;
  for (const int status : {500, 502, 503, 504, 520}) {
    server_->On(path, status, "");
    EXPECT_TRUE(std::holds_alternative<Unknown>(CommitProperty())) << status;
    EXPECT_EQ(server_->Count("POST"), ++sent);
  }
  server_->On(path, 400, ErrorBody(400, "CommitStateUnknownException", "who knows"));
  EXPECT_TRUE(std::holds_alternative<Unknown>(CommitProperty()));
  server_->OnEach(path, {kCut});
  EXPECT_TRUE(std::holds_alternative<Unknown>(CommitProperty()));
  EXPECT_EQ(server_->Count("POST"), sent + 2);
  server_->OnEach(path, {TransientError("connection refused")});
  EXPECT_EQ(std::get<Refused>(CommitProperty()).error.kind, ErrorKind::kTransient);
}

TEST_F(Rest, ANessieIsSentNoBranchesOfATable) {
  server_->On("/v1/config", 200,
              R"({"defaults":{},"overrides":{"nessie.is-nessie-catalog":"true",)"
              R"("nessie.core-base-uri":"http://nessie/api/"}})");
  const auto commit = [&](const std::string& ref) {
    return Catalog().Commit(context(),
                            {{.table = orders_,
                              .change = {.requirements = {},
                                         .updates = {iceberg::SetSnapshotRef(
                                             ref, {.snapshot_id = iceberg::SnapshotId(7)})}}}});
  };
  EXPECT_THAT(std::get<Refused>(commit("audit_1")).error.message,
              HasSubstr("`uri: http://nessie/api/v2`"));
  EXPECT_EQ(server_->Count("POST"), 0);
  EXPECT_EQ(Catalog().capabilities().refs, Capabilities::Refs::kNone);
  server_->On("POST http://server/api" + table_path_, 200, TableBody());
  EXPECT_TRUE(std::holds_alternative<Committed>(commit("main")));
}

TEST_F(Rest, AConflictWithTheSameRequestSentTwiceIsNone) {
  const std::string table = R"({"metadata-location":"file:///t/m.json","config":{},"metadata":{
      "format-version":2,"table-uuid":"9c12d441-03fe-4693-9a96-a0705ddf69c1","location":"file:///t",
      "last-sequence-number":1,"last-updated-ms":1,"last-column-id":1,"current-schema-id":0,
      "schemas":[{"type":"struct","schema-id":0,"fields":[]}],"default-spec-id":0,
      "partition-specs":[{"spec-id":0,"fields":[]}],"last-partition-id":999,"default-sort-order-id":0,
      "sort-orders":[{"order-id":0,"fields":[]}],"snapshots":[{"snapshot-id":7,"sequence-number":1,
      "timestamp-ms":1,"summary":{"operation":"append"},"manifest-list":"file:///t/s.avro"}]}})";
  iceberg::Snapshot snapshot{.id = iceberg::SnapshotId(7)};
  snapshot.manifest_list = "file:///t/s.avro";
  CatalogChange change{.table = orders_,
                       .change = {.requirements = {iceberg::AssertRefSnapshotId("main", {})},
                                  .updates = {iceberg::AddSnapshot(snapshot)}}};
  server_->On("POST http://server/api" + table_path_, 409,
              ErrorBody(409, "CommitFailedException", "main has moved"));
  server_->On("GET http://server/api" + table_path_, 200, table);
  const CommitOutcome outcome = Catalog().Commit(context(), {change});
  ASSERT_TRUE(std::holds_alternative<Committed>(outcome));
  change.change.updates = {iceberg::AddSnapshot({.id = iceberg::SnapshotId(8)})};
  EXPECT_TRUE(std::holds_alternative<Conflict>(Catalog().Commit(context(), {change})));
  server_->On("GET http://server/api" + table_path_, 503, "");
  EXPECT_TRUE(std::holds_alternative<Unknown>(Catalog().Commit(context(), {change})));
  server_->On("GET http://server/api" + table_path_, 404,
              ErrorBody(404, "NoSuchTableException", "gone"));
  EXPECT_TRUE(std::holds_alternative<Conflict>(Catalog().Commit(context(), {change})));
}

TEST_F(Rest, ACommitWhoseReplyCannotBeReadIsLookedAt) {
  server_->On("POST http://server/api" + table_path_, 200, R"({"metadata":{"format-ver)");
  server_->On("GET http://server/api" + table_path_, 200, TableBody("seen"));
  const CommitOutcome outcome = CommitProperty();
  ASSERT_TRUE(std::holds_alternative<Committed>(outcome));
  EXPECT_TRUE(std::get<Committed>(outcome).tables[0].metadata->properties.contains("seen"));
  server_->On("GET http://server/api" + table_path_, 503, "");
  EXPECT_TRUE(std::holds_alternative<Unknown>(CommitProperty()));
}

TEST_F(Rest, ACreationRequiresOnlyThatThereIsNoTable) {
  server_->On("POST http://server/api" + table_path_, 200, TableBody());
  CatalogChange change{.table = orders_,
                       .change = {.requirements = {iceberg::AssertCreate(),
                                                   iceberg::AssertRefSnapshotId("main", {})},
                                  .updates = {}}};
  EXPECT_TRUE(std::holds_alternative<Committed>(Catalog().Commit(context(), {change})));
  EXPECT_EQ(server_->Last("POST").body,
            R"({"requirements":[{"type":"assert-create"}],"updates":[]})");
  change.change.requirements.push_back(iceberg::AssertTableUuid("u"));
  EXPECT_TRUE(std::holds_alternative<Conflict>(Catalog().Commit(context(), {change})));
  EXPECT_EQ(server_->Count("POST"), 1);
}

TEST_F(Rest, UnderOneKeyAChangeIsSentAgainUntilItsOutcomeIsKnown) {
  server_->On("/v1/config", 200,
              R"({"defaults":{},"overrides":{},"idempotency-key-lifetime":"PT30M"})");
  server_->OnEach("POST http://server/api" + table_path_,
                  {Reply(503), kCut, Reply(200, TableBody("k"))});
  ASSERT_TRUE(std::holds_alternative<Committed>(CommitProperty()));
  ASSERT_EQ(server_->Count("POST"), 3);
  const std::string key = HeaderOf(server_->requests[1], "Idempotency-Key");
  EXPECT_EQ(key.size(), 36U);
  EXPECT_EQ(key[14], '7');
  EXPECT_EQ(HeaderOf(server_->requests[2], "Idempotency-Key"), key);
  EXPECT_EQ(HeaderOf(server_->requests[3], "Idempotency-Key"), key);
  ASSERT_TRUE(std::holds_alternative<Committed>(CommitProperty()));
  EXPECT_NE(HeaderOf(server_->requests.back(), "Idempotency-Key"), key);
}

TEST_F(Rest, AKeyIsNotUsedBeyondItsLife) {
  server_->On("/v1/config", 200,
              R"({"defaults":{},"overrides":{},"idempotency-key-lifetime":"PT1M"})");
  server_->On("POST http://server/api" + table_path_,
              [&](const io::HttpRequest&) -> Result<io::HttpResponse> {
                clock().Advance(seconds(55));
                return Reply(504);
              });
  EXPECT_TRUE(std::holds_alternative<Unknown>(CommitProperty()));
  EXPECT_EQ(server_->Count("POST"), 1);
}

TEST_F(Rest, ADropWhoseReplyIsLostIsLookedAt) {
  const std::string missing = ErrorBody(404, "NoSuchTableException", "no table");
  server_->OnEach("DELETE", {kCut});
  server_->On("GET http://server/api" + table_path_, 404, missing);
  EXPECT_TRUE(Catalog().DropTable(context(), orders_).ok());
  // Not done when looked at, then done late: the second try finds nothing to drop.
  server_->OnEach("DELETE", {kCut, Reply(404, missing)});
  server_->OnEach("GET http://server/api" + table_path_,
                  {Reply(200, TableBody()), Reply(404, missing)});
  EXPECT_TRUE(Catalog().DropTable(context(), orders_).ok());
  server_->On("DELETE", 404, missing);
  EXPECT_EQ(Catalog().DropTable(context(), orders_).error().kind, ErrorKind::kNotFound);
}

TEST_F(Rest, ARenameAndARegistrationWhoseRepliesAreLostAreLookedAt) {
  const std::string missing = ErrorBody(404, "NoSuchTableException", "no table");
  server_->OnEach("/v1/tables/rename", {Reply(502)});
  server_->On("GET http://server/api" + table_path_, 404, missing);
  server_->On("/tables/lines", 200, TableBody());
  EXPECT_TRUE(Catalog().RenameTable(context(), orders_, {{"sales"}, "lines"}).ok());
  server_->OnEach("/register", {kCut});
  server_->On("GET http://server/api" + table_path_, 200, TableBody("", "file:///t/5.json"));
  EXPECT_TRUE(Catalog().RegisterTable(context(), orders_, "file:///t/5.json").ok());
  server_->OnEach("/register", {kCut, Reply(409, ErrorBody(409, "AlreadyExistsException", ""))});
  EXPECT_EQ(Catalog().RegisterTable(context(), orders_, "file:///t/6.json").error().kind,
            ErrorKind::kAlreadyExists);
}

TEST_F(Rest, ANewTableGoesWhereTheServerSaysAndItsNamespaceIsMade) {
  server_->On("POST http://server/api/v1/namespaces", 200, "{}");
  server_->OnEach("POST http://server/api/v1/namespaces/sales/tables",
                  {Reply(404, ErrorBody(404, "NoSuchNamespaceException", "no namespace")),
                   Reply(200, TableBody())});
  const auto location = Catalog().NewTableLocation(context(), orders_);
  ASSERT_TRUE(location.ok()) << location.error().message;
  EXPECT_EQ(*location, "file:///t");
  EXPECT_THAT(server_->requests.back().body, HasSubstr(R"("stage-create":true)"));
  EXPECT_EQ(server_->requests[2].body, R"({"namespace":["sales"],"properties":{}})");
}

TEST_F(Rest, APlaceThatThePersonWantsIsAskedFor) {
  const std::string path = "POST http://server/api/v1/namespaces/sales/tables";
  server_->On(path, 200, TableBody());
  EXPECT_TRUE(Catalog().CheckLocation(context(), orders_, "file:///t").ok());
  EXPECT_THAT(server_->requests.back().body, HasSubstr(R"("location":"file:///t")"));
  const Status elsewhere = Catalog().CheckLocation(context(), orders_, "file:///other");
  EXPECT_THAT(elsewhere.error().message, HasSubstr("puts sales.orders at file:///t, not at"));
  server_->On(path, 403, ErrorBody(403, "ForbiddenException", "not there"));
  EXPECT_EQ(Catalog().CheckLocation(context(), orders_, "file:///t").error().kind,
            ErrorKind::kRefused);
  server_->On(path, 409, ErrorBody(409, "AlreadyExistsException", "is there"));
  EXPECT_TRUE(Catalog().CheckLocation(context(), orders_, "file:///t").ok());
}

TEST_F(Rest, TheCredentialsOfATableServeItsFoldersAndNoOthers) {
  config::Faults faults;
  const auto node = config::ParseYaml("uri: http://server/api/\n", "test", faults);
  std::map<std::string, std::shared_ptr<io::LiveProperties>> places;
  RestCatalog catalog(*RestOptions::Declaration().Parse(node),
                      Resources{.name = "lake",
                                .use_live_properties =
                                    [&](const std::string& prefix, auto properties) {
                                      places[prefix] = std::move(properties);
                                    }},
                      server_);
  std::string body = TableBody();
  body.pop_back();
  body += R"(,"storage-credentials":[{"prefix":"file:///","config":{"s3.access-key-id":"all"}},)"
          R"({"prefix":"file:///t/data","config":{"s3.access-key-id":"data"}}]})";
  server_->On("GET http://server/api" + table_path_, 200, body);
  ASSERT_TRUE(catalog.LoadTable(context(), orders_).ok());
  ASSERT_EQ(places.size(), 2U);
  const auto key_at = [&](const std::string& prefix) {
    return (*places.at(prefix)->Now(context()))->at("s3.access-key-id");
  };
  EXPECT_EQ(key_at("file:///t"), "all");
  EXPECT_EQ(key_at("file:///t/data"), "data");
}

constexpr const char* kSignIn =
    "credential: client:s3cret\naudience: a b\noauth2-server-uri: http://auth/token\n";

TEST_F(Rest, ATokenIsGotForACredentialAndRenewedBeforeItRunsOut) {
  int tokens = 0;
  server_->On("http://auth/token", [&](const io::HttpRequest&) -> Result<io::HttpResponse> {
    return Reply(200, R"({"access_token":"t)" + std::to_string(++tokens) +
                          R"(","token_type":"Bearer","expires_in":3600})");
  });
  server_->On("/tables", 200, R"({"identifiers":[]})");
  ASSERT_TRUE(Catalog(kSignIn).ListTables(context(), {"a"}).ok());
  EXPECT_EQ(server_->Last("http://auth").body,
            "grant_type=client_credentials&client_id=client&client_secret=s3cret&scope=catalog&"
            "audience=a%20b");
  EXPECT_EQ(HeaderOf(server_->requests[1], "Authorization"), "Bearer t1");
  clock().Advance(minutes(54));
  ASSERT_TRUE(Catalog().ListTables(context(), {"a"}).ok());
  EXPECT_EQ(HeaderOf(server_->requests.back(), "Authorization"), "Bearer t1");
  clock().Advance(minutes(2));
  ASSERT_TRUE(Catalog().ListTables(context(), {"a"}).ok());
  EXPECT_EQ(HeaderOf(server_->requests.back(), "Authorization"), "Bearer t2");
}

TEST_F(Rest, ATokenThatIsNotTakenIsRenewedOnce) {
  for (const int status : {401, 419}) {
    server_->requests.clear();
    catalog_.reset();
    int tokens = 0;
    server_->On("http://auth/token", [&](const io::HttpRequest&) -> Result<io::HttpResponse> {
      return Reply(200, R"({"access_token":"tok)" + std::to_string(++tokens) + R"("})");
    });
    server_->On("POST http://server/api" + table_path_,
                [&](const io::HttpRequest& request) -> Result<io::HttpResponse> {
                  if (HeaderOf(request, "Authorization") == "Bearer tok1") return Reply(status);
                  return Reply(200, TableBody());
                });
    EXPECT_TRUE(std::holds_alternative<Committed>(CommitProperty(kSignIn))) << status;
    server_->On("POST http://server/api" + table_path_, status,
                ErrorBody(status, "NotAuthorizedException", "tok3 and s3cret are not known"));
    const auto refused = std::get<Refused>(CommitProperty());
    EXPECT_EQ(tokens, 3);
    EXPECT_THAT(refused.error.message, HasSubstr("*** and *** are not known"));
    EXPECT_THAT(refused.error.message, Not(HasSubstr("s3cret")));
  }
}

TEST_F(Rest, WhyThereIsNoTokenIsToldWithoutTheSecret) {
  server_->On("http://auth/token", 401,
              R"({"error":"invalid_client","error_description":"s3cret is wrong"})");
  const auto refused = Catalog(kSignIn).ListTables(context(), {"a"});
  EXPECT_EQ(refused.error().kind, ErrorKind::kRefused);
  EXPECT_THAT(refused.error().message, HasSubstr("invalid_client: *** is wrong"));
  server_->On("http://auth/token", 200, "<html>s3cret</html>");
  EXPECT_THAT(Catalog().ListTables(context(), {"a"}).error().message, Not(HasSubstr("s3cret")));
}

TEST_F(Rest, AGivenTokenIsExchangedBeforeItRunsOutWhereThatIsWanted) {
  // {"exp":1700000600}: ten minutes from now.
  const std::string jwt = "e30.eyJleHAiOjE3MDAwMDA2MDB9.sig";
  server_->On("http://server/api/v1/oauth/tokens", 200, R"({"access_token":"next"})");
  server_->On("/tables", 200, R"({"identifiers":[]})");
  Catalog("token-exchange-enabled: true\ntoken: " + jwt + "\n");
  ASSERT_TRUE(Catalog().ListTables(context(), {"a"}).ok());
  EXPECT_EQ(HeaderOf(server_->requests.back(), "Authorization"), "Bearer " + jwt);
  clock().Advance(minutes(9) + seconds(30));
  ASSERT_TRUE(Catalog().ListTables(context(), {"a"}).ok());
  EXPECT_THAT(server_->Last("oauth/tokens").body, HasSubstr("token-exchange&subject_token=e30."));
  EXPECT_EQ(HeaderOf(server_->requests.back(), "Authorization"), "Bearer next");
}

TEST_F(Rest, RequestsAreSignedAndATokenStepsAside) {
  server_->On("/tables", 200, R"({"identifiers":[]})");
  Catalog(
      "token: tok\nrest.sigv4-enabled: true\nrest.signing-name: glue\nrest.signing-region: eu\n"
      "rest.access-key-id: AK\nrest.secret-access-key: SK\nrest.session-token: ST\n");
  ASSERT_TRUE(Catalog().ListTables(context(), {"a"}).ok());
  const io::HttpRequest& sent = server_->requests.back();
  ASSERT_TRUE(sent.sign.has_value());
  EXPECT_EQ(sent.sign->service, "glue");
  EXPECT_EQ(sent.sign->region, "eu");
  EXPECT_EQ(sent.sign->session_token, "ST");
  EXPECT_EQ(HeaderOf(sent, "Authorization"), "");
  EXPECT_EQ(HeaderOf(sent, "Original-Authorization"), "Bearer tok");
  catalog_.reset();
  Catalog("rest.sigv4-enabled: true\n");
  EXPECT_THAT(Catalog().ListTables(context(), {"a"}).error().message,
              HasSubstr("expected rest.access-key-id and rest.secret-access-key"));
}

TEST(RestText, MembersOfAnObjectAreFoundWithoutParsingThem) {
  const std::string text = R"( { "a" : {"b":[1,"}\"]"]} , "c":"x,\"y" ,"d":12, "e":null } )";
  const auto members = JsonMembers(text);
  ASSERT_TRUE(members.ok());
  EXPECT_EQ(members->at("a"), R"({"b":[1,"}\"]"]})");
  EXPECT_EQ(members->at("c"), R"("x,\"y")");
  EXPECT_EQ(members->at("d"), "12");
  EXPECT_EQ(members->at("e"), "null");
  EXPECT_TRUE(JsonMembers("{}")->empty());
  for (size_t cut = 0; cut + 2 < text.size(); ++cut)
    EXPECT_FALSE(JsonMembers(text.substr(0, cut)).ok()) << cut;
}

TEST(RestText, DurationsAreReadAsIso8601HasThem) {
  EXPECT_EQ(ParseIsoDuration("PT30M"), minutes(30));
  EXPECT_EQ(ParseIsoDuration("P1DT2H3S"), seconds(86400 + 7200 + 3));
  EXPECT_EQ(ParseIsoDuration("P2W"), minutes(2 * 7 * 24 * 60));
  for (const char* wrong : {"", "P", "30M", "PT", "PTM", "P1Y", "PT1D", "P1M", "PT5"})
    EXPECT_EQ(ParseIsoDuration(wrong).value_or(milliseconds(0)), milliseconds(0)) << wrong;
}

}  // namespace
}  // namespace calve::catalog
