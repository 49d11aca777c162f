#include "config/reference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace calve::config {
namespace {

Definitions Some() {
  Definitions definitions;
  const auto add = [](std::map<std::string, Definition>& to, const std::string& name,
                      std::string_view text) {
    Definition& added = to[name];
    added.node = ParseYaml(text, name + ".yaml", added.faults);
  };
  add(definitions.sources, "shop", "type: postgresql\nhost: db\ntables: [a, b]\n");
  add(definitions.sources, "shop_replica", "ref: shop\nhost: replica\n");
  add(definitions.sources, "loop", "ref: loop\n");
  add(definitions.templates, "daily",
      "parameters:\n  store: {meaning: Which store.}\n  columns: {default: [x]}\n  hour: {default: "
      "5}\n"
      "cron_expression: '0 ${with.hour} * * *'\nsource: {ref: shop, query: \"$${with.store} "
      "${with.store}\"}\n"
      "transformer: {date_columns: '${with.columns}'}\n");
  add(definitions.templates, "weekly", "template: daily\nwith: {store: all}\nweekly: true\n");
  add(definitions.templates, "loop", "template: loop\n");
  add(definitions.templates, "source_template",
      "parameters: {host: }\ntype: mysql\nhost: ${with.host}\n");
  add(definitions.templates, "wrong", "a: x${with.nothing}\n");
  add(definitions.templates, "in_text", "parameters: {list: }\na: x${with.list}\n");
  add(definitions.templates, "unused",
      "parameters: {used: {default: 1}, not: }\na: ${with.used}\n");
  add(definitions.templates, "broken", "a: [\n");
  add(definitions.types, "register",
      "parameters: {place: }\nsource: {ref: shop, host: \"${with.place}\"}\n");
  return definitions;
}

std::string Resolve(std::string_view text) {
  Faults faults;
  Node node = ParseYaml(text, "job.yaml", faults);
  ResolveReferences(node, Some(), faults);
  return faults.empty() ? ToFlowYaml(node) : faults.Render("stopped");
}

TEST(Reference, ASourceIsPutInWithTheJobsKeysWinning) {
  EXPECT_EQ(Resolve("source: {ref: shop}"),
            "{source: {type: postgresql, host: db, tables: [a, b]}}");
  EXPECT_EQ(Resolve("source: {ref: shop, host: mine, tables: [c], more: 1}"),
            "{source: {type: postgresql, host: mine, tables: [c], more: 1}}");
  EXPECT_EQ(Resolve("source: {ref: shop_replica}"),
            "{source: {type: postgresql, host: replica, tables: [a, b]}}");
  EXPECT_EQ(Resolve("source: {type: csv}\nx: {ref: shop}"),
            "{source: {type: csv}, x: {ref: shop}}");
}

TEST(Reference, ATemplateIsPutInWithItsParameters) {
  EXPECT_EQ(
      Resolve("template: daily\nwith: {store: berlin, columns: [date, day]}\nenabled: true\n"),
      "{cron_expression: 0 5 * * *, source: {type: postgresql, host: db, tables: [a, b], query: "
      "\"$${with.store} berlin\"}, "
      "transformer: {date_columns: [date, day]}, enabled: true}");
  EXPECT_EQ(Resolve("template: weekly\nsource: {host: other}\n"),
            "{cron_expression: 0 5 * * *, source: {type: postgresql, host: other, tables: [a, b], "
            "query: \"$${with.store} all\"}, "
            "transformer: {date_columns: [x]}, weekly: true}");
  EXPECT_EQ(Resolve("source: {template: source_template, with: {host: \"${HOST}\"}}"),
            "{source: {type: mysql, host: \"${HOST}\"}}");
}

TEST(Reference, WhatIsNotThereNamesTheNearest) {
  EXPECT_EQ(Resolve("source: {ref: shp}"),
            "job.yaml:1:15   there is no source 'shp'; did you mean 'shop'?\n1 fault, stopped.");
  EXPECT_EQ(Resolve("template: zzzzzz"),
            "job.yaml:1:11   there is no template 'zzzzzz'; one of broken, daily, in_text, "
            "loop, source_template, unused, weekly, wrong, register\n1 fault, stopped.");
  EXPECT_EQ(Resolve("source: {ref: [shop]}"),
            "job.yaml:1:15   expected the name of a source; write one\n1 fault, stopped.");
  Faults faults;
  Node node = *ParseYaml("template: x", "job.yaml");
  ResolveReferences(node, {}, faults);
  EXPECT_EQ(
      faults.Render("stopped"),
      "job.yaml:1:11   there is no template 'x'; config/templates holds none\n1 fault, stopped.");
}

TEST(Reference, ParametersAreChecked) {
  EXPECT_EQ(Resolve("template: daily"),
            "job.yaml:1:11   template 'daily' needs 'store'; write with: {store: ...}\n1 fault, "
            "stopped.");
  EXPECT_EQ(Resolve("template: daily\nwith: {stor: x, zzzzzz: 1}"),
            "job.yaml:2:8    template 'daily' has no parameter 'stor'; did you mean 'store'?\n"
            "job.yaml:2:17   template 'daily' has no parameter 'zzzzzz'; one of store, columns, "
            "hour\n2 faults, stopped.");
  EXPECT_EQ(Resolve("template: daily\nwith: [x]"),
            "job.yaml:2:7   with is a mapping of names to values, not a list or a single value; "
            "write {name: value}\n1 fault, stopped.");
  EXPECT_EQ(Resolve("template: wrong"),
            "wrong.yaml:1:4   'nothing' is no parameter of this template; declare it under "
            "parameters\n1 fault, stopped.");
  EXPECT_EQ(Resolve("template: in_text\nwith: {list: [1]}"),
            "in_text.yaml:2:4   '${with.list}' is no single value, so it can't be part of a text; "
            "let it stand alone\n1 fault, stopped.");
}

TEST(Reference, AJobsTypeMayBeATemplate) {
  EXPECT_EQ(Resolve("type: register\nwith: {place: here}\nenabled: true\n"),
            "{source: {type: postgresql, host: here, tables: [a, b]}, enabled: true}");
  EXPECT_EQ(Resolve("template: register\nwith: {place: here}\n"),
            "{source: {type: postgresql, host: here, tables: [a, b]}}");
  EXPECT_EQ(Resolve("type: generic\nsource: {type: register}\n"),
            "{type: generic, source: {type: register}}");
  EXPECT_EQ(Resolve("type: register\n"),
            "job.yaml:1:7   template 'register' needs 'place'; write with: {place: ...}\n1 fault, "
            "stopped.");
}

TEST(Reference, AnUnusedParameterIsAFaultOfTheTemplate) {
  EXPECT_EQ(
      Resolve("template: unused\nwith: {not: 1}"),
      "unused.yaml:1:34   template 'unused' never uses its parameter 'not'; write ${with.not} "
      "where it belongs, or leave it out\n1 fault, stopped.");
}

TEST(Reference, WhatIsWrongWithAFileIsToldWhereItIsUsed) {
  EXPECT_THAT(Resolve("template: broken"), testing::StartsWith("broken.yaml:2:1 "));
  EXPECT_EQ(Resolve("a: 1"), "{a: 1}");
}

TEST(Reference, CirclesEnd) {
  EXPECT_EQ(Resolve("source: {ref: loop}"),
            "loop.yaml:1:6   sources refer to each other more than 8 deep; flatten them\n1 fault, "
            "stopped.");
  EXPECT_EQ(Resolve("template: loop"),
            "loop.yaml:1:11   templates use each other more than 8 deep; flatten them\n1 fault, "
            "stopped.");
}

}  // namespace
}  // namespace calve::config
