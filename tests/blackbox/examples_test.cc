// Every configuration in conf/ boots as it is, but for its ports, and answers.
#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "tests/support/raw_client.h"
#include "tests/support/scripted_upstream.h"
#include "tests/support/sluice_process.h"
#include "tests/support/temp_folder.h"

namespace sluice::test {
namespace {

std::vector<std::string> Examples() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(SLUICE_SOURCE_DIR "/conf")) {
    if (!entry.is_regular_file() || entry.path().extension() == ".md") continue;
    names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Each has shared memory of its own: examples have no id, or the same.
std::string WithStatsIn(const std::string& path, std::string text) {
  if (text.starts_with('{')) return text.replace(0, 1, "{\"stats\": \"" + path + "\",");
  const bool toml = text.find("[[listeners]]") != std::string::npos;
  return (toml ? "stats = \"" + path + "\"\n" : "stats: " + path + "\n") + text;
}

class ExampleTest : public testing::TestWithParam<std::string> {};

TEST_P(ExampleTest, BootsAnswersAndDrains) {
  Driver driver;
  TempFolder folder;
  ScriptedUpstream upstream(driver);
  upstream.AlwaysAnswer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  std::string text = ReadWholeFile(SLUICE_SOURCE_DIR "/conf/" + GetParam());
  // Examples listen on ports below 9000 and 9901, and their upstreams are on 9001 and following;
  // what they write goes below the folder.
  text = std::regex_replace(text, std::regex("127\\.0\\.0\\.1:90[0-9]{2}"), upstream.text());
  text = std::regex_replace(
      text, std::regex("(127\\.0\\.0\\.1|0\\.0\\.0\\.0):(8[0-9]{3}|99[0-9]{2})"), "127.0.0.1:0");
  text = std::regex_replace(text, std::regex("(/run|/var/log|/tmp)/"), folder.path() + "/");
  text = WithStatsIn(folder.Path("stats"), std::move(text));
  SluiceProcess sluice(driver, {"run", "-c", folder.Write(GetParam(), text)});
  ASSERT_TRUE(sluice.WaitUntilReady());
  RawClient client(driver, sluice.Where("web"));
  client.Send("GET /hello HTTP/1.1\r\nHost: a.example\r\n\r\n");
  const HttpText response = client.ReadResponse();
  EXPECT_GE(response.status, 200);
  EXPECT_LT(response.status, 600);
  sluice.Signal(SIGTERM);
  EXPECT_EQ(sluice.WaitForExit(), 0);
}

INSTANTIATE_TEST_SUITE_P(Conf, ExampleTest, testing::ValuesIn(Examples()), [](const auto& test) {
  std::string name = test.param;
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); },
      '_');
  return name;
});

// The example that ./dev run and README show answers from its upstreams.
TEST(DemoTest, ProxiesToItsUpstreams) {
  Driver driver;
  TempFolder folder;
  SluiceProcess one(driver, {"echo", "--listen", "127.0.0.1:0", "--name", "one"});
  SluiceProcess two(driver, {"echo", "--listen", "127.0.0.1:0", "--name", "two"});
  ASSERT_TRUE(one.WaitUntilReady());
  ASSERT_TRUE(two.WaitUntilReady());
  std::string text = ReadWholeFile(SLUICE_SOURCE_DIR "/conf/demo.yaml");
  const auto replace = [&text](const std::string& from, const std::string& to) {
    const size_t found = text.find(from);
    ASSERT_NE(found, std::string::npos) << from;
    text.replace(found, from.size(), to);
  };
  replace("127.0.0.1:8080", "127.0.0.1:0");
  replace("127.0.0.1:9901", "127.0.0.1:0");
  replace("[127.0.0.1:9001", "[" + one.Where("echo").ToString());
  replace("127.0.0.1:9002]", two.Where("echo").ToString() + "]");
  SluiceProcess sluice(
      driver,
      {"run", "-c",
       folder.Write("demo.yaml", "workers: 1\nstats: " + folder.Path("stats") + "\n" + text)});
  ASSERT_TRUE(sluice.WaitUntilReady());
  RawClient client(driver, sluice.Where("web"));
  std::string names;
  for (int i = 0; i < 2; ++i) {
    client.Send("POST /hello HTTP/1.1\r\nHost: a.example\r\nContent-Length: 4\r\n\r\nbody");
    const HttpText response = client.ReadResponse();
    EXPECT_EQ(response.status, 200);
    EXPECT_THAT(response.body, testing::HasSubstr("\"body\": \"body\""));
    names += response.body.find("\"name\": \"one\"") != std::string::npos ? "1" : "2";
  }
  EXPECT_THAT(names, testing::AnyOf("12", "21"));
  sluice.Signal(SIGTERM);
  EXPECT_EQ(sluice.WaitForExit(), 0);
  // The access log goes to stdout.
  EXPECT_THAT(sluice.out(), testing::HasSubstr("/hello"));
}

}  // namespace
}  // namespace sluice::test
