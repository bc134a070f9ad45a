#include "core/config/secrets.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <string>

#include "core/config/config.pb.h"
#include "core/config/loader.h"
#include "core/config/test_filters.h"
#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class SecretsTest : public testing::Test {
 protected:
  LoadResult Load(const std::string& id, const std::string& rest = "") {
    const auto env = [](const std::string&) { return std::optional<std::string>(); };
    return LoadConfigText("id: \"" + id + "\"\n" + rest +
                              "listeners: [{ name: web, listen: '127.0.0.1:1', routes: [] }]\n",
                          ConfigFormat::kYaml, "f", env, filters_);
  }
  std::string Error(const std::string& id, const std::string& rest = "") {
    const LoadResult loaded = Load(id, rest);
    std::string all;
    if (!loaded) {
      for (const ConfigError& error : loaded.error()) all += error.Text() + "\n";
    }
    return all;
  }
  std::string File(std::string_view name) { return "${file:" + folder_.Path(name) + "}"; }

  TestFilters filters_;
  test::TempFolder folder_;
};

TEST_F(SecretsTest, AFilesTextWithoutItsLastNewline) {
  folder_.Write("unix", "edge\n");
  folder_.Write("dos", "edge\r\n");
  folder_.Write("none", "edge");
  for (const char* name : {"unix", "dos", "none"}) {
    EXPECT_EQ(Load(File(name))->config->id(), "edge");
  }
  EXPECT_EQ(Load("a-" + File("none") + "-" + File("unix"))->config->id(), "a-edge-edge");
  EXPECT_EQ(ReadSecretFile(folder_.Write("two", "a\n\n")).value(), "a\n");
  EXPECT_EQ(ReadSecretFile(folder_.Write("empty", "")).value(), "");
}

TEST_F(SecretsTest, WhatIsNoRegularSmallFileIsAnErrorWithItsPlace) {
  EXPECT_EQ(Error(File("none")), "f:1:5: id: secret file " + folder_.Path("none") +
                                     ": open: No such file or directory\n");
  EXPECT_THAT(Error("${file:" + folder_.path() + "}"), HasSubstr("not a regular file"));
  ASSERT_EQ(mkfifo(folder_.Path("fifo").c_str(), 0600), 0);
  EXPECT_THAT(Error(File("fifo")), HasSubstr("not a regular file"));
  EXPECT_TRUE(ReadSecretFile(folder_.Write("most", std::string(kMaxSecretBytes, 'x'))));
  EXPECT_THAT(
      ReadSecretFile(folder_.Write("more", std::string(kMaxSecretBytes + 1, 'x'))).error().detail,
      HasSubstr("larger than 64 KiB"));
  EXPECT_THAT(Error("${file:}"), HasSubstr("names no file"));
}

TEST_F(SecretsTest, NoMessageShowsThem) {
  folder_.Write("secret", "open sesame\n");
  folder_.Write("long", std::string(300, 'k') + "!");
  EXPECT_THAT(Error(File("secret")), HasSubstr("f:1:5: id: the secret is not a name"));
  EXPECT_THAT(Error("edge", "drain_timeout: '" + File("secret") + "'\n"),
              HasSubstr("expected a duration such as 250ms or 5s, got a secret\n"));
  EXPECT_THAT(Error("edge", "log: { level: '" + File("secret") + "' }\n"),
              HasSubstr("got a secret\n"));
  // In checks that come later, and where a map is due.
  for (const char* name : {"secret", "long"}) {
    const std::string clusters = "clusters: [{ name: a, endpoints: ['h:1'] }, '" + File(name) +
                                 "', { name: '" + File(name) + "', endpoints: ['h:1'] }]\n";
    const std::string error = Error("edge", clusters);
    EXPECT_NE(error, "");
    EXPECT_THAT(error, Not(HasSubstr("sesame")));
    EXPECT_THAT(error, Not(HasSubstr("kkkk")));
  }
}

TEST_F(SecretsTest, ThoseThatAreWrittenOutAreHiddenToo) {
  const std::string error =
      Error("edge",
            "x: { y: 1 }\nlisteners:\n  - name: w\n    listen: '127.0.0.1:1'\n    routes: []\n"
            "    filters: [{ every: { token: 'open sesame' } }]\nid: 'open sesame'\n");
  EXPECT_NE(error, "");
  const LoadResult loaded = Load("edge");
  const LoadResult bad = LoadConfigText(
      "listeners:\n  - name: w\n    listen: '127.0.0.1:1'\n    routes: []\n"
      "    filters: [{ every: { token: 'open sesame, please' } }]\n",
      ConfigFormat::kYaml, "f", [](const std::string&) { return std::optional<std::string>(); },
      filters_);
  ASSERT_FALSE(bad);
  EXPECT_THAT(bad.error()[0].Text(), HasSubstr("every.token: the secret is not "));
  EXPECT_THAT(bad.error()[0].Text(), Not(HasSubstr("sesame")));
}

TEST_F(SecretsTest, AnotherValueIsAnotherFingerprint) {
  folder_.Write("secret", "one");
  const std::string before = Load(File("secret"))->fingerprint;
  EXPECT_EQ(Load(File("secret"))->fingerprint, before);
  folder_.Write("secret", "two");
  EXPECT_NE(Load(File("secret"))->fingerprint, before);
}

TEST_F(SecretsTest, AreFoundInTexts) {
  EXPECT_THAT(SecretFilesIn("a: ${file:/x/y}-${file:z w}\n# ${file:}\nb: ${file:cut\n}c: ${D}"),
              ElementsAre("/x/y", "z w"));
  EXPECT_THAT(SecretFilesIn("${file:"), ElementsAre());
}

TEST_F(SecretsTest, AreTakenOutOfTexts) {
  EXPECT_EQ(WithoutSecrets("a secret1 b secret12", {"secret1", "secret12"}),
            "a <secret> b <secret>");
  EXPECT_EQ(WithoutSecrets("abc abcd", {"abc"}), "abc abcd");
  EXPECT_EQ(WithoutSecrets("got \"li?ne\"", {"li\nne"}), "got \"<secret>\"");
}

}  // namespace
}  // namespace sluice
