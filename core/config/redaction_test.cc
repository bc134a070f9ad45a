#include "core/config/redaction.h"

#include <gmock/gmock.h>

#include <string>

#include "core/base/strings.h"
#include "core/config/test_filters.h"

namespace sluice {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class RedactionTest : public testing::Test {
 protected:
  std::string Redact(std::string_view text, ConfigFormat format = ConfigFormat::kYaml) {
    Result<std::string> redacted = RedactedText(text, format, filters_);
    return redacted ? *redacted : "error: " + redacted.error().detail;
  }
  // A listener with a filter that has these fields.
  static std::string Filter(std::string_view fields) {
    return StrCat(
        {"listeners:\n  - name: web\n    listen: 127.0.0.1:0\n    filters:\n      - every: ",
         fields, "\n    routes: [{ match: /, respond: 200 }]\n"});
  }
  ConfigVersion Version(std::string text) {
    ConfigVersion version;
    version.version = ++last_;
    version.hash = ConfigHash(text);
    version.file = "f.yaml";
    version.text = std::move(text);
    return version;
  }

  TestFilters filters_;
  uint64_t last_ = 0;
};

TEST_F(RedactionTest, OnlyWhatIsSecretIsLeftOut) {
  EXPECT_EQ(Redact(Filter("{ token: hunter2, size: 7 }  # mine")),
            Filter("{ token: <secret>, size: 7 }  # mine"));
  EXPECT_EQ(Redact(Filter("\n          token: hunter2\n          size: 7")),
            Filter("\n          token: <secret>\n          size: 7"));
  EXPECT_EQ(Redact(Filter("\n          tokens:\n            - ab\n            - cd")),
            Filter("\n          tokens:\n            - <secret>\n            - <secret>"));
  EXPECT_EQ(Redact(Filter("{ size: 7 }")), Filter("{ size: 7 }"));
}

TEST_F(RedactionTest, HoweverItIsWritten) {
  for (const std::string_view written :
       {"hunter2", "\"hunter2\"", "'hunter2'", "\"h\\x75nter2\"", "|\n            hunter2",
        ">-\n            hunter2\n            hunter2", "\"hunter2\n\n            nter2\"",
        "&t hunter2", "&t\n            hunter2", "hunter2\n            hunter2", "\"h, unter2\"",
        "\"\xc3\xbchunter2\"", "ab"}) {
    const std::string redacted =
        Redact(Filter(StrCat({"\n          token: ", written, "\n          size: 7"})));
    EXPECT_THAT(redacted, AllOf(HasSubstr("<secret>"), Not(HasSubstr("nter2")),
                                Not(HasSubstr("error")), HasSubstr("    routes: ")))
        << written;
    EXPECT_THAT(redacted, Not(HasSubstr(": ab"))) << written;
  }
  // Beyond ASCII in the same line.
  EXPECT_THAT(Redact(Filter("{ origins: [\"\xc3\xbc\"], token: hunter2, text: \"\xc3\xbc\" }")),
              Not(HasSubstr("nter2")));
}

TEST_F(RedactionTest, AnAliasOfItToo) {
  const std::string redacted = Redact(Filter("{ text: &t ab12, token: *t, size: 7 }"));
  EXPECT_THAT(redacted, AllOf(HasSubstr("size: 7"), Not(HasSubstr("ab12"))));
}

TEST_F(RedactionTest, JsonAndToml) {
  EXPECT_EQ(Redact(R"({"listeners": [{"name": "web", "listen": "127.0.0.1:0", "filters": [{"every":
{"token": "hunter2", "size": 7}}], "routes": [{"match": "/", "respond": 200}]}]})",
                   ConfigFormat::kJson),
            R"({"listeners": [{"name": "web", "listen": "127.0.0.1:0", "filters": [{"every":
{"token": <secret>, "size": 7}}], "routes": [{"match": "/", "respond": 200}]}]})");
  const std::string toml = Redact(
      "[[listeners]]\nname = \"a\"\nlisten = \"127.0.0.1:0\"\n"
      "filters = [{ every = { text = \"\xc3\xbc\xc3\xbc\", token = \"hunter2\", size = 7 } }]\n"
      "routes = [{ match = \"/\", respond = 200 }]\n"
      "[[listeners]]\nname = \"b\"\nlisten = \"127.0.0.1:0\"\n"
      "filters = [{ every = { token = '''hunter2\nhunter2''' } }]\n"
      "routes = [{ match = \"/\", respond = 200 }]\n",
      ConfigFormat::kToml);
  EXPECT_THAT(toml, AllOf(HasSubstr("<secret>"), Not(HasSubstr("nter2")), HasSubstr("routes = ")));
}

TEST_F(RedactionTest, ReferencesStayButForDefaults) {
  const std::string text = Filter("{ token: \"${TOKEN}\", size: \"${SIZE}\" }");
  EXPECT_EQ(Redact(text), text);
  EXPECT_EQ(Redact(Filter("{ token: \"${file:/nowhere}\" }")),
            Filter("{ token: \"${file:/nowhere}\" }"));
  EXPECT_EQ(Redact(Filter("{ token: \"${TOKEN:-hunter2}\", size: 1 }")),
            Filter("{ token: <secret>, size: 1 }"));
  EXPECT_EQ(Redact(Filter("{ token: \"hunter2${TOKEN}\", size: 1 }")),
            Filter("{ token: <secret>, size: 1 }"));
}

TEST_F(RedactionTest, ACommentWithItToo) {
  EXPECT_EQ(Redact("# hunter2\n" + Filter("{ token: hunter2, size: 7 }")),
            "# <secret>\n" + Filter("{ token: <secret>, size: 7 }"));
}

// What is secret in it cannot be known.
TEST_F(RedactionTest, WhatTheSchemaDoesNotTakeIsNotShown) {
  EXPECT_THAT(Redact(Filter("{ tokem: hunter2 }")), HasSubstr("error: unknown field \"tokem\""));
  EXPECT_THAT(Redact("admin: [\n"), HasSubstr("error: "));
}

TEST_F(RedactionTest, Diffs) {
  const ConfigVersion one = Version(Filter("{ token: hunter2 }"));
  const ConfigVersion two = Version(Filter("{ token: hunter3 }"));
  const ConfigVersion three = Version(Filter("{ token: hunter3, size: 8 }"));
  const ConfigVersion bad = Version(Filter("{ tokem: hunter3 }"));
  EXPECT_EQ(RedactedDiff(one, one, filters_).value(), "");
  EXPECT_EQ(RedactedDiff(one, two, filters_).value(), "only what is secret differs\n");
  const std::string diff = RedactedDiff(two, three, filters_).value();
  EXPECT_THAT(diff, AllOf(HasSubstr("+      - every: { token: <secret>, size: 8 }"),
                          Not(HasSubstr("hunter"))));
  const std::string refused = RedactedDiff(three, bad, filters_).error().detail;
  EXPECT_THAT(refused, AllOf(HasSubstr("version 4 is not shown: "), Not(HasSubstr("hunter"))));
}

}  // namespace
}  // namespace sluice
