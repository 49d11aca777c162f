#include "server/rest_catalog.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <thread>

#include "base/digest.h"
#include "catalog/registry.h"
#include "io/file_system_set.h"
#include "io/test_folder.h"

namespace calve::server {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr const char* kReader = "the secret of the reader";
constexpr const char* kSales = "the secret of the sales people";

/// A server over a catalog in memory, asked without sockets.
class RestCatalogTest : public testing::Test {
 protected:
  RestCatalogTest() {
    catalog::Registry kinds;
    catalog::RegisterParts(kinds);
    auto made = kinds.Make({.type = "memory"}, {.name = "lake",
                                                .warehouse = warehouse_,
                                                .project_folder = folder_.path(),
                                                .files = &files_});
    EXPECT_TRUE(made.ok());
    catalog_ = std::move(*made);
    Serve({});
  }

  void Serve(std::vector<Client> clients) {
    server_ = std::make_unique<RestCatalog>(
        *context_, *catalog_, files_,
        RestCatalogOptions{.clients = std::move(clients), .warehouse = warehouse_});
  }
  void ServeClients() {
    Serve({{"reader", Sha256(kReader), {{"*", Right::kRead}}},
           {"sales", Sha256(kSales), {{"sales", Right::kManage}}}});
  }

  http::Response Ask(const std::string& method, const std::string& target, const json& body = {},
                     http::Headers headers = {}) {
    http::Request request{.method = method, .headers = std::move(headers)};
    const size_t mark = target.find('?');
    request.path = target.substr(0, mark);
    if (mark != std::string::npos) request.query = target.substr(mark + 1);
    if (request.Header("Host").empty()) request.headers.emplace_back("Host", "localhost:8181");
    if (!body.is_null()) request.body = body.is_string() ? body.get<std::string>() : body.dump();
    return server_->Handle(request);
  }
  http::Response AskAs(const std::string& secret, const std::string& method,
                       const std::string& target, const json& body = {}) {
    return Ask(method, target, body, {{"Authorization", "Bearer " + secret}});
  }

  static json Table(const std::string& name) {
    return {{"name", name},
            {"schema",
             {{"type", "struct"},
              {"fields", {{{"id", 1}, {"name", "a"}, {"type", "long"}, {"required", false}}}}}}};
  }
  void MakeTable(const std::string& ns, const std::string& name) {
    Ask("POST", "/v1/namespaces", {{"namespace", {ns}}});
    const auto made = Ask("POST", "/v1/namespaces/" + ns + "/tables", Table(name));
    ASSERT_EQ(made.status, 200) << made.body;
  }
  static json SetProperty(const std::string& key, const std::string& value) {
    return {{"requirements", json::array()},
            {"updates", {{{"action", "set-properties"}, {"updates", {{key, value}}}}}}};
  }

