// conf/deploy: what a service manager is given is well-formed, and starts the real binary.
#include <gmock/gmock.h>
#include <signal.h>

#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/sluice_process.h"
#include "tests/support/temp_folder.h"

namespace sluice::test {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;

constexpr std::string_view kBinary = "/usr/bin/sluice";
constexpr std::string_view kConfig = "/etc/sluice/sluice.yaml";

std::string Deployed(const std::string& name) {
  return ReadWholeFile(std::string(SLUICE_SOURCE_DIR) + "/conf/deploy/" + name);
}

std::vector<std::string> Words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> words;
  for (std::string word; stream >> word;) words.push_back(word);
  return words;
}

// "Section.Key" and its values, as systemd.syntax(7) says.
std::map<std::string, std::string> ParseUnit(const std::string& text) {
  std::map<std::string, std::string> values;
  std::istringstream stream(text);
  std::string section;
  for (std::string line; std::getline(stream, line);) {
    if (line.empty() || line.front() == '#') continue;
    if (line.front() == '[') {
      EXPECT_EQ(line.back(), ']') << line;
      section = line.substr(1, line.size() - 2);
      continue;
    }
    const size_t sign = line.find('=');
    EXPECT_NE(sign, std::string::npos) << line;
    EXPECT_TRUE(values.emplace(section + "." + line.substr(0, sign), line.substr(sign + 1)).second)
        << line << ": twice";
  }
  return values;
}

class DeployTest : public testing::Test {
 protected:
  // Starts it as this command line would, with a configuration and stats of the test's.
  void ExpectServes(std::vector<std::string> words) {
    ASSERT_GT(words.size(), 2U);
    EXPECT_EQ(words.front(), kBinary);
    EXPECT_EQ(words.back(), kConfig);
    words.erase(words.begin());
    words.back() = folder_.Write(
        "sluice.yaml", "stats: " + stats_ +
                           "\nlisteners:\n  - name: web\n    listen: 127.0.0.1:0\n    routes: [{ "
                           "match: { prefix: / }, respond: { status: 200 } }]\n");
    process_ = std::make_unique<SluiceProcess>(driver_, words);
    EXPECT_TRUE(process_->WaitUntilReady());
  }
  void ExpectTold(std::vector<std::string> words) {
    ASSERT_GT(words.size(), 1U);
    EXPECT_EQ(words.front(), kBinary);
    words.erase(words.begin());
    words.insert(words.end(), {"--stats", stats_});
    SluiceProcess command(driver_, words);
    EXPECT_EQ(command.WaitForExit(), 0) << command.err();
  }

  Driver driver_;
  TempFolder folder_;
  const std::string stats_ = folder_.Path("stats");
  std::unique_ptr<SluiceProcess> process_;
};

TEST_F(DeployTest, TheUnitStartsReloadsAndStops) {
  auto unit = ParseUnit(Deployed("sluice.service"));
  EXPECT_EQ(unit["Service.Type"], "notify");
  EXPECT_EQ(unit["Service.NotifyAccess"], "all");
  EXPECT_EQ(unit["Service.KillMode"], "mixed");
  EXPECT_FALSE(unit["Unit.Description"].empty());
  EXPECT_FALSE(unit["Install.WantedBy"].empty());
  ExpectServes(Words(unit["Service.ExecStart"]));
  ExpectTold(Words(unit["Service.ExecReload"]));
  process_->Signal(SIGTERM);
  EXPECT_EQ(process_->WaitForExit(), 0);
}

TEST_F(DeployTest, TheContainerStartsAndHasWhatTheBinaryNeeds) {
  const std::string text = Deployed("Containerfile");
  const size_t entry = text.find("\nENTRYPOINT ");
  ASSERT_NE(entry, std::string::npos);
  const auto words = nlohmann::json::parse(text.substr(entry + 12), nullptr, false);
  ASSERT_TRUE(words.is_array());
  ExpectServes(words.get<std::vector<std::string>>());
  EXPECT_THAT(text, HasSubstr("COPY build/release/sluice " + std::string(kBinary) + "\n"));

#if defined(SLUICE_SANITIZE)
  // It is another binary, with other libraries.
#else
  // Packages of the libraries that it is linked to, but for those of every Debian.
  std::FILE* const pipe =
      popen("ldd " SLUICE_BINARY
            " | sed -n 's/^\\s*\\(lib[^ ]*\\) => .*/*-linux-gnu\\/\\1/p' | xargs dpkg -S | "
            "cut -d: -f1 | sort -u | grep -v -e '^libc6' -e '^libgcc'",
            "r");
  ASSERT_NE(pipe, nullptr);
  std::string packages;
  char piece[512];
  for (size_t size; (size = fread(piece, 1, sizeof(piece), pipe)) > 0;)
    packages.append(piece, size);
  pclose(pipe);
  EXPECT_THAT(Words(packages), Contains("libuv1"));
  EXPECT_THAT(Words(text), IsSupersetOf(Words(packages)));
#endif
}

}  // namespace
}  // namespace sluice::test
