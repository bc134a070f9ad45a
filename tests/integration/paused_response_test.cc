// Responses that a filter holds for a while: when it lets go, the body goes on coming.
#include <gtest/gtest.h>

#include "core/base/clock.h"
#include "core/event/loop.h"
#include "tests/support/driver.h"
#include "tests/support/proxy_rig.h"
#include "tests/support/raw_client.h"
#include "tests/support/scripted_upstream.h"

namespace sluice::test {
namespace {

TEST(PausedResponse, ABodySlowedByAFilterComesWhole) {
  FakeClock clock;
  std::unique_ptr<Loop> loop = std::move(*Loop::Create(clock));
  Driver driver(loop.get());
  ScriptedUpstream upstream(driver);
  const std::string body(400'000, 'x');
  upstream.AlwaysAnswer("HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n" + body);
  ProxyRig rig(*loop, clock,
               "listeners:\n"
               "  - name: web\n"
               "    listen: 127.0.0.1:0\n"
               "    filters:\n"
               "      - fault: { bandwidth: 100KiB }\n"
               "    routes: [{ match: { prefix: / }, cluster: api }]\n"
               "clusters:\n"
               "  - { name: api, endpoints: [\"" +
                   upstream.text() + "\"] }\n");
  RawClient client(driver, rig.port());
  client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_TRUE(driver.RunUntil(
      [&] {
        clock.Advance(10 * kMillisecond);
        return client.unread().size() > body.size();
      },
      "the whole body"));
  EXPECT_EQ(client.ReadResponse().body, body);
}

}  // namespace
}  // namespace sluice::test
