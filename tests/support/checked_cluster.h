// HealthTest: what the tests of active checks stand on: a cluster with endpoints of real sockets,
// checked under a clock that is moved by hand.
#ifndef SLUICE_TESTS_SUPPORT_CHECKED_CLUSTER_H_
#define SLUICE_TESTS_SUPPORT_CHECKED_CLUSTER_H_

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/strings.h"
#include "core/config/config.pb.h"
#include "core/config/loader.h"
#include "core/config/test_filters.h"
#include "core/event/loop.h"
#include "core/stats/directory.h"
#include "core/stats/reader.h"
#include "core/stats/segment.h"
#include "core/upstream/cluster.h"
#include "core/upstream/health/health_checker.h"
#include "core/upstream/health/prober.h"
#include "tests/support/driver.h"
#include "tests/support/fake_name_resolver.h"
#include "tests/support/scripted_upstream.h"

namespace sluice {

// `health` as in a flow map, without jitter; empty: none.
inline config::Cluster CheckedClusterConfig(const std::vector<std::string>& endpoints,
                                            const std::string& health,
                                            const std::string& fields = {}) {
  std::string list;
  for (const std::string& endpoint : endpoints) list += StrCat({"\"", endpoint, "\", "});
  const std::string checks =
      health.empty() ? "" : StrCat({"health: { jitter: 0%, ", health, " }, "});
  const LoadResult loaded = LoadConfigText(
      StrCat({"listeners: [{ name: web, listen: 127.0.0.1:0, routes: [{ match: /, cluster: api }] ",
              "}]\nclusters: [{ name: api, ", checks, fields, " endpoints: [", list, "] }]\n"}),
      ConfigFormat::kYaml, "f", ProcessEnv, TestFilters());
  if (!loaded) {
    for (const ConfigError& error : loaded.error()) ADD_FAILURE() << error.path << error.message;
    return {};
  }
  return loaded->config->clusters(0);
}

class HealthTest : public testing::Test {
 protected:
  static constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

  std::unique_ptr<Cluster> Create(const config::Cluster& config) {
    auto cluster =
        Cluster::Create(config, *loop_, directory_, std::make_unique<FakeNameResolver>(dns_));
    if (!cluster) ADD_FAILURE() << cluster.error().detail;
    return cluster ? std::move(*cluster) : nullptr;
  }
  void Create(const std::vector<std::string>& endpoints, const std::string& health,
              const std::string& fields = {}) {
    cluster_ = Create(CheckedClusterConfig(endpoints, health, fields));
  }
  void Start() {
    cluster_->SubscribeHealth([this](const HealthEvent& event) {
      events_.push_back(
          StrCat({event.success ? "+" : "-", event.changed ? "!" : "",
                  event.healthy ? "healthy" : "unhealthy", event.first ? " first" : ""}));
    });
    cluster_->Start([this] { ++changes_; });
  }
  // A cluster with one endpoint, upstream_.
  void StartOne(const std::string& health, const std::string& fields = {}) {
    Create({upstream_.text()}, health, fields);
    Start();
  }

  void Advance(Nanos by) {
    clock_.Advance(by);
    loop_->RunOnce(0);
  }
  // Begins the first checks.
  void BeginFirst() { Advance(HealthChecker::kFirstChecks + kMillisecond); }
  uint64_t Count(std::string_view name, std::string_view label, std::string_view value) {
    const auto id = reader_.Find(name, {{"cluster", "api"}, {label, value}});
    EXPECT_TRUE(id) << name;
    return id ? reader_.counter(*id) : 0;
  }
  uint64_t Checks(std::string_view result) {
    return Count("sluice_upstream_health_checks_total", "result", result);
  }
  uint64_t Changes(std::string_view to) {
    return Count("sluice_upstream_health_changes_total", "to", to);
  }
  int64_t GaugeOf(std::string_view name) {
    const auto id = reader_.Find(name, {{"cluster", "api"}});
    EXPECT_TRUE(id) << name;
    return id ? reader_.gauge(*id) : -1;
  }
  // Until so many checks were made, and what follows is published.
  void WaitForChecks(uint64_t count) {
    driver_.RunUntil([&] { return Checks("success") + Checks("failure") >= count; }, "checks");
    loop_->RunOnce(0);
    loop_->RunOnce(0);
    EXPECT_EQ(Checks("success") + Checks("failure"), count);
  }
  // What the endpoint set says: "" (usable), "unchecked" or "failed".
  static std::string StateIn(const Cluster& cluster, const std::string& text) {
    const Endpoint* endpoint = cluster.endpoints()->FindByText(text);
    if (endpoint == nullptr) return "none";
    if (HasFault(endpoint->faults, EndpointFault::kUnchecked)) return "unchecked";
    return HasFault(endpoint->faults, EndpointFault::kFailedCheck) ? "failed" : "";
  }
  std::string State(const std::string& text) { return StateIn(*cluster_, text); }
  std::string State() { return State(upstream_.text()); }
  // Why the last check failed; "ok": it did not.
  std::string Reason(const std::string& text) {
    const std::optional<LastCheck> check = cluster_->FindCheck(text);
    if (!check) return "none";
    return check->success ? "ok" : check->reason;
  }
  std::string Reason() { return Reason(upstream_.text()); }
  // Makes the first check of upstream_, and says how it ended.
  std::string FirstCheck(const std::string& health, const std::string& fields = {}) {
    StartOne(health, fields);
    BeginFirst();
    WaitForChecks(1);
    EXPECT_EQ(State() == "", Reason() == "ok");
    return Reason();
  }

  FakeClock clock_;
  std::unique_ptr<Loop> loop_ = Loop::Create(clock_).value();
  std::unique_ptr<StatsSegment> segment_ = StatsSegment::Create({}).value();
  StatsDirectory directory_{*segment_};
  StatsReader reader_{*segment_};
  FakeNameResolver::Questions dns_;
  test::Driver driver_{loop_.get()};
  test::ScriptedUpstream upstream_{driver_};
  test::ScriptedUpstream other_{driver_};
  std::vector<std::string> events_;
  int changes_ = 0;
  std::unique_ptr<Cluster> cluster_;
};

}  // namespace sluice

#endif  // SLUICE_TESTS_SUPPORT_CHECKED_CLUSTER_H_