  OwnedContext context_{7};
  io::TestFolder folder_;
  const std::string warehouse_ = "file://" + folder_.At("warehouse");
  io::FileSystemSet files_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<RestCatalog> server_;
};

TEST_F(RestCatalogTest, ATableIsMadeCommittedAndLoaded) {
  MakeTable("sales", "orders");
  const auto committed =
      Ask("POST", "/v1/namespaces/sales/tables/orders", SetProperty("owner", "ada"));
  ASSERT_EQ(committed.status, 200) << committed.body;
  const auto loaded = Ask("GET", "/v1/namespaces/sales/tables/orders");
  const json metadata = json::parse(loaded.body)["metadata"];
  EXPECT_EQ(metadata["properties"]["owner"], "ada");
  EXPECT_EQ(metadata["location"], warehouse_ + "/sales/orders");
}

TEST_F(RestCatalogTest, WhatIsNotThereIsNamed) {
  const auto in_nothing = Ask("POST", "/v1/namespaces/none/tables", Table("t"));
  EXPECT_EQ(in_nothing.status, 404);
  EXPECT_EQ(json::parse(in_nothing.body)["error"]["type"], "NoSuchNamespaceException");
  MakeTable("sales", "orders");
  const auto table = Ask("GET", "/v1/namespaces/sales/tables/other");
  EXPECT_EQ(json::parse(table.body)["error"]["type"], "NoSuchTableException");
  const auto view = Ask("GET", "/v1/namespaces/sales/views/other");
  EXPECT_EQ(json::parse(view.body)["error"]["type"], "NoSuchViewException");
  EXPECT_EQ(Ask("PUT", "/v1/namespaces").status, 405);
  EXPECT_EQ(Ask("GET", "/").status, 404);
}

TEST_F(RestCatalogTest, MalformedRequestsAreAnsweredBy400) {
  MakeTable("sales", "orders");
  for (const json& body : {json("{"), json("[]"), json({{"updates", 5}}),
                           json({{"updates", {{{"action", "fly"}}}}}), json(json::object())}) {
    EXPECT_EQ(Ask("POST", "/v1/namespaces/sales/tables/orders", body).status, 400) << body;
  }
  EXPECT_EQ(Ask("GET", "/v1/namespaces/sales%1F/tables/orders").status, 400);
  EXPECT_EQ(Ask("GET", "/v1/namespaces/%zz").status, 400);
  EXPECT_EQ(Ask("GET", "/v1/namespaces?pageSize=0").status, 400);
  EXPECT_EQ(Ask("GET", "/v1/namespaces/sales/tables/orders?snapshots=some").status, 400);
}

TEST_F(RestCatalogTest, ARequirementThatDoesNotHoldIsAConflict) {
  MakeTable("sales", "orders");
  json change = SetProperty("a", "b");
  change["requirements"] = {{{"type", "assert-table-uuid"}, {"uuid", "another"}}};
  const auto refused = Ask("POST", "/v1/namespaces/sales/tables/orders", change);
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(json::parse(refused.body)["error"]["type"], "CommitFailedException");
  EXPECT_EQ(Ask("POST", "/v1/namespaces/sales/tables", Table("orders")).status, 409);
}

TEST_F(RestCatalogTest, ChangesOfManyWritersThatExcludeEachOtherByNothingAllGoIn) {
  MakeTable("sales", "orders");
  std::vector<std::jthread> writers;
  for (int writer = 0; writer < 4; ++writer) {
    writers.emplace_back([this, writer] {
      for (int i = 0; i < 10; ++i) {
        const std::string key = std::to_string(writer) + "-" + std::to_string(i);
        EXPECT_EQ(Ask("POST", "/v1/namespaces/sales/tables/orders", SetProperty(key, "1")).status,
                  200);
      }
    });
  }
  writers.clear();
  const json loaded = json::parse(Ask("GET", "/v1/namespaces/sales/tables/orders").body);
  EXPECT_EQ(loaded["metadata"]["properties"].size(), 40);
}

TEST_F(RestCatalogTest, ARequestThatIsSentAgainIsAnsweredAsBefore) {
  MakeTable("sales", "orders");
  json change = SetProperty("a", "b");
  const json loaded = json::parse(Ask("GET", "/v1/namespaces/sales/tables/orders").body);
  change["requirements"] = {
      {{"type", "assert-table-uuid"}, {"uuid", loaded["metadata"]["table-uuid"]}}};
  const http::Headers key = {{"Idempotency-Key", "019a8c1e-0000-7000-8000-000000000001"}};
  const auto first = Ask("POST", "/v1/namespaces/sales/tables/orders", change, key);
  ASSERT_EQ(first.status, 200) << first.body;
  Ask("POST", "/v1/namespaces/sales/tables/orders", SetProperty("a", "c"));
  const auto again = Ask("POST", "/v1/namespaces/sales/tables/orders", change, key);
  EXPECT_EQ(again.status, 200);
  EXPECT_EQ(json::parse(again.body)["metadata-location"],
            json::parse(first.body)["metadata-location"]);
  const auto now = Ask("GET", "/v1/namespaces/sales/tables/orders");
  EXPECT_EQ(json::parse(now.body)["metadata"]["properties"]["a"], "c");

  const http::Headers drop = {{"Idempotency-Key", "019a8c1e-0000-7000-8000-000000000002"}};
  EXPECT_EQ(Ask("DELETE", "/v1/namespaces/sales/tables/orders", {}, drop).status, 204);
  EXPECT_EQ(Ask("DELETE", "/v1/namespaces/sales/tables/orders", {}, drop).status, 204);
  EXPECT_EQ(Ask("DELETE", "/v1/namespaces/sales/tables/orders").status, 404);
}

TEST_F(RestCatalogTest, AKeyIsGoodForOneRequestOnly) {
  MakeTable("sales", "orders");
  const http::Headers key = {{"Idempotency-Key", "019a8c1e-0000-7000-8000-000000000003"}};
  Ask("POST", "/v1/namespaces/sales/tables/orders", SetProperty("a", "1"), key);
  Ask("POST", "/v1/namespaces/sales/tables/orders", SetProperty("a", "2"), key);
  const auto now = Ask("GET", "/v1/namespaces/sales/tables/orders");
  EXPECT_EQ(json::parse(now.body)["metadata"]["properties"]["a"], "2");
}

TEST_F(RestCatalogTest, SeveralTablesAreCommittedTogetherOrNotAtAll) {
  MakeTable("sales", "a");
  MakeTable("sales", "b");
  const auto change = [](const std::string& table, json one) {
    one["identifier"] = {{"namespace", {"sales"}}, {"name", table}};
    return one;
  };
  json bad = SetProperty("x", "1");
  bad["requirements"] = {{{"type", "assert-table-uuid"}, {"uuid", "another"}}};
  const auto refused =
      Ask("POST", "/v1/transactions/commit",
          {{"table-changes", {change("a", SetProperty("x", "1")), change("b", bad)}}});
  EXPECT_EQ(refused.status, 409) << refused.body;
  EXPECT_THAT(Ask("GET", "/v1/namespaces/sales/tables/a").body, HasSubstr("\"properties\":{}"));
  const auto done =
      Ask("POST", "/v1/transactions/commit",
          {{"table-changes",
            {change("a", SetProperty("x", "1")), change("b", SetProperty("x", "2"))}}});
  EXPECT_EQ(done.status, 204) << done.body;
  EXPECT_THAT(Ask("GET", "/v1/namespaces/sales/tables/b").body, HasSubstr("\"x\":\"2\""));
}

TEST_F(RestCatalogTest, ListsComeInPages) {
  for (const char* name : {"c", "a", "d", "b"}) MakeTable("sales", name);
  std::vector<std::string> seen;
  std::string token;
  do {
    const json page =
        json::parse(Ask("GET", "/v1/namespaces/sales/tables?pageSize=3&pageToken=" + token).body);
    for (const json& one : page["identifiers"]) seen.push_back(one["name"]);
    token = page.value("next-page-token", "");
  } while (!token.empty());
  EXPECT_EQ(seen, (std::vector<std::string>{"a", "b", "c", "d"}));
}

TEST_F(RestCatalogTest, AKnownTableIsNotSentAgain) {
  MakeTable("sales", "orders");
  const auto loaded = Ask("GET", "/v1/namespaces/sales/tables/orders");
  std::string tag;
  for (const auto& [name, value] : loaded.headers) {
    if (name == "ETag") tag = value;
  }
  ASSERT_FALSE(tag.empty());
  EXPECT_EQ(Ask("GET", "/v1/namespaces/sales/tables/orders", {}, {{"If-None-Match", tag}}).status,
            304);
  Ask("POST", "/v1/namespaces/sales/tables/orders", SetProperty("a", "b"));
  EXPECT_EQ(Ask("GET", "/v1/namespaces/sales/tables/orders", {}, {{"If-None-Match", tag}}).status,
            200);
}

TEST_F(RestCatalogTest, WithoutClientsOnlyThisMachineIsAnswered) {
  EXPECT_EQ(Ask("GET", "/v1/namespaces", {}, {{"Host", "127.0.0.1:8181"}}).status, 200);
  EXPECT_EQ(Ask("GET", "/v1/namespaces", {}, {{"Host", "[::1]:8181"}}).status, 200);
  EXPECT_EQ(Ask("GET", "/v1/namespaces", {}, {{"Host", "rebound.example"}}).status, 403);
  EXPECT_EQ(Ask("GET", "/v1/namespaces", {}, {{"Host", "localhost.example"}}).status, 403);
  EXPECT_EQ(Ask("GET", "/v1/namespaces", {}, {{"Origin", "https://example.com"}}).status, 403);
  EXPECT_EQ(Ask("GET", "/v1/namespaces", {}, {{"Origin", "http://localhost:8000"}}).status, 200);
  EXPECT_EQ(Ask("GET", "/v1/namespaces", {}, {{"X-Forwarded-For", "10.0.0.1"}}).status, 403);
}

TEST_F(RestCatalogTest, WithClientsEverythingNeedsAToken) {
  ServeClients();
  for (const char* path : {"/v1/config", "/v1/namespaces", "/v1/namespaces/sales/tables/t"}) {
    EXPECT_EQ(Ask("GET", path).status, 401) << path;
    EXPECT_EQ(AskAs("a guess", "GET", path).status, 401) << path;
  }
  EXPECT_EQ(AskAs(kReader, "GET", "/v1/config").status, 200);
}

TEST_F(RestCatalogTest, AClientGetsATokenForItsSecret) {
  ServeClients();
  const std::string form = "grant_type=client_credentials&client_id=sales&client_secret=" +
                           std::string("the+secret+of+the+sales+people");
  const auto issued = Ask("POST", "/v1/oauth/tokens", form);
  ASSERT_EQ(issued.status, 200) << issued.body;
  const std::string token = json::parse(issued.body)["access_token"];
  EXPECT_EQ(AskAs(token, "GET", "/v1/namespaces").status, 200);
  const auto renewed = Ask("POST", "/v1/oauth/tokens",
                           "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange"
                           "&subject_token_type=x&subject_token=" +
                               token);
  EXPECT_EQ(renewed.status, 200) << renewed.body;
  const auto refused = Ask("POST", "/v1/oauth/tokens",
                           "grant_type=client_credentials&client_id=sales&client_secret=guess");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(json::parse(refused.body)["error"], "invalid_client");
  EXPECT_EQ(Ask("POST", "/v1/oauth/tokens", "grant_type=password").status, 400);
}

TEST_F(RestCatalogTest, AClientDoesNoMoreThanItMay) {
  MakeTable("sales", "orders");
  MakeTable("people", "salaries");
  ServeClients();
  EXPECT_EQ(AskAs(kReader, "GET", "/v1/namespaces/people/tables/salaries").status, 200);
  EXPECT_EQ(AskAs(kReader, "DELETE", "/v1/namespaces/sales/tables/orders").status, 403);
  EXPECT_EQ(AskAs(kReader, "POST", "/v1/namespaces", {{"namespace", {"new"}}}).status, 403);
  EXPECT_EQ(AskAs(kSales, "GET", "/v1/namespaces/people/tables").status, 403);
  EXPECT_EQ(AskAs(kSales, "GET", "/v1/namespaces/people").status, 403);
  EXPECT_EQ(AskAs(kSales, "GET", "/v1/namespaces").body, R"({"namespaces":[["sales"]]})");
  EXPECT_EQ(AskAs(kSales, "POST", "/v1/namespaces", {{"namespace", {"sales", "eu"}}}).status, 200);
  const json rename = {{"source", {{"namespace", {"sales"}}, {"name", "orders"}}},
                       {"destination", {{"namespace", {"people"}}, {"name", "orders"}}}};
  EXPECT_EQ(AskAs(kSales, "POST", "/v1/tables/rename", rename).status, 403);
  const json foreign = {{"table-changes",
                         {{{"identifier", {{"namespace", {"people"}}, {"name", "salaries"}}},
                           {"requirements", json::array()},
                           {"updates", json::array()}}}}};
  EXPECT_EQ(AskAs(kSales, "POST", "/v1/transactions/commit", foreign).status, 403);
}

TEST_F(RestCatalogTest, AClientNamesNoPlaceOutsideTheWarehouse) {
  MakeTable("sales", "orders");
  ServeClients();
  json elsewhere = Table("elsewhere");
  for (const std::string place : {"file:///etc", "file:/etc", "s3://others/x"}) {
    elsewhere["location"] = place;
    EXPECT_EQ(AskAs(kSales, "POST", "/v1/namespaces/sales/tables", elsewhere).status, 400);
  }
  elsewhere["location"] = warehouse_ + "/../other";
  EXPECT_EQ(AskAs(kSales, "POST", "/v1/namespaces/sales/tables", elsewhere).status, 400);
  const json move = {{"updates", {{{"action", "set-location"}, {"location", "file:///etc"}}}}};
  EXPECT_EQ(AskAs(kSales, "POST", "/v1/namespaces/sales/tables/orders", move).status, 400);
  EXPECT_EQ(AskAs(kSales, "POST", "/v1/namespaces/sales/tables/orders",
                  SetProperty("write.metadata.path", "file:///etc"))
                .status,
            400);
  EXPECT_EQ(AskAs(kSales, "POST", "/v1/namespaces/sales/register",
                  {{"name", "r"}, {"metadata-location", "file:///etc/passwd"}})
                .status,
            400);
  elsewhere["location"] = warehouse_ + "/sales/here";
  EXPECT_EQ(AskAs(kSales, "POST", "/v1/namespaces/sales/tables", elsewhere).status, 200);
}

TEST_F(RestCatalogTest, TheWarehouseThatAClientNamesMustBeThisOne) {
  EXPECT_EQ(Ask("GET", "/v1/config?warehouse=lake").status, 200);
  EXPECT_EQ(Ask("GET", "/v1/config?warehouse=" + warehouse_ + "/").status, 200);
  const auto other = Ask("GET", "/v1/config?warehouse=ocean");
  EXPECT_EQ(other.status, 404);
  EXPECT_THAT(other.body, HasSubstr("this catalog is"));
}

}  // namespace
}  // namespace calve::server
