#include "core/config/config_dump.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <string>

#include "core/config/config.pb.h"
#include "core/config/test_filters.h"
#include "tests/support/temp_folder.h"

namespace sluice {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ConfigDumpTest : public testing::Test {
 protected:
  LoadedConfig Load(std::string_view text, ConfigFormat format = ConfigFormat::kYaml) {
    const auto env = [](const std::string& name) -> std::optional<std::string> {
      if (name == "PORT") return "8080";
      return std::nullopt;
    };
    LoadResult loaded = LoadConfigText(text, format, "f.yaml", env, filters_);
    EXPECT_TRUE(loaded) << loaded.error()[0].Text();
    return loaded ? std::move(*loaded) : LoadedConfig();
  }
  std::string Dump(std::string_view text, DumpOrigin origin = DumpOrigin::kNo) {
    return DumpConfig(Load(text), filters_, origin);
  }
  // The dump says the same as the text, and so does the dump of the dump.
  void ExpectSame(std::string_view text, ConfigFormat format = ConfigFormat::kYaml) {
    const LoadedConfig first = Load(text, format);
    const std::string dump = DumpConfig(first, filters_);
    const LoadedConfig second = Load(dump);
    EXPECT_EQ(first.config->SerializeAsString(), second.config->SerializeAsString()) << dump;
    EXPECT_EQ(DumpConfig(second, filters_), dump);
  }

  TestFilters filters_;
  test::TempFolder folder_;
};

constexpr std::string_view kAll = R"(
id: edge
admin: "[::1]:9901"
drain_timeout: 1m30s
runtime: { canary: 10%, beta: 0.5% }
listeners:
  - name: web
    listen: { address: "unix:/run/x y.sock", mode: "0622" }
    timeouts: { head: 250ms }
    filters:
      - cors: [a.example, "${PORT}$${x}"]
      - rate_limit: { key: client_ip, rate: 5/m, skip: [10.0.0.0/8], redis: { address: "r:1" } }
      - every: { size: 1MiB, float_value: 0.1, percent: 33.3%, flag: off, numbers: [],
                 few: [{ address: "a:1", timeout: 2h }], keys: [route], int64_value: -7 }
      - access_log: { path: "/tmp/#1: a\"b\\c" }
    routes:
      - match: { prefix: /api/ }
        cluster: api
        filters: { rate_limit: { rate: 7/s, skip: [] }, cors: off }
      - match: /
        respond: { status: 200, body: "a\nb\tc ä" }
        response_headers: { set: { x-a: "1", x-b: "" } }
clusters:
  - { name: api, endpoints: ["127.0.0.1:81", { address: "127.0.0.1:82", weight: 3 }] }
)";

TEST_F(ConfigDumpTest, SaysTheSame) {
  ExpectSame(kAll);
  ExpectSame("listeners: [{ name: a, listen: '127.0.0.1:1', routes: [] }]");
}

TEST_F(ConfigDumpTest, FillsInDefaultsAndUnits) {
  const std::string dump = Dump(kAll);
  EXPECT_THAT(dump, HasSubstr("drain_timeout: 1m30s\n"));
  EXPECT_THAT(dump, HasSubstr("ready_timeout: 30s\n"));
  EXPECT_THAT(dump, HasSubstr("        rate: 5/m\n"));
  EXPECT_THAT(dump, HasSubstr("mode: 0622\n"));
  EXPECT_THAT(dump, HasSubstr("percent: 33.3%\n"));
  EXPECT_THAT(dump, HasSubstr("cors: off\n"));
}

TEST_F(ConfigDumpTest, OriginsNameTheirPlaces) {
  const std::string secret = folder_.Write("issuer", "hush-hush\n");
  const std::string dump = Dump(
      "id: edge\n"
      "listeners:\n"
      "  - name: web\n"
      "    listen: 127.0.0.1:${PORT}\n"
      "    filters:\n"
      "      - jwt_auth: { issuer: \"${file:" +
          secret +
          "}\", jwks: { uri: x } }\n"
          "    routes: [{ match: /, respond: 200, filters: { jwt_auth: { jwks: { uri: y } } } }]\n",
      DumpOrigin::kYes);
  EXPECT_THAT(dump, HasSubstr("id: edge  # f.yaml:1:5\n"));
  EXPECT_THAT(dump, HasSubstr("drain_timeout: 1m  # default\n"));
  EXPECT_THAT(dump, HasSubstr("address: 127.0.0.1:8080  # f.yaml:4:13, environment variable PORT"));
  EXPECT_THAT(dump, HasSubstr("issuer: \"${file:" + secret + "}\"  # f.yaml:6:29, secret file " +
                              secret + "\n"));
  EXPECT_THAT(dump, HasSubstr("uri: y  # f.yaml:7:"));
  EXPECT_THAT(dump, Not(HasSubstr("hush-hush")));
}

// What may be a list or, alone, stand without one.
TEST_F(ConfigDumpTest, OriginsOfOneThatIsNoList) {
  const std::string secret = folder_.Write("place", "hush-hush");
  const std::string listeners =
      "listeners: [{ name: a, listen: 'unix:/a', routes: [{ match: /, respond: 200 }] }]\n";
  const std::string address = "\"unix:/${file:" + secret + "}\"";
  const std::string origin = ", secret file " + secret + "\n";
  for (const std::string& admin : {address, "{ listen: " + address + " }"}) {
    const std::string dump = Dump("admin: " + admin + "\n" + listeners, DumpOrigin::kYes);
    EXPECT_THAT(dump, HasSubstr("- address: " + address + "  # f.yaml:1:"));
    EXPECT_THAT(dump, HasSubstr(origin));
    EXPECT_THAT(dump, Not(HasSubstr("hush-hush")));
  }
  const std::string dump =
      Dump("admin: { listen: { address: " + address + ", mode: '0622' } }\n" + listeners,
           DumpOrigin::kYes);
  EXPECT_THAT(dump, HasSubstr("- address: " + address + "  # f.yaml:1:"));
  EXPECT_THAT(dump, HasSubstr("mode: 0622  # f.yaml:1:"));
}

TEST_F(ConfigDumpTest, SecretFieldsAreHidden) {
  const std::string dump = Dump(
      "listeners:\n"
      "  - name: web\n"
      "    listen: 127.0.0.1:1\n"
      "    filters: [{ every: { token: open-sesame, tokens: [one-two, three] } }]\n"
      "    routes: []\n");
  EXPECT_THAT(dump, HasSubstr("token: \"<secret>\"\n"));
  EXPECT_THAT(dump, HasSubstr("- \"<secret>\"\n"));
  EXPECT_THAT(dump, Not(HasSubstr("sesame")));
  EXPECT_THAT(dump, Not(HasSubstr("one-two")));
}

TEST_F(ConfigDumpTest, TheAdminTokenIsNotShown) {
  const std::string dump = Dump(
      "admin: { listen: 127.0.0.1:1, token: hush-hush }\n"
      "listeners: [{ name: a, listen: 'unix:/a', routes: [{ match: /, "
      "respond: 200 }] }]\n");
  EXPECT_THAT(dump, HasSubstr("token: \"<secret>\""));
  EXPECT_THAT(dump, Not(HasSubstr("hush-hush")));
}

}  // namespace
}  // namespace sluice
