#include "tests/support/loaded_proxy.h"

#include <gmock/gmock.h>
#include <signal.h>

#include <cstdlib>
#include <vector>

#include "tests/support/listener_line.h"
#include "tests/support/process_figures.h"

namespace sluice::test {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kWrk = "/usr/bin/wrk";

}  // namespace

LoadedProxy::LoadedProxy(const std::string& binary, uint64_t download_size)
    : binary_(binary), upstream_(download_size), stats_(folder_.Path("stats")) {}

// Processes that it restarted into are not our children.
LoadedProxy::~LoadedProxy() {
  load_.reset();
  watch_.reset();
  if (supervisor_ == nullptr || supervisor_->exited()) return;
  for (const int pid : ProcessesWith(folder_.path())) kill(pid, SIGKILL);
}

void LoadedProxy::WriteConfig(std::string_view listeners, std::string_view clusters,
                              std::string_view web_filters, std::string_view web_routes) {
  const auto listener = [](std::string_view name, std::string_view rest) {
    return "  - { name: " + std::string(name) + ", listen: 127.0.0.1:0, " + std::string(rest) +
           " }\n";
  };
  std::string text = "workers: 2\ndrain_timeout: 1s\nstats: " + stats_ + "\nlisteners:\n";
  text += listener("web", "filters: [" + std::string(web_filters) + "], routes: [" +
                              std::string(web_routes) + "{ match: { prefix: / }, cluster: app }]");
  text += listener("fresh", "routes: [{ match: { prefix: / }, cluster: app }]");
  text += listener("kept", "routes: [{ match: { prefix: / }, cluster: app }]");
  text += listener(
      "sockets",
      "routes: [{ match: { prefix: / }, cluster: talk, upgrades: [websocket], timeout: 0s }]");
  text += std::string(listeners) + "clusters:\n";
  text += "  - { name: app, endpoints: [" + ListenerIn(echo_->err(), "echo").ToString() + "] }\n";
  text += "  - { name: talk, endpoints: [" + upstream_.text() + "] }\n" + std::string(clusters);
  file_ = folder_.Write("sluice.yaml", text);
}

bool LoadedProxy::Start() {
  echo_ = std::make_unique<Process>(driver_, binary_,
                                    std::vector<std::string>{"echo", "--listen", "127.0.0.1:0"});
  if (!echo_->WaitForErr("server: ready: ")) return false;
  WriteConfig();
  supervisor_ = std::make_unique<Process>(
      driver_, binary_, std::vector<std::string>{"run", "--supervise", "-c", file_});
  return supervisor_->WaitForErr("server: ready: ");
}

bool LoadedProxy::StartLoad() {
  load_.emplace(CountingLoad::Options{Where("fresh"), Where("kept"), Where("sockets")});
  watch_.emplace(stats_);
  // Longer than any test: it is stopped.
  wrk_ = std::make_unique<Process>(
      driver_, kWrk,
      std::vector<std::string>{"-t1", "-c64", "-d10h", "--timeout", "10s",
                               "http://" + Where("web").ToString() + "/wrk"});
  return driver_.RunUntil(
      [this] {
        return load_->open_sockets() == 5 && load_->fresh() > 0 && load_->kept() > 0 &&
               ReadGauge(stats_, "sluice_downstream_connections_active", "listener=\"web\"") == 64;
      },
      "the load");
}

bool LoadedProxy::Command(const std::string& name) {
  Process command(driver_, binary_, {name, "--stats", stats_});
  const int code = command.WaitForExit();
  EXPECT_EQ(code, 0) << name << ": " << command.err() << "\n" << log();
  return code == 0;
}

int LoadedProxy::AwaitOneProcess() {
  std::vector<int> live;
  driver_.RunUntil(
      [&] {
        live = LiveProcesses(stats_);
        return live.size() == 1;
      },
      "one process alone");
  return live.empty() ? 0 : live[0];
}

int64_t LoadedProxy::UpstreamConnections() const {
  return ReadGauge(stats_, "sluice_upstream_connections_active");
}

