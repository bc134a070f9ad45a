// `sluice stats` and `sluice top` read shared memory alone: also of a process that is stopped or
// dead. What /metrics says is what Prometheus' own tools take.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/strings.h"
#include "core/stats/directory.h"
#include "core/stats/segment.h"
#include "tests/support/raw_client.h"
#include "tests/support/scripted_upstream.h"
#include "tests/support/sluice_process.h"
#include "tests/support/temp_folder.h"

namespace sluice::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::StartsWith;

class StatsCommandTest : public testing::Test {
 protected:
  StatsCommandTest() {
    const std::string file = folder_.Write(
        "sluice.yaml", "admin: 127.0.0.1:0\nworkers: 2\nstats: " + stats_ +
                           "\nlisteners:\n  - name: web\n    listen: 127.0.0.1:0\n"
                           "    routes: [{ match: { prefix: / }, cluster: app }]\n"
                           "clusters:\n  - { name: app, endpoints: [" +
                           upstream_.text() +
                           "] }\n  - { name: odd, endpoints: ['unix:/nowhere/\"odd\\path'] }\n");
    upstream_.AlwaysAnswer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    proxy_ = std::make_unique<SluiceProcess>(driver_, std::vector<std::string>{"run", "-c", file});
  }

  void Get(int times) {
    RawClient client(driver_, proxy_->Where("web"));
    for (int i = 0; i < times; ++i) {
      client.Send("GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n");
      EXPECT_EQ(client.ReadResponse().body, "ok");
    }
  }
  std::string Scrape(std::string_view fields) {
    RawClient admin(driver_, proxy_->Where("admin"));
    admin.Send(StrCat({"GET /metrics HTTP/1.1\r\nHost: a\r\n", fields, "\r\n"}));
    return admin.ReadResponse().body;
  }

  std::unique_ptr<SluiceProcess> Command(std::vector<std::string> arguments, int code = 0) {
    arguments.insert(arguments.begin() + 1, {"--stats", stats_});
    auto command = std::make_unique<SluiceProcess>(driver_, arguments);
    EXPECT_EQ(command->WaitForExit(), code) << command->err();
    return command;
  }
  // Gives a file to a tool; its exit code is to be 0.
  void ExpectTaken(const std::string& shell_command) {
    Process tool(driver_, "/bin/sh", {"-c", shell_command});
    EXPECT_EQ(tool.WaitForExit(), 0) << tool.out() << tool.err();
    EXPECT_EQ(tool.out() + tool.err(), "");
  }

  Driver driver_;
  TempFolder folder_;
  const std::string stats_ = folder_.Path("stats");
  ScriptedUpstream upstream_{driver_};
  std::unique_ptr<SluiceProcess> proxy_;
};

TEST_F(StatsCommandTest, SaysInEachFormatWhatWasCounted) {
  ASSERT_TRUE(proxy_->WaitUntilReady());
  Get(3);
  const auto text = Command({"stats", "--filter", "downstream_requests_total.*web"});
  EXPECT_EQ(text->out(), "sluice_downstream_requests_total{listener=\"web\"}: 3\n");
  EXPECT_EQ(text->err(), "");
  const auto json = nlohmann::json::parse(
      Command({"stats", "--format", "json", "--filter", "downstream_requests_total"})->out());
  ASSERT_EQ(json.size(), 2u);
  EXPECT_EQ(json[0]["labels"]["listener"], "web");
  EXPECT_EQ(json[0]["value"], 3);
  const auto prometheus =
      Command({"stats", "--format", "prometheus", "--filter", "requests_total.*web"});
  EXPECT_EQ(prometheus->out(),
            "# HELP sluice_downstream_requests_total Requests begun.\n"
            "# TYPE sluice_downstream_requests_total counter\n"
            "sluice_downstream_requests_total{listener=\"web\"} 3\n");
  EXPECT_THAT(Command({"stats", "--used"})->out(), Not(HasSubstr("retries_total")));
  EXPECT_THAT(Command({"stats"})->out(), HasSubstr("retries_total"));
  EXPECT_THAT(Command({"stats"})->out(), HasSubstr("sluice_server_workers: 2\n"));
}

