#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <set>
#include <thread>

#include "catalog/metadata_store.h"
#include "catalog/native_refs.h"
#include "catalog/registry.h"
#include "config/yaml.h"
#include "io/faulty.h"
#include "io/file_system_set.h"
#include "io/memory.h"
#include "io/sqlite.h"
#include "io/test_folder.h"

namespace calve::catalog {
namespace {

using iceberg::Field;
using iceberg::FieldId;
using iceberg::TableChange;

/// The filesystem catalog once more, on the S3 service that the test run started.
constexpr const char* kOnS3 = "filesystem_on_s3";

/// The sql catalog once more, in the PostgreSQL that the test run started.
constexpr const char* kOnPostgres = "sql_on_postgres";

/// Only where the test run has started a server for them. Each test begins with none of what others
/// made there.
constexpr const char* kRest = "rest";
constexpr const char* kHive = "hive";
constexpr const char* kHive4 = "hive_without_lock";
constexpr const char* kNessie = "nessie";

bool NeedsServer(const std::string& kind) {
  return kind == kRest || kind == kHive || kind == kHive4 || kind == kNessie || kind == kOnPostgres;
}

const char* UriOf(const std::string& kind) {
  return std::getenv(kind == kRest     ? "CALVE_TEST_REST"
                     : kind == kHive   ? "CALVE_TEST_HIVE"
                     : kind == kHive4  ? "CALVE_TEST_HIVE4"
                     : kind == kNessie ? "CALVE_TEST_NESSIE"
                                       : "CALVE_TEST_POSTGRES");
}

std::string ReasonOf(const CommitOutcome& outcome) {
  if (const auto* conflict = std::get_if<Conflict>(&outcome))
    return "conflict: " + conflict->reason;
  if (const auto* refused = std::get_if<Refused>(&outcome))
    return "refused: " + refused->error.message;
  if (const auto* unknown = std::get_if<Unknown>(&outcome)) return "unknown: " + unknown->reason;
  return "committed";
}

/// What every registered catalog does, on a local disk. A new kind is found in the registry and
/// must pass all of it.
class CatalogContract : public testing::TestWithParam<std::string> {
 protected:
  CatalogContract()
      : files_(GetParam() == kOnS3 ? io::TestS3Properties() : io::Properties()),
        warehouse_(GetParam() == kOnS3
                       ? "s3://calve-catalogs/" + folder_.path().substr(folder_.path().size() - 6)
                       : "file://" + folder_.At("warehouse")),
        catalog_(Make("test")) {
    if (Type() == kRest || Type() == kHive) Clear({});
    if (GetParam() == kNessie) TakeBranch();
  }

  /// Work on a branch of this test's own, made from an empty main.
  void TakeBranch() {
    NativeRefs& refs = *catalog_->native_refs();
    const auto main = refs.FindBranch(context(), "main");
    ASSERT_TRUE(main.ok());
    branch_ = "t_" + folder_.path().substr(folder_.path().size() - 6);
    ASSERT_TRUE(refs.CreateBranch(context(), branch_, *main).ok());
    catalog_ = Make("test");
  }

  /// Drop all that is below a namespace.
  void Clear(const Namespace& parent) {
    for (const Namespace& ns : *catalog_->ListNamespaces(context(), parent)) {
      if (ns == Namespace{"default"}) continue;  // a metastore always has it
      Clear(ns);
      for (const TableName& table : *catalog_->ListTables(context(), ns))
        EXPECT_TRUE(catalog_->DropTable(context(), table).ok());
      if (catalog_->capabilities().views) {
        for (const TableName& view : *catalog_->ListViews(context(), ns))
          EXPECT_TRUE(catalog_->DropView(context(), view).ok());
      }
      const Status dropped = catalog_->DropNamespace(context(), ns);
      EXPECT_TRUE(dropped.ok()) << dropped.error().message;
    }
  }

  static std::string Type() {
    if (GetParam() == kOnS3) return "filesystem";
    if (GetParam() == kOnPostgres) return "sql";
    return GetParam() == kHive4 ? kHive : GetParam();
  }

  /// The options of the catalog. Rows of another test's catalog have another name.
  config::PartOptions Options() const {
    config::PartOptions options{.type = Type()};
    if (!NeedsServer(GetParam())) return options;
    std::string yaml = std::string("uri: '") + UriOf(GetParam()) + "'\n";
    if (GetParam() == kOnPostgres) yaml += "catalog_name: '" + folder_.path() + "'\n";
    if (GetParam() == kHive4) yaml += "lock: false\n";
    if (GetParam() == kNessie) yaml += "branch: " + branch_ + "\n";
    config::Faults faults;
    options.node = config::ParseYaml(yaml, "test", faults);
    EXPECT_TRUE(faults.ToStatus().ok());
    return options;
  }

  std::unique_ptr<Catalog> Make(const std::string& name) {
    Registry registry;
    RegisterParts(registry);
    auto made = registry.Make(Options(), {.name = name,
                                          .warehouse = warehouse_,
                                          .project_folder = folder_.path(),
                                          .files = &files_});
    EXPECT_TRUE(made.ok());
    return std::move(*made);
  }

  const Context& context() { return *context_; }

  TableChange NewTable(const TableName& table) {
    auto location = catalog_->NewTableLocation(context(), table);
    EXPECT_TRUE(location.ok());
    iceberg::CreateTableOptions options;
    options.location = *location;
    options.uuid = NewUuidString(*context().random);
    options.fields = {Field{.id = FieldId(1), .name = "id", .type = iceberg::Type::Long()}};
    auto change = iceberg::CreateTable(options);
    EXPECT_TRUE(change.ok());
    return std::move(*change);
  }