LoadedProxy::Figures LoadedProxy::Look() {
  Figures figures;
  figures.pid = AwaitOneProcess();
  driver_.RunUntil(
      [this] { return ReadGauge(stats_, "sluice_downstream_connections_active") == 0; },
      "the end of connections");
  figures.resident_kb = ResidentKilobytesOf(figures.pid);
  figures.fds = static_cast<int64_t>(OpenFdsOf(figures.pid)) - UpstreamConnections();
  figures.supervisor_kb = ResidentKilobytesOf(supervisor_->pid());
  figures.supervisor_fds = static_cast<int64_t>(OpenFdsOf(supervisor_->pid()));
  return figures;
}

void LoadedProxy::StopLoadAndCheck() {
  wrk_->Signal(SIGINT);
  EXPECT_EQ(wrk_->WaitForExit(), 0) << wrk_->err();
  load_->Stop();
  EXPECT_EQ(load_->failures(), "") << log();
  EXPECT_THAT(wrk_->out(), Not(HasSubstr("Socket errors")));
  EXPECT_THAT(wrk_->out(), Not(HasSubstr("Non-2xx")));
  const size_t said = wrk_->out().find(" requests in ");
  ASSERT_NE(said, std::string::npos) << wrk_->out();
  const size_t line = wrk_->out().rfind('\n', said) + 1;
  wrk_requests_ = std::strtoull(wrk_->out().c_str() + line, nullptr, 10);
  EXPECT_GT(wrk_requests_, 64U);

  AwaitOneProcess();
  const auto gauge = [this](std::string_view name) { return ReadGauge(stats_, name); };
  driver_.RunUntil(
      [&] {
        return gauge("sluice_downstream_connections_active") == 0 &&
               gauge("sluice_downstream_requests_active") == 0 &&
               gauge("sluice_worker_connections_active") == 0 &&
               gauge("sluice_upstream_requests_active") == 0;
      },
      "gauges at rest");
  EXPECT_EQ(gauge("sluice_upstream_connections_active"), gauge("sluice_upstream_connections_idle"));

  const auto counter = [this](std::string_view name, std::string_view listener) {
    return ReadCounter(stats_, name, "listener=\"" + std::string(listener) + "\"");
  };
  for (const auto& [listener, count] : std::vector<std::pair<std::string_view, uint64_t>>{
           {"fresh", load_->fresh()}, {"kept", load_->kept()}}) {
    EXPECT_EQ(counter("sluice_downstream_requests_total", listener), count) << listener;
    EXPECT_EQ(counter("sluice_downstream_responses_total", listener), count) << listener;
    EXPECT_EQ(counter("sluice_downstream_request_duration_seconds", listener), 0U);  // no counter
  }
  EXPECT_EQ(counter("sluice_downstream_connections_total", "fresh"), load_->fresh());
  EXPECT_EQ(counter("sluice_downstream_tunnels_total", "sockets"), load_->opened_sockets());
  // At its end wrk had a request under way on each of its connections.
  EXPECT_GE(counter("sluice_downstream_requests_total", "web"), wrk_requests_);
  EXPECT_LE(counter("sluice_downstream_requests_total", "web"), wrk_requests_ + 64);

  watch_->Stop();
  EXPECT_EQ(watch_->failures(), "");
  EXPECT_GT(watch_->readings(), 10U);
  EXPECT_THAT(log(), Not(AnyOf(HasSubstr("error"), HasSubstr("has failed"))));
}

void LoadedProxy::StopAndCheck() {
  supervisor_->Signal(SIGTERM);
  EXPECT_EQ(supervisor_->WaitForExit(), 0) << log();
  EXPECT_THAT(ProcessesWith(folder_.path()), IsEmpty());
  EXPECT_THAT(FilesIn(folder_.path()), ::testing::ElementsAre("sluice.yaml", "stats"));
  EXPECT_THAT(LiveProcesses(stats_), IsEmpty());
}

Address LoadedProxy::Where(std::string_view listener) const { return ListenerIn(log(), listener); }

size_t LoadedProxy::CountInLog(std::string_view text) const {
  size_t count = 0;
  for (size_t at = log().find(text); at != std::string::npos; at = log().find(text, at + 1)) {
    ++count;
  }
  return count;
}

}  // namespace sluice::test
