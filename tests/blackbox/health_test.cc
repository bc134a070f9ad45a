// Active checks of the real binary: endpoints are killed and restarted while clients go on.
#include <gmock/gmock.h>
#include <signal.h>

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/raw_client.h"
#include "tests/support/sluice_process.h"
#include "tests/support/temp_folder.h"

namespace sluice::test {
namespace {

class HealthTest : public testing::Test {
 protected:
  std::unique_ptr<SluiceProcess> Echo(const std::string& address, const std::string& name) {
    auto echo = std::make_unique<SluiceProcess>(
        driver_,
        std::vector<std::string>{"echo", "--listen", address, "--name", name, "--workers", "1"});
    EXPECT_TRUE(echo->WaitUntilReady());
    return echo;
  }
  // Asks on one connection until `done`; each answer must be 200.
  void AskUntil(RawClient& client, const std::function<bool()>& done) {
    driver_.RunUntil([&] { return done() || !AskOnce(client); }, "the log to say it");
  }
  bool AskOnce(RawClient& client) {
    client.Send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    const HttpText response = client.ReadResponse();
    EXPECT_EQ(response.status, 200);
    last_ = response.body.find("\"name\": \"one\"") != std::string::npos ? "one" : "two";
    return response.status == 200;
  }
  nlohmann::json Endpoints(const Address& admin) {
    RawClient client(driver_, admin);
    client.Send("GET /clusters?format=json HTTP/1.1\r\nHost: a\r\n\r\n");
    return nlohmann::json::parse(client.ReadResponse().body)[0]["endpoints"];
  }

  Driver driver_;
  TempFolder folder_;
  std::string last_;
};

TEST_F(HealthTest, AnEndpointIsKilledAndRestartedAndNoClientNotices) {
  auto one = Echo("127.0.0.1:0", "one");
  auto two = Echo("127.0.0.1:0", "two");
  const std::string first = one->Where("echo").ToString();
  const std::string second = two->Where("echo").ToString();
  SluiceProcess sluice(
      driver_,
      {"run", "-c",
       folder_.Write(
           "sluice.yaml",
           "workers: 2\nadmin: 127.0.0.1:0\nstats: " + folder_.Path("stats") +
               "\nlisteners: [{ name: web, listen: 127.0.0.1:0, routes: [{ match: /, cluster: "
               "app, retries: { on: [connect-failure, reset], attempts: 2 } }] }]\nclusters: [{ "
               "name: app, endpoints: [\"" +
               first + "\", \"" + second +
               "\"], health: { path: /status/200, interval: 50ms, fast_interval: 20ms, "
               "down_interval: 50ms } }]\n")});
  ASSERT_TRUE(sluice.WaitUntilReady());
  // It was ready only when they had been checked.
  const nlohmann::json before = Endpoints(sluice.Where("admin"));
  EXPECT_EQ(before[0]["state"], "enabled");
  EXPECT_EQ(before[0]["check"], "ok");
  EXPECT_TRUE(before[0]["checked_ago"].is_string());

  RawClient client(driver_, sluice.Where("web"));
  one->Signal(SIGKILL);
  one->WaitForExit();
  AskUntil(client, [&] {
    return sluice.err().find("health: clusters.app " + first + " is unhealthy: ") !=
           std::string::npos;
  });
  const nlohmann::json down = Endpoints(sluice.Where("admin"));
  EXPECT_EQ(down[0]["state"], "failed");
  EXPECT_THAT(down[0]["check"].get<std::string>(), testing::HasSubstr("refused"));
  EXPECT_EQ(down[1]["state"], "enabled");
  for (int i = 0; i < 10; ++i) {
    AskOnce(client);
    EXPECT_EQ(last_, "two");
  }

  one = Echo(first, "one");
  AskUntil(client, [&] {
    return sluice.err().find("health: clusters.app " + first + " is healthy (2 in a row)") !=
           std::string::npos;
  });
  AskUntil(client, [&] { return last_ == "one"; });
  two->Signal(SIGKILL);
  AskUntil(client, [&] {
    return sluice.err().find("health: clusters.app " + second + " is unhealthy: ") !=
           std::string::npos;
  });
  sluice.Signal(SIGTERM);
  EXPECT_EQ(sluice.WaitForExit(), 0);
}

}  // namespace
}  // namespace sluice::test