  void MakeTable(const TableName& table) {
    const Status made = catalog_->CreateNamespace(context(), table.ns, {});
    EXPECT_TRUE(made.ok() || made.error().kind == ErrorKind::kAlreadyExists);
    const CommitOutcome outcome =
        catalog_->Commit(context(), {{.table = table, .change = NewTable(table)}});
    ASSERT_TRUE(std::holds_alternative<Committed>(outcome));
  }

  static TableChange SetProperty(const std::string& key, const std::string& value) {
    return {.requirements = {}, .updates = {iceberg::SetProperties({{key, value}})}};
  }

  io::TestFolder folder_;
  io::FileSystemSet files_;
  const std::string warehouse_;
  std::string branch_ = "main";  ///< Of Nessie.
  OwnedContext context_{7};
  std::unique_ptr<Catalog> catalog_;
  const TableName orders_{{"sales"}, "orders"};
};

TEST_P(CatalogContract, AMadeTableIsFoundAndListed) {
  MakeTable(orders_);
  auto loaded = catalog_->LoadTable(context(), orders_);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->metadata->schema()->fields().front().name, "id");
  EXPECT_TRUE(*files_.Exists(context(), loaded->metadata_location));
  EXPECT_EQ(*catalog_->ListTables(context(), {"sales"}), std::vector<TableName>{orders_});
  auto namespaces = *catalog_->ListNamespaces(context(), {});
  std::erase(namespaces, Namespace{"default"});
  EXPECT_EQ(namespaces, std::vector<Namespace>{{"sales"}});
}

TEST_P(CatalogContract, ATableMayLieWhereTheCatalogPutsIt) {
  const std::string own = *catalog_->NewTableLocation(context(), orders_);
  EXPECT_TRUE(catalog_->CheckLocation(context(), orders_, own).ok());
  const Status elsewhere = catalog_->CheckLocation(context(), orders_, own + "2");
  EXPECT_EQ(elsewhere.ok(), Type() != "filesystem");
}

TEST_P(CatalogContract, WhatIsNotThereIsNotFound) {
  EXPECT_EQ(catalog_->LoadTable(context(), orders_).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(catalog_->LoadNamespace(context(), {"nowhere"}).error().kind, ErrorKind::kNotFound);
}

TEST_P(CatalogContract, ATableIsMadeOnce) {
  MakeTable(orders_);
  const CommitOutcome again =
      catalog_->Commit(context(), {{.table = orders_, .change = NewTable(orders_)}});
  EXPECT_TRUE(std::holds_alternative<Conflict>(again));
}

TEST_P(CatalogContract, ARequirementThatDoesNotHoldIsAConflictAndChangesNothing) {
  MakeTable(orders_);
  const auto before = catalog_->LoadTable(context(), orders_);
  TableChange change = SetProperty("a", "b");
  change.requirements = {iceberg::AssertTableUuid("00000000-0000-0000-0000-000000000000")};
  EXPECT_TRUE(std::holds_alternative<Conflict>(
      catalog_->Commit(context(), {{.table = orders_, .change = change}})));
  EXPECT_EQ(catalog_->LoadTable(context(), orders_)->metadata_location, before->metadata_location);
}

TEST_P(CatalogContract, OfManyWritersEachAcknowledgedChangeIsThere) {
  MakeTable(orders_);
  constexpr int kWriters = 4;
  constexpr int kChanges = 5;
  std::atomic<int> acknowledged = 0;
  {
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < kWriters; ++writer) {
      threads.emplace_back([&, writer] {
        OwnedContext own(static_cast<uint64_t>(writer) + 1);
        for (int i = 0; i < kChanges; ++i) {
          const std::string key = "w" + std::to_string(writer) + "-" + std::to_string(i);
          while (true) {
            const CommitOutcome outcome =
                catalog_->Commit(*own, {{.table = orders_, .change = SetProperty(key, "1")}});
            if (std::holds_alternative<Committed>(outcome)) break;
            ASSERT_TRUE(std::holds_alternative<Conflict>(outcome)) << ReasonOf(outcome);
          }
          ++acknowledged;
        }
      });
    }
  }
  EXPECT_EQ(acknowledged, kWriters * kChanges);
  const auto loaded = catalog_->LoadTable(context(), orders_);
  ASSERT_TRUE(loaded.ok());
  const auto& properties = loaded->metadata->properties;
  EXPECT_EQ(std::count_if(properties.begin(), properties.end(),
                          [](const auto& property) { return property.first.starts_with('w'); }),
            kWriters * kChanges);
}

TEST_P(CatalogContract, ALostReplyIsUnknownAndTheChangeIsFoundByLooking) {
  MakeTable(orders_);
  const StepObserver lose = [](std::string_view step) -> Status {
    if (step == "catalog.after_swap") return TransientError("the reply is lost");
    return Status::Ok();
  };
  Context losing = context();
  losing.steps = &lose;
  EXPECT_TRUE(std::holds_alternative<Unknown>(
      catalog_->Commit(losing, {{.table = orders_, .change = SetProperty("a", "b")}})));
  EXPECT_EQ(catalog_->LoadTable(context(), orders_)->metadata->properties.at("a"), "b");
}

TEST_P(CatalogContract, ACommitThatFailsBeforeTheSwapLeavesNoFile) {
  MakeTable(orders_);
  const auto loaded = catalog_->LoadTable(context(), orders_);
  const std::string metadata_folder = loaded->metadata->location + "/metadata";
  const auto files_before = files_.ListAll(context(), metadata_folder)->size();
  const StepObserver fail = [](std::string_view step) -> Status {
    if (step == "catalog.before_swap") return RefusedError("no");
    return Status::Ok();
  };
  Context failing = context();
  failing.steps = &fail;
  EXPECT_TRUE(std::holds_alternative<Refused>(
      catalog_->Commit(failing, {{.table = orders_, .change = SetProperty("a", "b")}})));
  EXPECT_EQ(files_.ListAll(context(), metadata_folder)->size(), files_before);
  EXPECT_FALSE(catalog_->LoadTable(context(), orders_)->metadata->properties.contains("a"));
}

TEST_P(CatalogContract, ADroppedTableIsGoneAndMayBeMadeAgain) {
  EXPECT_EQ(catalog_->DropTable(context(), orders_).error().kind, ErrorKind::kNotFound);
  MakeTable(orders_);
  ASSERT_TRUE(std::holds_alternative<Committed>(
      catalog_->Commit(context(), {{.table = orders_, .change = SetProperty("a", "b")}})));
  const auto dropped = catalog_->LoadTable(context(), orders_);
  const std::string data = dropped->metadata->location + "/data/rows.parquet";
  ASSERT_TRUE(files_.WriteFile(context(), data, "rows").ok());
  ASSERT_TRUE(catalog_->DropTable(context(), orders_).ok());
  EXPECT_EQ(catalog_->LoadTable(context(), orders_).error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(catalog_->ListTables(context(), {"sales"})->empty());
  EXPECT_EQ(catalog_->DropTable(context(), orders_).error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(*files_.Exists(context(), data));
  if (catalog_->capabilities().drop_keeps_metadata) {
    const auto back = catalog_->RegisterTable(context(), orders_, dropped->metadata_location);
    ASSERT_TRUE(back.ok());
    EXPECT_EQ(back->metadata->properties.at("a"), "b");
    ASSERT_TRUE(catalog_->DropTable(context(), orders_).ok());
  }
  MakeTable(orders_);
  EXPECT_FALSE(catalog_->LoadTable(context(), orders_)->metadata->properties.contains("a"));
}

TEST_P(CatalogContract, ATableIsMadeTogetherWithItsFirstSnapshot) {
  const Status made = catalog_->CreateNamespace(context(), orders_.ns, {});
  ASSERT_TRUE(made.ok());
  TableChange change = NewTable(orders_);
  iceberg::Snapshot snapshot;
  snapshot.id = iceberg::SnapshotId(5);
  snapshot.sequence_number = iceberg::SequenceNumber(1);
  snapshot.manifest_list = "file:///list.avro";
  snapshot.operation = iceberg::Operation::kAppend;
  change.updates.push_back(iceberg::AddSnapshot(snapshot));
  // Where branches span all tables there is only main in each.
  const bool has_branches = catalog_->capabilities().refs == Capabilities::Refs::kIceberg;
  const std::string branch = has_branches ? "audit_x" : "main";
  change.updates.push_back(
      iceberg::SetSnapshotRef(branch, {.snapshot_id = iceberg::SnapshotId(5)}));
  ASSERT_TRUE(std::holds_alternative<Committed>(
      catalog_->Commit(context(), {{.table = orders_, .change = change}})));
  const auto loaded = catalog_->LoadTable(context(), orders_);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->metadata->current_snapshot() == nullptr, has_branches);
  EXPECT_EQ(loaded->metadata->FindRef(branch)->id, iceberg::SnapshotId(5));
  EXPECT_TRUE(std::holds_alternative<Conflict>(
      catalog_->Commit(context(), {{.table = orders_, .change = NewTable(orders_)}})));
}

TEST_P(CatalogContract, ANamespaceThatHoldsATableIsNotDropped) {
  MakeTable(orders_);
  EXPECT_EQ(catalog_->DropNamespace(context(), {"sales"}).error().kind, ErrorKind::kRefused);
  if (!catalog_->capabilities().namespaces_exist_without_tables) return;
  ASSERT_TRUE(catalog_->CreateNamespace(context(), {"empty"}, {}).ok());
  EXPECT_TRUE(catalog_->DropNamespace(context(), {"empty"}).ok());
  EXPECT_EQ(catalog_->LoadNamespace(context(), {"empty"}).error().kind, ErrorKind::kNotFound);
}

TEST_P(CatalogContract, SeveralTablesChangeTogetherOrNotAtAllWhereTheCatalogCan) {
  if (!catalog_->capabilities().multi_table) {
    const CommitOutcome outcome = catalog_->Commit(
        context(), {{.table = orders_, .change = SetProperty("a", "b")},
                    {.table = {{"sales"}, "lines"}, .change = SetProperty("a", "b")}});
    EXPECT_TRUE(std::holds_alternative<Refused>(outcome));
    return;
  }
  const TableName lines{{"sales"}, "lines"};
  MakeTable(orders_);
  MakeTable(lines);
  TableChange wrong = SetProperty("a", "b");
  wrong.requirements = {iceberg::AssertTableUuid("00000000-0000-0000-0000-000000000000")};
  EXPECT_TRUE(std::holds_alternative<Conflict>(catalog_->Commit(
      context(),
      {{.table = orders_, .change = SetProperty("a", "b")}, {.table = lines, .change = wrong}})));
  EXPECT_FALSE(catalog_->LoadTable(context(), orders_)->metadata->properties.contains("a"));
  EXPECT_TRUE(std::holds_alternative<Committed>(
      catalog_->Commit(context(), {{.table = orders_, .change = SetProperty("a", "b")},
                                   {.table = lines, .change = SetProperty("a", "b")}})));
  EXPECT_TRUE(catalog_->LoadTable(context(), lines)->metadata->properties.contains("a"));
}

TEST_P(CatalogContract, GzippedMetadataIsReadBack) {
  MakeTable(orders_);
  ASSERT_TRUE(std::holds_alternative<Committed>(catalog_->Commit(
      context(),
      {{.table = orders_, .change = SetProperty("write.metadata.compression-codec", "gzip")}})));
  ASSERT_TRUE(std::holds_alternative<Committed>(
      catalog_->Commit(context(), {{.table = orders_, .change = SetProperty("a", "b")}})));
  // Another object of the same catalog has nothing in memory; only a catalog in memory forgets.
  if (GetParam() != "memory") catalog_ = Make("test");
  const auto loaded = catalog_->LoadTable(context(), orders_);
  ASSERT_TRUE(loaded.ok());
  EXPECT_NE(loaded->metadata_location.find(".gz."), std::string::npos);
  EXPECT_EQ(loaded->metadata->properties.at("a"), "b");
}

TEST_P(CatalogContract, OfAWriterThatTurnsGzipOnAndAnotherOneWinsAndBothGetThere) {
  MakeTable(orders_);
  const auto theirs = GetParam() == "memory" ? nullptr : Make("test");
  bool raced = false;
  const StepObserver race = [&](std::string_view step) -> Status {
    // Before the swap a sql catalog holds its file; the metadata is computed by now in any case.
    const bool writes_first = Type() != "filesystem" && Type() != kRest;
    const std::string_view place = writes_first ? "catalog.write_metadata" : "catalog.before_swap";
    if (step != place || std::exchange(raced, true)) return Status::Ok();
    Catalog& other = theirs == nullptr ? *catalog_ : *theirs;
    EXPECT_TRUE(std::holds_alternative<Committed>(
        other.Commit(context(), {{.table = orders_, .change = SetProperty("a", "b")}})));
    return Status::Ok();
  };
  Context racing = context();
  racing.steps = &race;
  const auto turn_on = [&] {
    return catalog_->Commit(
        racing,
        {{.table = orders_, .change = SetProperty("write.metadata.compression-codec", "gzip")}});
  };
  // A server computes what requires nothing again by itself.
  EXPECT_EQ(std::holds_alternative<Conflict>(turn_on()), Type() != kRest);
  EXPECT_TRUE(raced);
  EXPECT_TRUE(std::holds_alternative<Committed>(turn_on()));
  const auto loaded = catalog_->LoadTable(context(), orders_);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->metadata->properties.at("a"), "b");
  EXPECT_EQ(loaded->metadata->properties.at("write.metadata.compression-codec"), "gzip");
}

TEST_P(CatalogContract, PropertiesOfANamespaceAreSetAndRemoved) {
  if (!catalog_->capabilities().namespace_properties) {
    EXPECT_EQ(catalog_->UpdateNamespace(context(), {"sales"}, {}, {}).error().kind,
              ErrorKind::kRefused);
    GTEST_SKIP() << "namespaces of this catalog have no properties";
  }
  EXPECT_EQ(catalog_->UpdateNamespace(context(), {"sales"}, {}, {{"a", "b"}}).error().kind,
            ErrorKind::kNotFound);
  ASSERT_TRUE(catalog_->CreateNamespace(context(), {"sales"}, {{"a", "1"}, {"b", "2"}}).ok());
  const auto update =
      catalog_->UpdateNamespace(context(), {"sales"}, {"b", "z"}, {{"a", "3"}, {"c", "4"}});
  ASSERT_TRUE(update.ok());
  EXPECT_EQ(*update, (NamespaceUpdate{.updated = {"a", "c"}, .removed = {"b"}, .missing = {"z"}}));
  auto properties = *catalog_->LoadNamespace(context(), {"sales"});
  properties.erase("location");  // a server may have given it one
  EXPECT_EQ(properties, (std::map<std::string, std::string>{{"a", "3"}, {"c", "4"}}));
  EXPECT_EQ(catalog_->UpdateNamespace(context(), {"sales"}, {"a"}, {{"a", "5"}}).error().kind,
            ErrorKind::kConfig);
}

TEST_P(CatalogContract, NamespacesAreNestedAndEachListsItsOwn) {
  if (!catalog_->capabilities().namespaces_exist_without_tables)
    GTEST_SKIP() << "namespaces of this catalog are folders of tables";
  if (Type() == kHive) GTEST_SKIP() << "a metastore has one level of namespaces";
  for (const Namespace& ns : {Namespace{"a"}, Namespace{"a", "b"}, Namespace{"a", "b", "c"},
                              Namespace{"a-b"}, Namespace{"a!b"}})
    ASSERT_TRUE(catalog_->CreateNamespace(context(), ns, {}).ok());
  EXPECT_EQ(*catalog_->ListNamespaces(context(), {}),
            (std::vector<Namespace>{{"a"}, {"a!b"}, {"a-b"}}));
  EXPECT_EQ(*catalog_->ListNamespaces(context(), {"a"}), (std::vector<Namespace>{{"a", "b"}}));
  EXPECT_EQ(catalog_->DropNamespace(context(), {"a", "b"}).error().kind, ErrorKind::kRefused);
  MakeTable({{"a", "b", "c"}, "t"});
  MakeTable({{"a"}, "t"});
  EXPECT_EQ(*catalog_->ListTables(context(), {"a"}), (std::vector<TableName>{{{"a"}, "t"}}));
  EXPECT_EQ(catalog_->LoadNamespace(context(), {"a", "x"}).error().kind, ErrorKind::kNotFound);
}

TEST_P(CatalogContract, ATableIsRenamedIntoAnotherNamespace) {
  MakeTable(orders_);
  const TableName moved{{"archive"}, "old_orders"};
  if (!catalog_->capabilities().drop_keeps_metadata)
    GTEST_SKIP() << "tables of this catalog are folders";
  EXPECT_EQ(catalog_->RenameTable(context(), orders_, moved).error().kind, ErrorKind::kNotFound);
  ASSERT_TRUE(catalog_->CreateNamespace(context(), {"archive"}, {}).ok());
  ASSERT_TRUE(catalog_->RenameTable(context(), orders_, moved).ok());
  EXPECT_EQ(catalog_->LoadTable(context(), orders_).error().kind, ErrorKind::kNotFound);
  EXPECT_TRUE(catalog_->LoadTable(context(), moved).ok());
  MakeTable(orders_);
  EXPECT_EQ(catalog_->RenameTable(context(), orders_, moved).error().kind,
            ErrorKind::kAlreadyExists);
}

/// What catalogs with views do besides.
class ViewContract : public CatalogContract {
 protected:
  void SetUp() override {
    if (!catalog_->capabilities().views) {
      EXPECT_EQ(catalog_->LoadView(context(), daily_).error().kind, ErrorKind::kRefused);
      GTEST_SKIP() << "this catalog has no views";
    }
    ASSERT_TRUE(catalog_->CreateNamespace(context(), {"sales"}, {}).ok());
  }

