// ProxyFixture: what a test of the proxy over real sockets stands on: a loop with a clock moved by
// hand, an upstream or two, a rig, and a note of how each request ended. At the end of each test it
// makes sure that the proxy comes to rest, with its gauges at zero.
#ifndef SLUICE_TESTS_SUPPORT_PROXY_FIXTURE_H_
#define SLUICE_TESTS_SUPPORT_PROXY_FIXTURE_H_

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/event/loop.h"
#include "tests/support/driver.h"
#include "tests/support/factory_kind.h"
#include "tests/support/proxy_rig.h"
#include "tests/support/raw_client.h"
#include "tests/support/scripted_upstream.h"

namespace sluice::test {

// A request that is over, as a filter's OnComplete saw it.
struct EndedRequest {
  int status = 0;
  std::string flags;  // "UF,URX"; "-" for none
  std::string details;
  std::string client_ip;
  std::string cluster;
  std::string upstream;
  uint32_t attempts = 0;
};

class ProxyFixture : public ::testing::Test {
 protected:
  static constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

  // Fields of the one listener, its one route (prefix /) and its one cluster, as they stand in a
  // YAML flow map: "timeouts: { head: 5s }, http10: off".
  struct Fields {
    std::string listener = {};
    std::string route = {};
    std::string cluster = {};
  };

  ProxyFixture();
  ~ProxyFixture() override;
  void TearDown() override;

  // One listener whose every request goes to upstream_.
  ProxyRig& Start();
  ProxyRig& Start(const Fields& fields);
  // A whole config; $UP and $OTHER stand for the upstreams' addresses.
  ProxyRig& StartYaml(std::string_view yaml);
  // Puts a filter behind those of the listeners that are started from here on, which are not
  // configured for single routes. `kind` outlives the proxy.
  void AddFilter(const FilterKind& kind) { added_.push_back(&kind); }
  // One listener whose every request goes to `endpoint`.
  ProxyRig& StartTo(const Address& endpoint);
  uint16_t port() const { return rig_->port(); }

  // A request without a body; `fields` are whole lines.
  static std::string Get(std::string_view target, std::string_view fields = {});
  static std::string Post(std::string_view target, std::string_view body,
                          std::string_view fields = {});
  // Sends it on a connection of its own.
  HttpText Ask(std::string_view request, HttpTextKind kind = HttpTextKind::kResponse);
  // What the upstream got as its last whole request.
  const HttpText& LastRequest(ScriptedUpstream& upstream) const;
  const HttpText& LastRequest() { return LastRequest(upstream_); }

  // Until upstream_'s first connection has got `text`; until it has ended.
  void WaitForUpstream(std::string_view text);
  void WaitForUpstreamEnd();

  // Moves time, and lets what is due happen.
  void Advance(Nanos by);
  // The `count`-th request that ended, from 1; waits for it.
  EndedRequest Ended(size_t count);

  FakeClock clock_;
  std::unique_ptr<Loop> loop_;
  Driver driver_;
  ScriptedUpstream upstream_{driver_};
  ScriptedUpstream other_{driver_};
  std::vector<EndedRequest> ended_;
  FactoryKind note_taker_;
  std::vector<const FilterKind*> added_;
  std::unique_ptr<ProxyRig> rig_;
};

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_PROXY_FIXTURE_H_
