// The three languages to one tree: positions, quoting, and the bounds on hostile text.
#include <gtest/gtest.h>

#include <string>

#include "core/base/strings.h"
#include "core/config/node.h"
#include "core/config/toml_parser.h"
#include "core/config/yaml_parser.h"

namespace sluice {
namespace {

// "1:1 map{1:1 a=1:4 "x", ...}": everything that a tree holds.
std::string Dump(const Node& node) {
  std::string text =
      StrCat({std::to_string(node.mark.line), ":", std::to_string(node.mark.column)});
  switch (node.kind) {
    case Node::Kind::kNull:
      return text + " null";
    case Node::Kind::kScalar:
      return StrCat({text, " \"", node.text, "\""});
    case Node::Kind::kList:
      text += " [";
      for (const Node& item : node.items) text += Dump(item) + ",";
      return text + "]";
    case Node::Kind::kMap:
      text += " {";
      for (size_t i = 0; i < node.keys.size(); ++i) {
        text += StrCat({std::to_string(node.keys[i].mark.line), ":",
                        std::to_string(node.keys[i].mark.column), " ", node.keys[i].name, "=",
                        Dump(node.items[i]), ","});
      }
      return text + "}";
  }
  return "";
}

std::string Outcome(const ParseResult& result) {
  if (result) return Dump(*result);
  return StrCat({"error ", std::to_string(result.error().mark.line), ":",
                 std::to_string(result.error().mark.column), " ", result.error().message});
}

TEST(YamlParser, KeepsPlacesOfKeysAndValues) {
  EXPECT_EQ(
      Outcome(ParseYaml("a: 1\nb:\n  - x\n  - {c: 'd', e: \"\"}\n")),
      "1:1 {1:1 a=1:4 \"1\",2:1 b=3:3 [3:5 \"x\",4:5 {4:6 c=4:9 \"d\",4:14 e=4:17 \"\",},],}");
}

TEST(YamlParser, NullsTakeThePlaceOfTheirKey) {
  EXPECT_EQ(Outcome(ParseYaml("a:\nb: ~\nc: [null]\n")),
            "1:1 {1:1 a=1:1 null,2:1 b=2:1 null,3:1 c=3:4 [3:5 null,],}");
}

TEST(YamlParser, EmptyTextIsAnEmptyMap) {
  EXPECT_EQ(Outcome(ParseYaml("")), "1:1 {}");
  EXPECT_EQ(Outcome(ParseYaml("# nothing\n---\n")), "1:1 {}");
}

TEST(YamlParser, BlockScalarsAndByteOrderMark) {
  EXPECT_EQ(Outcome(ParseYaml("\xef\xbb\xbf"
                              "a: |\n  x\n  y\n")),
            "1:1 {1:1 a=1:4 \"x\ny\n\",}");
}

TEST(YamlParser, DuplicateKeysStay) {
  EXPECT_EQ(Outcome(ParseYaml("a: 1\na: 2\n")), "1:1 {1:1 a=1:4 \"1\",2:1 a=2:4 \"2\",}");
}

TEST(YamlParser, AliasesAreExpanded) {
  EXPECT_EQ(Outcome(ParseYaml("a: &x [1]\nb: *x\n")),
            "1:1 {1:1 a=1:4 [1:8 \"1\",],2:1 b=1:4 [1:8 \"1\",],}");
}

TEST(YamlParser, RefusesWhatConfigHasNoUseFor) {
  EXPECT_EQ(Outcome(ParseYaml("a: 1\n---\nb: 2\n")),
            "error 2:1 a second document: one file holds one configuration");
  EXPECT_EQ(Outcome(ParseYaml("a: !int 5\n")), "error 1:4 tags such as !int mean nothing here");
  EXPECT_EQ(Outcome(ParseYaml("? [a, b]\n: c\n")), "error 1:3 a key must be a name");
  EXPECT_EQ(Outcome(ParseYaml("~: c\n")), "error 1:1 a key is missing");
  EXPECT_EQ(Outcome(ParseYaml("a: &x [*x]\n")), "error 1:8 an alias inside what it stands for");
}

TEST(YamlParser, SaysWhatToDoAboutSyntax) {
  EXPECT_EQ(Outcome(ParseYaml("a: %client_ip%\n")),
            "error 1:4 a value cannot begin with this character: put it in quotes");
  EXPECT_EQ(Outcome(ParseYaml("a: b: c\n")),
            "error 1:5 a \":\" does not belong here: check the indentation, and quote values that "
            "hold one");
  EXPECT_EQ(Outcome(ParseYaml("a: [1, 2\nb: 3\n")), "error 1:4 this \"[\" has no \"]\"");
}

TEST(YamlParser, DepthIsBounded) {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + "x" + std::string(depth, ']');
  };
  EXPECT_TRUE(ParseYaml(nested(kMaxConfigDepth)));
  EXPECT_EQ(Outcome(ParseYaml(nested(kMaxConfigDepth + 1))),
            "error 1:65 nested deeper than 64 levels");
  EXPECT_FALSE(ParseYaml(std::string(100'000, '[')));
  EXPECT_FALSE(ParseYaml(std::string(100'000, '{')));
  // An alias nests what it stands for as well.
  const std::string half = nested(kMaxConfigDepth / 2);
  EXPECT_FALSE(
      ParseYaml("a: &x " + half + "\nb: " + std::string(40, '[') + "*x" + std::string(40, ']')));
}

TEST(YamlParser, AliasBombsAreRefused) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 10; ++i) {
    const std::string last = "*a" + std::to_string(i - 1);
    bomb += StrCat({"a", std::to_string(i), ": &a", std::to_string(i), " ["});
    for (int k = 0; k < 10; ++k) bomb += last + ",";
    bomb += "]\n";
  }
  const ParseResult result = ParseYaml(bomb);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "more than 1048576 values, aliases expanded");
}

TEST(JsonParser, TabsEscapesAndSurrogatePairs) {
  EXPECT_EQ(Outcome(ParseJson("{\n\t\"a\": \"x\\/\\u00e9\",\n\t\"b\":[1,true,null]\n}\n")),
            "1:1 {2:2 a=2:7 \"x/\xc3\xa9\",3:2 b=3:6 [3:7 \"1\",3:9 \"true\",3:14 null,],}");
  EXPECT_EQ(Outcome(ParseJson("[\"\\ud83d\\ude00\",\"\\\\ud83d\"]")),
            "1:1 [1:2 \"\xf0\x9f\x98\x80\",1:15 \"\\ud83d\",]");
  EXPECT_FALSE(ParseJson("[\"\\ud83d\"]"));
  EXPECT_FALSE(ParseJson("[\"\\ud83d"));
  EXPECT_FALSE(ParseJson("{\"a\": [1}"));
}

TEST(TomlParser, KeepsPlacesAndOrder) {
  EXPECT_EQ(Outcome(ParseToml("b = \"x\"\na = [1, 2.5, true]\n\n[t]\nk = {z = 1, y = 2}\n")),
            "1:1 {1:1 b=1:5 \"x\",2:1 a=2:5 [2:6 \"1\",2:9 \"2.5\",2:14 \"true\",],"
            "4:2 t=4:1 {5:1 k=5:5 {5:6 z=5:10 \"1\",5:13 y=5:17 \"2\",},},}");
}

TEST(TomlParser, TablesOfTables) {
  EXPECT_EQ(Outcome(ParseToml("[[l]]\nn = 1\n[[l]]\nn = 2\na.b = 3\n")),
            "1:1 {1:3 l=1:1 [1:1 {2:1 n=2:5 \"1\",},3:1 {4:1 n=4:5 \"2\",5:1 a=5:1 {5:3 b=5:7 "
            "\"3\",},},],}");
}

TEST(TomlParser, NumbersAsTheyAreMeant) {
  EXPECT_EQ(Outcome(ParseToml("a = 0o660\nb = 1_000\nc = -5\nd = 1e3\ne = 1979-05-27\n")),
            "1:1 {1:1 a=1:5 \"0o660\",2:1 b=2:5 \"1000\",3:1 c=3:5 \"-5\",4:1 d=4:5 \"1000\","
            "5:1 e=5:5 \"1979-05-27\",}");
}

TEST(TomlParser, TellsSyntaxErrorsAndBounds) {
  const ParseResult twice = ParseToml("a = 1\na = 2\n");
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().mark.line, 2);
  EXPECT_FALSE(ParseToml("a = "));
  EXPECT_EQ(Outcome(ParseToml("[ = 1\n")), "error 1:1 not valid TOML");
  EXPECT_FALSE(ParseToml("a \xc3\x85 = 1\n"));
  EXPECT_FALSE(ParseToml("a = " + std::string(65, '[') + std::string(65, ']')));
  EXPECT_FALSE(ParseToml("a = " + std::string(100'000, '[')));
}

TEST(TomlParser, DottedKeysAreBounded) {
  std::string dots;
  for (int i = 0; i < 100'000; ++i) dots += ".a";
  EXPECT_EQ(Outcome(ParseToml("b = 1\na" + dots + " = 1\n")),
            "error 2:2002 more than 1000 dots in a line");
  EXPECT_FALSE(ParseToml("[a" + dots + "]\n"));
  EXPECT_EQ(Outcome(ParseToml("a" + dots.substr(0, 128) + " = 1\n")),
            "error 1:127 nested deeper than 64 levels");
  // Dots in strings are only text.
  EXPECT_TRUE(ParseToml("a = \"x\\\"" + dots + "\"\nb = '" + dots + "'\n"));
}

TEST(Node, FindNearestStepsAsFarAsItCan) {
  const ParseResult tree = ParseYaml("l:\n  - n: {x: 1}\n  - short\nm: {a: {b: 2}}\n");
  ASSERT_TRUE(tree);
  const auto place = [&](std::string_view path) {
    const Mark mark = FindNearest(*tree, path).mark;
    return StrCat({std::to_string(mark.line), ":", std::to_string(mark.column)});
  };
  EXPECT_EQ(place(""), "1:1");
  EXPECT_EQ(place("l[0].n.x"), "2:12");
  EXPECT_EQ(place("l[0].n.missing.y"), "2:8");
  EXPECT_EQ(place("l[1].name"), "3:5");
  EXPECT_EQ(place("l[7].name"), "2:3");
  EXPECT_EQ(place("m[0].b"), "4:12");
  EXPECT_EQ(place("nothing[0]"), "1:1");
  EXPECT_EQ(place("l[x"), "2:3");
  // The short form leaves out a name on the way.
  EXPECT_EQ(place("l.items[1]"), "3:5");
}

}  // namespace
}  // namespace sluice