  iceberg::ViewChange NewView(const TableName& view, const std::string& sql = "SELECT 1") {
    iceberg::ViewVersion version;
    version.id = 1;
    version.timestamp_ms = 100;
    version.representations = {{.sql = sql, .dialect = "spark"}};
    version.default_namespace = view.ns;
    return iceberg::CreateView(
        {.location = *catalog_->NewTableLocation(context(), view),
         .uuid = NewUuidString(*context().random),
         .schema = *iceberg::Schema::Make(
             iceberg::SchemaId(0),
             {Field{.id = FieldId(1), .name = "n", .type = iceberg::Type::Long()}}),
         .version = version,
         .properties = {}});
  }

  iceberg::ViewChange NewQuery(const std::string& uuid, const std::string& sql) {
    iceberg::ViewChange change = NewView(daily_, sql);
    change.requirements = {iceberg::ViewRequirement{uuid}};
    change.updates.erase(change.updates.begin(), change.updates.begin() + 2);
    return change;
  }

  const TableName daily_{{"sales"}, "daily"};
};

TEST_P(ViewContract, AMadeViewIsFoundListedReplacedAndDropped) {
  EXPECT_EQ(catalog_->LoadView(context(), daily_).error().kind, ErrorKind::kNotFound);
  const auto made = catalog_->CommitView(context(), daily_, NewView(daily_));
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(*catalog_->ListViews(context(), {"sales"}), std::vector<TableName>{daily_});
  EXPECT_TRUE(catalog_->ListTables(context(), {"sales"})->empty());
  const auto replaced =
      catalog_->CommitView(context(), daily_, NewQuery(made->metadata->uuid, "SELECT 2"));
  ASSERT_TRUE(replaced.ok()) << replaced.error().message;
  if (GetParam() != "memory") catalog_ = Make("test");
  const auto loaded = catalog_->LoadView(context(), daily_);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->metadata_location, replaced->metadata_location);
  EXPECT_EQ(*loaded->metadata->SqlFor("spark"), "SELECT 2");
  EXPECT_EQ(catalog_->DropNamespace(context(), {"sales"}).error().kind, ErrorKind::kRefused);
  ASSERT_TRUE(catalog_->DropView(context(), daily_).ok());
  EXPECT_EQ(catalog_->DropView(context(), daily_).error().kind, ErrorKind::kNotFound);
  if (Type() == kRest) return;  // a server may have removed the view's metadata
  const auto back = catalog_->RegisterView(context(), daily_, loaded->metadata_location);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->metadata->uuid, made->metadata->uuid);
}