TEST_F(StatsCommandTest, WorksWithAProxyThatIsStopped) {
  ASSERT_TRUE(proxy_->WaitUntilReady());
  Get(2);
  proxy_->Signal(SIGSTOP);
  const auto stats = Command({"stats", "--filter", "requests_total.*web|server_workers"});
  EXPECT_THAT(stats->out(),
              AllOf(HasSubstr("{listener=\"web\"}: 2\n"), HasSubstr("sluice_server_workers: 2\n")));
  EXPECT_EQ(stats->err(), "");
  const auto top = Command({"top", "--interval", "10ms"});
  EXPECT_THAT(top->out(), AllOf(HasSubstr(": live, pid " + std::to_string(proxy_->pid()) + " "),
                                HasSubstr("\nreq/s 0  err -")));
}

TEST_F(StatsCommandTest, ShowsWhatADeadProxyLeft) {
  ASSERT_TRUE(proxy_->WaitUntilReady());
  Get(2);
  proxy_->Signal(SIGKILL);
  EXPECT_EQ(proxy_->WaitForExit(), 128 + SIGKILL);
  const auto stats = Command({"stats", "--filter", "requests_total.*web|server_workers"});
  EXPECT_THAT(stats->out(),
              AllOf(HasSubstr("{listener=\"web\"}: 2\n"), HasSubstr("sluice_server_workers: 0\n")));
  EXPECT_EQ(stats->err(), "sluice: no process of " + stats_ + ": numbers as they were left\n");
  const auto top = Command({"top"});
  EXPECT_THAT(top->out(), HasSubstr(": no process: numbers as they were left\nreqs 2  err 0%"));
}

TEST_F(StatsCommandTest, WatchGivesALookEachInterval) {
  ASSERT_TRUE(proxy_->WaitUntilReady());
  Get(1);
  const std::vector<std::string> arguments = {
      "stats",      "--stats", stats_,     "--watch",
      "--interval", "10ms",    "--filter", "downstream_requests_total.*web"};
  SluiceProcess text(driver_, arguments);
  const std::string series = "sluice_downstream_requests_total{listener=\"web\"}: ";
  ASSERT_TRUE(text.WaitForOut(series + "1\n\n" + series + "1 (0.0/s)\n"));
  Get(1);
  ASSERT_TRUE(text.WaitForOut(series + "2 ("));
  text.Signal(SIGTERM);
  EXPECT_EQ(text.WaitForExit(), 128 + SIGTERM);

  std::vector<std::string> as_json = arguments;
  as_json.insert(as_json.end(), {"--format", "json"});
  SluiceProcess json(driver_, as_json);
  ASSERT_TRUE(json.WaitForOut("\"rate\":0.0"));
  const std::string first = json.out().substr(0, json.out().find('\n'));
  const nlohmann::json look = nlohmann::json::parse(first);
  EXPECT_EQ(look["series"][0]["value"], 2);
  EXPECT_GT(look["time"], 1e9);
  EXPECT_FALSE(look["series"][0].contains("rate"));
}

TEST_F(StatsCommandTest, WhatIsNotThereOrWrongIsOneLine) {
  ASSERT_TRUE(proxy_->WaitUntilReady());
  for (const std::string command : {"stats", "top"}) {
    SluiceProcess missing(driver_, {command, "--stats", folder_.Path("none")});
    EXPECT_EQ(missing.WaitForExit(), 1);
    EXPECT_EQ(missing.err(), "sluice: there are no stats at " + folder_.Path("none") +
                                 ": nothing ran under this id since the machine started; --id or "
                                 "--stats names another\n");
    SluiceProcess other(driver_, {command, "--stats", folder_.Path("sluice.yaml")});
    EXPECT_EQ(other.WaitForExit(), 1);
    EXPECT_THAT(other.err(), MatchesRegex("sluice: [^\n]*sluice.yaml: it has only [0-9]+ bytes\n"));
    const auto interval = Command({command, "--interval", "soon"}, 1);
    EXPECT_THAT(interval->err(), MatchesRegex("sluice: --interval: [^\n]*\"soon\"\n"));
  }
  EXPECT_EQ(Command({"stats", "--filter", "("}, 1)->err(), "sluice: --filter: missing ): (\n");
  EXPECT_THAT(Command({"stats", "--format", "xml"}, 1)->err(), HasSubstr("--format"));
  EXPECT_EQ(Command({"stats", "--watch", "--format", "prometheus"}, 1)->err(),
            "sluice: --watch is for --format text and json\n");
}

