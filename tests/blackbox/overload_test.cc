// A process that runs short of something: what it gives up, says and shows, and that it takes that
// back.
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/support/raw_client.h"
#include "tests/support/scripted_upstream.h"
#include "tests/support/sluice_process.h"
#include "tests/support/temp_folder.h"

namespace sluice::test {
namespace {

using ::testing::HasSubstr;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

TEST(OverloadTest, ConnectionsRunShort) {
  Driver driver;
  TempFolder folder;
  ScriptedUpstream upstream(driver);
  upstream.Others() = Script().AwaitRequest().Hold().Send(kOk).Repeat();
  SluiceProcess sluice(
      driver, {"run", "-c",
               folder.Write("sluice.yaml",
                            "admin: 127.0.0.1:0\nworkers: 2\nmax_connections: 4\nstats: " +
                                folder.Path("stats") +
                                "\noverload:\n  connections: { stop_keep_alive: 50%, "
                                "shed_low_priority: 75%, refuse_connections: 100% }\n"
                                "listeners:\n  - name: web\n    listen: 127.0.0.1:0\n    routes: "
                                "[{ match: /, cluster: app, timeout: 1m }]\n"
                                "clusters: [{ name: app, endpoints: [" +
                                upstream.text() + "] }]\n")});
  ASSERT_TRUE(sluice.WaitUntilReady());
  std::vector<std::unique_ptr<RawClient>> clients;
  const auto connect = [&] {
    clients.push_back(std::make_unique<RawClient>(driver, sluice.Where("web")));
    clients.back()->Send(kGet);
  };
  connect();
  connect();
  ASSERT_TRUE(
      sluice.WaitForErr("warning overload: connections 50%: responses close their "
                        "connections (stop_keep_alive, from 50% on)"));
  connect();
  connect();
  ASSERT_TRUE(upstream.WaitForRequests(4));
  ASSERT_TRUE(sluice.WaitForErr("overload: connections 100%: new connections are refused"));

  RawClient refused(driver, sluice.Where("web"));
  EXPECT_TRUE(refused.WaitForEnd());
  EXPECT_EQ(refused.received(), "");
  RawClient admin(driver, sluice.Where("admin"));
  admin.Send("GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n");
  const HttpText metrics = admin.ReadResponse();
  EXPECT_EQ(metrics.status, 200);
  EXPECT_THAT(metrics.body, HasSubstr("sluice_overload_step{resource=\"connections\",step=\"shed_"
                                      "low_priority\"} 1\n"));
  EXPECT_THAT(metrics.body,
              HasSubstr("sluice_downstream_connections_refused_total{listener=\"web\"} 1\n"));

  for (size_t i = 0; i < 4; ++i) upstream.connection(i).Release();
  for (const auto& client : clients) {
    const HttpText response = client->ReadResponse();
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.Header("connection"), "close");
  }
  ASSERT_TRUE(sluice.WaitForErr("overload: connections 0%: refuse_connections is taken back"));
  connect();
  ASSERT_TRUE(upstream.WaitForRequests(5));
  // It came on a connection that was kept, or on one of its own.
  for (size_t i = 0; i < upstream.connection_count(); ++i) upstream.connection(i).Release();
  EXPECT_EQ(clients.back()->ReadResponse().status, 200);
}

}  // namespace
}  // namespace sluice::test