TEST_P(ViewContract, WhatKeepsAViewFromChangingIsToldApart) {
  const TableName elsewhere{{"nowhere"}, "daily"};
  if (Type() != kRest) {  // a server may make a view where there is no namespace
    EXPECT_EQ(catalog_->CommitView(context(), elsewhere, NewView(daily_)).error().kind,
              ErrorKind::kNotFound);
  }
  EXPECT_EQ(catalog_->CommitView(context(), daily_, NewQuery("u", "SELECT 2")).error().kind,
            ErrorKind::kNotFound);
  const auto made = catalog_->CommitView(context(), daily_, NewView(daily_));
  ASSERT_TRUE(made.ok());
  EXPECT_EQ(catalog_->CommitView(context(), daily_, NewView(daily_)).error().kind,
            ErrorKind::kAlreadyExists);
  EXPECT_EQ(catalog_->CommitView(context(), daily_, NewQuery("u", "SELECT 2")).error().kind,
            ErrorKind::kConflict);
}

TEST_P(ViewContract, AViewAndATableNeverShareAName) {
  ASSERT_TRUE(catalog_->CommitView(context(), daily_, NewView(daily_)).ok());
  MakeTable(orders_);
  const CommitOutcome table =
      catalog_->Commit(context(), {{.table = daily_, .change = NewTable(daily_)}});
  ASSERT_TRUE(std::holds_alternative<Conflict>(table));
  const bool own_words = Type() != kRest;
  EXPECT_NE(std::get<Conflict>(table).reason.find(own_words ? "view sales.daily" : "sales.daily"),
            std::string::npos);
  const auto view = catalog_->CommitView(context(), orders_, NewView(orders_));
  EXPECT_EQ(view.error().kind, ErrorKind::kAlreadyExists);
  EXPECT_NE(view.error().message.find("table sales.orders"), std::string::npos);
  EXPECT_EQ(catalog_->RenameView(context(), daily_, orders_).error().kind,
            ErrorKind::kAlreadyExists);
  EXPECT_EQ(catalog_->RenameTable(context(), orders_, daily_).error().kind,
            ErrorKind::kAlreadyExists);
  EXPECT_EQ(catalog_->DropTable(context(), daily_).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(catalog_->DropView(context(), orders_).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(catalog_->LoadView(context(), orders_).error().kind, ErrorKind::kNotFound);
  EXPECT_EQ(catalog_->LoadTable(context(), daily_).error().kind, ErrorKind::kNotFound);
}

TEST_P(ViewContract, AViewIsRenamedIntoAnotherNamespace) {
  ASSERT_TRUE(catalog_->CommitView(context(), daily_, NewView(daily_)).ok());
  const TableName moved{{"reports"}, "each_day"};
  EXPECT_EQ(catalog_->RenameView(context(), daily_, moved).error().kind, ErrorKind::kNotFound);
  ASSERT_TRUE(catalog_->CreateNamespace(context(), {"reports"}, {}).ok());
  ASSERT_TRUE(catalog_->RenameView(context(), daily_, moved).ok());
  const Status gone = catalog_->RenameView(context(), daily_, moved);
  // A server may look at the new name first, which is taken.
  EXPECT_TRUE(gone.error().kind == ErrorKind::kNotFound ||
              (Type() == kRest && gone.error().kind == ErrorKind::kAlreadyExists));
  EXPECT_TRUE(catalog_->LoadView(context(), moved).ok());
}

/// What catalogs do that remember requests.
class RequestContract : public ViewContract {
 protected:
  void SetUp() override {
    if (catalog_->ForRequest("any") == nullptr)
      GTEST_SKIP() << "this catalog remembers no requests";
    ViewContract::SetUp();
  }
};

TEST_P(RequestContract, ACommitThatIsSentTwiceIsMadeOnce) {
  MakeTable(orders_);
  const auto once = [&] {
    return catalog_->ForRequest("k1")->Commit(
        context(), {{.table = orders_, .change = SetProperty("a", "b")}});
  };
  EXPECT_FALSE(catalog_->FindRequest(context(), "k1")->has_value());
  const CommitOutcome first = once();
  ASSERT_TRUE(std::holds_alternative<Committed>(first));
  const CommitOutcome second = once();
  ASSERT_TRUE(std::holds_alternative<Committed>(second));
  const std::string location = std::get<Committed>(first).tables[0].metadata_location;
  EXPECT_EQ(std::get<Committed>(second).tables[0].metadata_location, location);
  EXPECT_EQ(catalog_->LoadTable(context(), orders_)->metadata_location, location);
  const auto known = catalog_->FindRequest(context(), "k1");
  ASSERT_TRUE(known.ok() && known->has_value());
  EXPECT_EQ((*known)->tables[0].metadata->properties.at("a"), "b");
  EXPECT_EQ(
      files_
          .ListAll(context(), std::get<Committed>(first).tables[0].metadata->location + "/metadata")
          ->size(),
      2U);
}

TEST_P(RequestContract, ATableThatIsMadeTwiceUnderOneKeyIsMadeOnce) {
  const CatalogChange change{.table = orders_, .change = NewTable(orders_)};
  ASSERT_TRUE(
      std::holds_alternative<Committed>(catalog_->ForRequest("k")->Commit(context(), {change})));
  EXPECT_TRUE(
      std::holds_alternative<Committed>(catalog_->ForRequest("k")->Commit(context(), {change})));
  EXPECT_TRUE(std::holds_alternative<Conflict>(
      catalog_->ForRequest("another")->Commit(context(), {change})));
}

TEST_P(RequestContract, WhatFailedIsNotRemembered) {
  const CatalogChange change{.table = orders_, .change = SetProperty("a", "b")};
  EXPECT_FALSE(
      std::holds_alternative<Committed>(catalog_->ForRequest("k")->Commit(context(), {change})));
  EXPECT_FALSE(catalog_->FindRequest(context(), "k")->has_value());
  MakeTable(orders_);
  EXPECT_TRUE(
      std::holds_alternative<Committed>(catalog_->ForRequest("k")->Commit(context(), {change})));
}

TEST_P(RequestContract, EveryChangeIsAnsweredAgainAsItWas) {
  const auto sent = [&](const std::string& key) { return catalog_->ForRequest(key); };
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(sent("1")->CreateNamespace(context(), {"fresh"}, {}).ok());
    const auto update = sent("2")->UpdateNamespace(context(), {"fresh"}, {"x"}, {{"a", "b"}});
    ASSERT_TRUE(update.ok());
    EXPECT_EQ(update->updated, std::vector<std::string>{"a"});
    EXPECT_EQ(update->missing, std::vector<std::string>{"x"});
    const auto view = sent("3")->CommitView(context(), daily_, NewView(daily_));
    ASSERT_TRUE(view.ok());
    EXPECT_TRUE(sent("4")->RenameView(context(), daily_, {{"sales"}, "weekly"}).ok());
    EXPECT_TRUE(sent("5")->DropView(context(), {{"sales"}, "weekly"}).ok());
    EXPECT_TRUE(sent("6")->DropNamespace(context(), {"fresh"}).ok());
  }
  EXPECT_EQ(sent("7")->DropNamespace(context(), {"fresh"}).error().kind, ErrorKind::kNotFound);
}

TEST_P(RequestContract, OfManyWithOneKeyOneIsMadeAndAllAreAnswered) {
  MakeTable(orders_);
  std::atomic<int> committed = 0;
  {
    std::vector<std::jthread> threads;
    for (uint64_t i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        OwnedContext own(100 + i);
        const CommitOutcome outcome = catalog_->ForRequest("k")->Commit(
            *own, {{.table = orders_, .change = SetProperty("a", "b")}});
        if (std::holds_alternative<Committed>(outcome)) ++committed;
      });
    }
  }
  EXPECT_EQ(committed, 4);
  EXPECT_EQ(catalog_->LoadTable(context(), orders_)->metadata->metadata_log.size(), 1U);
}