TEST_F(StatsCommandTest, PrometheusTakesTheMetrics) {
  ASSERT_TRUE(proxy_->WaitUntilReady());
  Get(5);
  const std::string text = folder_.Write("metrics.txt", Scrape(""));
  EXPECT_THAT(ReadWholeFile(text), HasSubstr(R"(endpoint="unix:/nowhere/\"odd\\path")"));
  ExpectTaken("/usr/bin/promtool check metrics <" + text);
  const std::string command =
      folder_.Write("command.txt", Command({"stats", "--format", "prometheus"})->out());
  ExpectTaken("/usr/bin/promtool check metrics <" + command);
  const std::string open = folder_.Write(
      "metrics.om", Scrape("Accept: application/openmetrics-text; version=1.0.0\r\n"));
  ExpectTaken(
      "/usr/bin/python3 -c '\n"
      "import sys\n"
      "from prometheus_client.openmetrics.parser import text_string_to_metric_families\n"
      "families = list(text_string_to_metric_families(open(sys.argv[1]).read()))\n"
      "assert len(families) > 50, len(families)\n"
      "requests = [s for f in families for s in f.samples\n"
      "            if s.name == \"sluice_downstream_requests_total\"]\n"
      "assert [s.value for s in requests if s.labels[\"listener\"] == \"web\"] == [5.0]\n"
      "' " +
      open);
}

// More than the renderers write at once, of every kind.
TEST(StatsOfManySeriesTest, AllAreWritten) {
  constexpr uint64_t kSeries = 100'000;
  Driver driver;
  TempFolder folder;
  const std::string path = folder.Path("stats");
  const auto segment = StatsSegment::Attach(path, StatsOptions{}).value();
  StatsDirectory directory(*segment);
  for (uint64_t i = 0; i < kSeries; ++i) {
    directory.Counter({"sluice_many_total", "Many."}, {{"i", Decimal(i)}});
  }
  for (const std::string format : {"text", "json", "prometheus"}) {
    SluiceProcess stats(driver, {"stats", "--stats", path, "--format", format, "--filter", "many"});
    EXPECT_EQ(stats.WaitForExit(), 0);
    const auto lines =
        static_cast<uint64_t>(std::count(stats.out().begin(), stats.out().end(), '\n'));
    // JSON: the brackets; Prometheus: HELP and TYPE.
    EXPECT_EQ(lines, format == "text" ? kSeries : kSeries + 2) << format;
  }
  SluiceProcess top(driver, {"top", "--stats", path, "--interval", "10ms"});
  EXPECT_EQ(top.WaitForExit(), 0);
  EXPECT_THAT(top.out(), HasSubstr(": not ready, pid " + std::to_string(getpid()) + " "));
}

// A terminal: the test has its other end.
class Pty : public Actor {
 public:
  Pty(Driver& driver, uint16_t width, uint16_t height)
      : driver_(driver), main_(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)) {
    EXPECT_EQ(grantpt(main_.get()), 0);
    EXPECT_EQ(unlockpt(main_.get()), 0);
    path_ = ptsname(main_.get());
    // Open for as long as we want to look at its modes.
    side_ = Fd(open(path_.c_str(), O_RDWR | O_NOCTTY | O_CLOEXEC));
    Resize(width, height);
    driver_.Add(*this);
  }
  ~Pty() override { driver_.Remove(*this); }
  Pty(const Pty&) = delete;
  Pty& operator=(const Pty&) = delete;

  const std::string& path() const { return path_; }
  const std::string& shown() const { return shown_; }
  void Type(std::string_view keys) {
    EXPECT_EQ(write(main_.get(), keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
  }
  void Resize(uint16_t width, uint16_t height) {
    winsize window{};
    window.ws_col = width;
    window.ws_row = height;
    EXPECT_EQ(ioctl(main_.get(), TIOCSWINSZ, &window), 0);
  }
  tcflag_t local_modes() const {
    termios mode{};
    EXPECT_EQ(tcgetattr(side_.get(), &mode), 0);
    return mode.c_lflag;
  }
  // Runs the driver until this is shown, behind what was waited for before.
  bool WaitFor(std::string_view text) {
    const bool there =
        driver_.RunUntil([&] { return shown_.find(text, seen_) != std::string::npos; }, text);
    if (there) seen_ = shown_.find(text, seen_) + text.size();
    EXPECT_TRUE(there) << shown_;
    return there;
  }

  bool Step() override {
    char bytes[4096];
    const ssize_t size = read(main_.get(), bytes, sizeof(bytes));
    if (size > 0) shown_.append(bytes, static_cast<size_t>(size));
    return size > 0;
  }
  void AddPollFds(std::vector<pollfd>& fds) const override {
    fds.push_back({main_.get(), POLLIN, 0});
  }

 private:
  Driver& driver_;
  Fd main_;
  Fd side_;
  std::string path_;
  std::string shown_;
  size_t seen_ = 0;
};

class TopOnATerminalTest : public StatsCommandTest {
 protected:
  // In a session of its own whose terminal that is.
  std::unique_ptr<Process> Top() {
    return std::make_unique<Process>(
        driver_, "/usr/bin/setsid",
        std::vector<std::string>{"-w", "/bin/sh", "-c",
                                 "exec <" + pty_.path() + " >" + pty_.path() + "; exec " +
                                     SLUICE_BINARY + " top --stats " + stats_ +
                                     " --interval 50ms"});
  }

  Pty pty_{driver_, 80, 24};
};

TEST_F(TopOnATerminalTest, KeysAndTheWindowChangeWhatItShows) {
  ASSERT_TRUE(proxy_->WaitUntilReady());
  Get(2);
  const tcflag_t before = pty_.local_modes();
  auto top = Top();
  ASSERT_TRUE(pty_.WaitFor("\x1b[?1049h"));
  ASSERT_TRUE(pty_.WaitFor("req/s "));
  ASSERT_TRUE(pty_.WaitFor("WORKER"));
  EXPECT_NE(pty_.local_modes(), before);
  pty_.Type("e");
  ASSERT_TRUE(pty_.WaitFor("\x1b[7mENDPOINT "));
  pty_.Type("t");
  ASSERT_TRUE(pty_.WaitFor("reqs 2 "));
  pty_.Type("\x1b[B1");
  ASSERT_TRUE(pty_.WaitFor("sort: name"));
  pty_.Resize(60, 12);
  ASSERT_TRUE(pty_.WaitFor(std::string("\x1b[7mENDPOINT") + std::string(36, ' ') + "    REQS"));
  pty_.Type("q");
  EXPECT_EQ(top->WaitForExit(), 0);
  EXPECT_THAT(pty_.shown().substr(pty_.shown().size() - 14), "\x1b[?25h\x1b[?1049l");
  EXPECT_EQ(pty_.local_modes(), before);
}

TEST_F(TopOnATerminalTest, ASignalLeavesTheTerminalAsItWas) {
  ASSERT_TRUE(proxy_->WaitUntilReady());
  const tcflag_t before = pty_.local_modes();
  auto top = Top();
  ASSERT_TRUE(pty_.WaitFor("req/s "));
  pty_.Type("\x03");
  EXPECT_EQ(top->WaitForExit(), 0);
  EXPECT_EQ(pty_.local_modes(), before);
  EXPECT_TRUE(pty_.shown().ends_with("\x1b[?25h\x1b[?1049l"));
}

}  // namespace
}  // namespace sluice::test
