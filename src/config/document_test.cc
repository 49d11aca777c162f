#include "config/document.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "config/option.h"

namespace calve::config {
namespace {

enum class Mode { kAppend, kMerge };
Names<Mode> NamesOf(Mode) {
  return {{"append", Mode::kAppend, "Add rows."}, {"merge", Mode::kMerge, "Replace by key."}};
}

struct Tree {
  std::string name;
  std::vector<Tree> children;
  static Shape<Tree> Declaration() {
    Shape<Tree> shape("tree node", "A node.");
    shape.Required("name", &Tree::name, "Its name.", {.example = "root"});
    shape.Optional("children", &Tree::children, "Below it.");
    return shape;
  }
};

struct ColumnOptions {
  std::string type;
  static Shape<ColumnOptions> Declaration() {
    Shape<ColumnOptions> shape("column");
    shape.Required("type", &ColumnOptions::type, "Its type.");
    return shape;
  }
};

struct ThingOptions {
  std::string path;
  int rows = 10;
  Mode mode = Mode::kAppend;
  std::vector<std::string> nulls = {"", "NA"};
  std::chrono::seconds timeout{90};
  ByteCount size{7};
  Fraction share{0.5};
  bool strict = true;
  std::string token;
  Tree tree;
  std::map<std::string, ColumnOptions> columns;
  Node extra;
  static Shape<ThingOptions> Declaration() {
    Shape<ThingOptions> shape("thing source", "Read things.");
    shape.Required("path", &ThingOptions::path, "Where | how.",
                   {.example = "s3://a/b", .aliases = {"uri"}});
    shape.Optional("rows", &ThingOptions::rows, "How many.", {.min = 1, .max = 100});
    shape.Optional("mode", &ThingOptions::mode, "What happens.");
    shape.Optional("nulls", &ThingOptions::nulls, "Texts that mean NULL.");
    shape.Optional("timeout", &ThingOptions::timeout, "How long.",
                   {.min = std::chrono::seconds(1)});
    shape.Optional("size", &ThingOptions::size, "How large.", {.default_text = "what fits"});
    shape.Optional("share", &ThingOptions::share, "How much.", {.max = 1});
    shape.Optional("strict", &ThingOptions::strict, "Whether to be strict.");
    shape.Optional("token", &ThingOptions::token, "A token.",
                   {.secret = true, .environment = "THING_TOKEN"});
    shape.Optional("tree", &ThingOptions::tree, "A tree.");
    shape.Optional("columns", &ThingOptions::columns, "Columns by name.");
    shape.Optional("extra", &ThingOptions::extra, "Anything.");
    shape.AtMostOneOf({"rows", "size"});
    return shape;
  }
};

TEST(ReferencePage, ShowsEveryKeyWithTypeDefaultAndMeaning) {
  EXPECT_EQ(ReferencePage(ThingOptions::Declaration().Describe(), {.type = "thing"}),
            R"(# thing source

Read things.

| key | type | default | meaning |
|---|---|---|---|
| `path` | text | required | Where \| how. Older name: `uri`. |
| `rows` | whole number from 1 to 100 | `10` | How many. |
| `mode` | `append`, `merge` | `append` | What happens. `append`: Add rows. `merge`: Replace by key. |
| `nulls` | list of texts | `["", NA]` | Texts that mean NULL. |
| `timeout` | duration of at least 1s | `1m30s` | How long. |
| `size` | size | what fits | How large. |
| `share` | share of at most 1 | `0.5` | How much. |
| `strict` | true or false | `true` | Whether to be strict. |
| `token` | text | `$THING_TOKEN` | A token. Secret: write it as `${NAME}` or `${file:path}`. |
| `tree` | tree node |  | A tree. |
| `tree.name` | text | required | Its name. |
| `tree.children` | list of tree node mappings |  | Below it. |
| `columns` | mapping of names to column mappings |  | Columns by name. |
| `columns.<name>.type` | text | required | Its type. |
| `extra` | any value |  | Anything. |

Give at most one of `rows`, `size`.

```yaml
type: thing
path: s3://a/b
tree:
  name: root
```
)");
}

TEST(ReferencePage, AShapeWithoutKeysSaysSo) {
  struct Nothing {};
  EXPECT_EQ(ReferencePage(Shape<Nothing>("nothing", "Does nothing.").Describe(),
                          {.title = "Nothing at all", .level = 3}),
            "### Nothing at all\n\nDoes nothing.\n\nIt takes no keys.\n");
}

using Json = nlohmann::json;

Json SchemaOf(const ShapeDescription& shape) { return Json::parse(JsonSchema(shape)); }

TEST(JsonSchema, DescribesEveryKey) {
  const Json schema = SchemaOf(ThingOptions::Declaration().Describe());
  EXPECT_EQ(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
  EXPECT_EQ(schema["title"], "thing source");
  EXPECT_EQ(schema["additionalProperties"], false);
  EXPECT_EQ(schema["required"], Json({"path"}));
  const Json& p = schema["properties"];
  EXPECT_EQ(
      p["path"],
      Json::parse(
          R"({"description": "Where | how.", "type": ["string", "number", "boolean"], "examples": ["s3://a/b"]})"));
  EXPECT_EQ(p["uri"]["deprecated"], true);
  EXPECT_EQ(p["rows"], Json::parse(R"({"description": "How many.", "default": 10,
      "anyOf": [{"type": "integer", "minimum": 1, "maximum": 100}, {"$ref": "#/$defs/filled"}]})"));
  EXPECT_EQ(p["mode"]["anyOf"][0]["enum"], Json({"append", "merge"}));
  EXPECT_EQ(p["mode"]["default"], "append");
  EXPECT_EQ(p["mode"]["description"], "What happens.\nappend: Add rows.\nmerge: Replace by key.");
  EXPECT_EQ(p["nulls"]["items"]["type"][0], "string");
  EXPECT_EQ(p["nulls"]["default"], Json({"", "NA"}));
  EXPECT_EQ(p["timeout"]["default"], "1m30s");
  EXPECT_EQ(p["share"]["default"], 0.5);
  EXPECT_EQ(p["strict"]["default"], true);
  EXPECT_EQ(p["token"]["writeOnly"], true);
  EXPECT_FALSE(p["token"].contains("default"));
  EXPECT_EQ(p["token"]["description"],
            "A token.\nWhen not given: the environment variable THING_TOKEN.");
  EXPECT_EQ(p["columns"]["additionalProperties"]["$ref"], "#/$defs/column");
  EXPECT_EQ(p["extra"], Json::parse(R"({"description": "Anything."})"));
  EXPECT_EQ(schema["allOf"], Json::parse(R"([{"not": {"required": ["rows", "size"]}}])"));
}

TEST(JsonSchema, AShapeMayContainItself) {
  const Json schema = SchemaOf(ThingOptions::Declaration().Describe());
  EXPECT_EQ(schema["properties"]["tree"]["$ref"], "#/$defs/tree_node");
  EXPECT_EQ(schema["$defs"]["tree_node"]["properties"]["children"]["items"]["$ref"],
            "#/$defs/tree_node");
}

struct Job {
  PartOptions source;
  PartOptions loader;
};

TEST(JsonSchema, PartsAreToldApartByType) {
  auto sources = std::make_shared<Parts>();
  sources->noun = "source";
  sources->parts = {MakePart<ThingOptions>("thing"), MakePart<Tree>("tree")};
  sources->families = {{"file", "format"}};
  auto loaders = std::make_shared<Parts>();
  loaders->noun = "loader";
  loaders->parts = {MakePart<ColumnOptions>("column")};
  loaders->default_name = "column";
  Shape<Job> shape("job");
  shape.Required("source", &Job::source, "Where data is.", {.parts = sources});
  shape.Optional("loader", &Job::loader, "Where data goes.", {.parts = loaders});
  const Json schema = SchemaOf(shape.Describe());
  const Json& source = schema["properties"]["source"]["oneOf"];
  ASSERT_EQ(source.size(), 3u);
  EXPECT_EQ(source[1]["$ref"], "#/$defs/source_tree");
  const Json& tree = schema["$defs"]["source_tree"];
  EXPECT_EQ(tree["properties"]["type"]["const"], "tree");
  EXPECT_EQ(tree["required"], Json({"type", "name"}));
  EXPECT_EQ(tree["properties"]["children"]["items"]["$ref"], "#/$defs/tree_node");
  EXPECT_FALSE(schema["$defs"]["tree_node"]["properties"].contains("type"));
  EXPECT_EQ(source[2]["properties"]["type"]["const"], "file");
  EXPECT_EQ(source[2]["properties"]["format"]["enum"], Json({"thing", "tree"}));
  EXPECT_EQ(schema["$defs"]["loader_column"]["required"], Json({"type"}));
}

TEST(JsonSchema, IdAndTitleAreTheCallers) {
  const Json schema = Json::parse(
      JsonSchema(Tree::Declaration().Describe(), {.id = "urn:calve:tree", .title = "A tree file"}));
  EXPECT_EQ(schema["$id"], "urn:calve:tree");
  EXPECT_EQ(schema["title"], "A tree file");
}

}  // namespace
}  // namespace calve::config