TEST_P(RequestContract, ARequestIsForgottenAfterItsLifetime) {
  MakeTable(orders_);
  auto owned_clock = std::make_unique<ManualClock>(TimestampFromMillis(1'700'000'000'000));
  ManualClock& clock = *owned_clock;
  OwnedContext own(std::move(owned_clock), 5);
  const auto change = [&](const std::string& key) {
    return std::holds_alternative<Committed>(catalog_->ForRequest(key)->Commit(
        *own, {{.table = orders_, .change = SetProperty(key, "1")}}));
  };
  ASSERT_TRUE(change("old"));
  clock.Advance(std::chrono::minutes(31));
  ASSERT_TRUE(change("young"));
  EXPECT_FALSE(catalog_->FindRequest(*own, "old")->has_value());
  EXPECT_TRUE(catalog_->FindRequest(*own, "young")->has_value());
}

std::vector<std::string> AllKinds() {
  Registry registry;
  RegisterParts(registry);
  std::vector<std::string> kinds;
  for (const auto& [type, kind] : registry.kinds()) {
    if (!NeedsServer(type) || UriOf(type) != nullptr) kinds.push_back(type);
  }
  if (std::getenv("CALVE_TEST_S3_ENDPOINT") != nullptr) kinds.emplace_back(kOnS3);
  if (std::getenv("CALVE_TEST_POSTGRES") != nullptr) kinds.emplace_back(kOnPostgres);
  if (std::getenv("CALVE_TEST_HIVE4") != nullptr) kinds.emplace_back(kHive4);
  return kinds;
}

const auto kKindName = [](const testing::TestParamInfo<std::string>& info) { return info.param; };

INSTANTIATE_TEST_SUITE_P(Registered, CatalogContract, testing::ValuesIn(AllKinds()), kKindName);
INSTANTIATE_TEST_SUITE_P(Registered, ViewContract, testing::ValuesIn(AllKinds()), kKindName);
INSTANTIATE_TEST_SUITE_P(Registered, RequestContract, testing::ValuesIn(AllKinds()), kKindName);

/// A store that speaks like S3 and ignores conditions.
class CarelessStore : public io::FileSystemSet {
 public:
  Status CreateIfAbsent(const Context& context, const std::string& uri,
                        std::string_view bytes) override {
    return WriteFile(context, uri, bytes, {.overwrite = io::OverwritePolicy::kReplace}).status();
  }
  Result<io::Capabilities> CapabilitiesFor(const std::string&) override {
    return io::Capabilities{.atomic_create = says_so, .folders = false};
  }
  bool says_so = true;
};

TEST(FilesystemCatalogTest, AStoreThatReplacesWhatIsThereGetsNoTable) {
  Registry registry;
  RegisterParts(registry);
  const io::TestFolder folder;
  const OwnedContext context(7);
  for (const bool says_so : {true, false}) {
    CarelessStore store;
    store.says_so = says_so;
    const std::string warehouse = "file://" + folder.path();
    auto catalog = registry.Make(
        {.type = "filesystem"},
        {.name = "c", .warehouse = warehouse, .project_folder = folder.path(), .files = &store});
    ASSERT_TRUE(catalog.ok());
    iceberg::CreateTableOptions options;
    options.location = warehouse + "/sales/orders";
    options.uuid = NewUuidString(*context->random);
    options.fields = {Field{.id = FieldId(1), .name = "id", .type = iceberg::Type::Long()}};
    auto change = iceberg::CreateTable(options);
    ASSERT_TRUE(change.ok());
    const CommitOutcome outcome =
        (*catalog)->Commit(*context, {{.table = {{"sales"}, "orders"}, .change = *change}});
    ASSERT_TRUE(std::holds_alternative<Refused>(outcome));
    EXPECT_NE(std::get<Refused>(outcome).error.message.find("use a sql catalog"),
              std::string::npos);
    EXPECT_TRUE(store.ListAll(*context, warehouse, {.recursive = true})->empty());
  }
}

TEST(SqlCatalogTest, TablesOfVersion0TakeTablesAndRefuseViewsSayingWhatToDo) {
  io::TestFolder folder;
  OwnedContext context(3);
  {
    auto database = io::SqliteDatabase::Open(folder.At("catalog.db"));
    ASSERT_TRUE(database.ok());
    ASSERT_TRUE(database
                    ->Execute("CREATE TABLE iceberg_tables (catalog_name VARCHAR(255) NOT NULL, "
                              "table_namespace VARCHAR(255) NOT NULL, table_name VARCHAR(255) NOT "
                              "NULL, metadata_location VARCHAR(1000), previous_metadata_location "
                              "VARCHAR(1000), PRIMARY KEY (catalog_name, table_namespace, "
                              "table_name))")
                    .ok());
  }
  io::FileSystemSet files{io::Properties()};
  Registry registry;
  RegisterParts(registry);
  config::Faults faults;
  config::PartOptions options{.type = "sql"};
  options.node = config::ParseYaml("path: " + folder.At("catalog.db"), "test", faults);
  const auto catalog = registry.Make(options, {.name = "old",
                                               .warehouse = "file://" + folder.At("warehouse"),
                                               .project_folder = folder.path(),
                                               .files = &files});
  ASSERT_TRUE(catalog.ok());
  const auto refused = (*catalog)->LoadView(*context, {{"sales"}, "daily"});
  EXPECT_EQ(refused.error().kind, ErrorKind::kRefused);
  EXPECT_NE(refused.error().message.find("ALTER TABLE"), std::string::npos);
  EXPECT_TRUE((*catalog)->ListTables(*context, {"sales"})->empty());
  ASSERT_TRUE((*catalog)->CreateNamespace(*context, {"sales"}, {}).ok());
  iceberg::CreateTableOptions table;
  table.location = "file://" + folder.At("warehouse/sales/orders");
  table.uuid = NewUuidString(*context->random);
  table.fields = {Field{.id = FieldId(1), .name = "id", .type = iceberg::Type::Long()}};
  const TableName orders{{"sales"}, "orders"};
  EXPECT_TRUE(std::holds_alternative<Committed>(
      (*catalog)->Commit(*context, {{.table = orders, .change = *iceberg::CreateTable(table)}})));
  EXPECT_TRUE((*catalog)->LoadTable(*context, orders).ok());
}

TEST(SqlCatalogTest, ALevelWithADotIsRefusedClearly) {
  io::TestFolder folder;
  OwnedContext context(3);
  io::FileSystemSet files{io::Properties()};
  Registry registry;
  RegisterParts(registry);
  const auto catalog = registry.Make({.type = "sql"}, {.name = "dots",
                                                       .warehouse = "file://" + folder.path(),
                                                       .project_folder = folder.path(),
                                                       .files = &files});
  ASSERT_TRUE(catalog.ok());
  const Status made = (*catalog)->CreateNamespace(*context, {"a.b"}, {});
  EXPECT_EQ(made.error().kind, ErrorKind::kConfig);
  EXPECT_NE(made.error().message.find("a.b"), std::string::npos);
  ASSERT_TRUE((*catalog)->CreateNamespace(*context, {"a", "b"}, {}).ok());
  EXPECT_EQ((*catalog)->LoadNamespace(*context, {"a.b"}).error().kind, ErrorKind::kNotFound);
}

TEST(FolderOfTest, NoNameLeavesTheWarehouseOrStandsInAnothersFolder) {
  EXPECT_EQ(FolderOf({{"a", "b"}, "t"}), "a/b/t");
  EXPECT_EQ(FolderOf({{"a/b"}, "t"}), "a~2Fb/t");
  EXPECT_EQ(FolderOf({{".."}, "."}), "~2E~2E/~2E");
  EXPECT_EQ(FolderOf({{"a~2Fb"}, "x.y"}), "a~7E2Fb/x.y");
}

TEST(MetadataStoreTest, AFileWhoseWritingMetAFaultIsTakenBackAndItsCommitIsSurelyNotIn) {
  const OwnedContext context(7);
  iceberg::CreateTableOptions options;
  options.location = "memory://lake/t";
  options.uuid = NewUuidString(*context->random);
  options.fields = {Field{.id = FieldId(1), .name = "id", .type = iceberg::Type::Long()}};
  const auto change = iceberg::CreateTable(options);
  ASSERT_TRUE(change.ok());
  for (const io::FaultEffect effect : {io::FaultEffect::kFailAfter, io::FaultEffect::kFailBefore}) {
    io::FaultyFileSystem files(std::make_shared<io::MemoryFileSystem>(),
                               {.decide = [&](int64_t, io::FileCall call, const std::string&) {
                                 return call == io::FileCall::kClose ? effect
                                                                     : io::FaultEffect::kNone;
                               }});
    MetadataStore store(files);
    const auto prepared = store.Prepare(*context, nullptr, *change);
    ASSERT_FALSE(prepared.ok());
    EXPECT_EQ(prepared.error().kind, ErrorKind::kTransient);
    const auto lying = files.ListAll(*context, "memory://lake", {.recursive = true});
    EXPECT_TRUE(!lying.ok() || lying->empty());
  }
}

TEST(TableNameTest, PartsAreSplitAtDotsAndMustMakeSense) {
  EXPECT_EQ(TableName::Parse("a.b.c")->ToString(), "a.b.c");
  EXPECT_EQ(TableName::Parse("a.b.c")->ns, (Namespace{"a", "b"}));
  for (const char* bad : {"", "orders", "a..b", ".a", "a.", "a/b.c", "..b", "a.b\\c"}) {
    EXPECT_EQ(TableName::Parse(bad).error().kind, ErrorKind::kConfig) << bad;
  }
}

}  // namespace
}  // namespace calve::catalog
