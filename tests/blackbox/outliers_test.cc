// Outlier detection of the real binary: workers count together, and an ejection outlives the
// process, but not the configuration that wanted it.
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "core/base/strings.h"
#include "tests/support/raw_client.h"
#include "tests/support/scripted_upstream.h"
#include "tests/support/sluice_process.h"
#include "tests/support/temp_folder.h"

namespace sluice::test {
namespace {

using ::testing::HasSubstr;

class OutliersOfProcesses : public testing::Test {
 protected:
  OutliersOfProcesses() {
    good_.AlwaysAnswer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    bad_.AlwaysAnswer("HTTP/1.1 500 Bad\r\nContent-Length: 3\r\n\r\nbad");
    WriteConfig(", outlier_detection: { consecutive_5xx: 4, ejection_time: 1h }");
  }
  void WriteConfig(std::string_view detection) {
    file_ = folder_.Write(
        "sluice.yaml",
        StrCat({"workers: 2\ndrain_timeout: 1s\nstats: ", stats_,
                "\nadmin: 'unix:", folder_.Path("admin.sock"),
                "'\nlisteners:\n  - name: web\n    listen: 127.0.0.1:0\n"
                "    routes: [{ match: /, cluster: app }]\n"
                "clusters:\n  - { name: app, balance: { panic_threshold: 0% }, endpoints: ['",
                good_.text(), "', '", bad_.text(), "']", detection, " }\n"}));
  }
  std::unique_ptr<SluiceProcess> Run() {
    return std::make_unique<SluiceProcess>(driver_, std::vector<std::string>{"run", "-c", file_});
  }
  std::string Ask(const SluiceProcess& proxy) {
    RawClient client(driver_, proxy.Where("web"));
    client.Send("GET / HTTP/1.1\r\nHost: a.example\r\nConnection: close\r\n\r\n");
    return client.ReadResponse().body;
  }
  std::string Admin(std::string_view target) {
    RawClient client(driver_, *Address::Parse("unix:" + folder_.Path("admin.sock")));
    client.Send(StrCat({"GET ", target, " HTTP/1.1\r\nHost: localhost\r\n\r\n"}));
    return client.ReadResponse().body;
  }

  Driver driver_;
  TempFolder folder_;
  ScriptedUpstream good_{driver_};
  ScriptedUpstream bad_{driver_};
  const std::string stats_ = folder_.Path("stats");
  std::string file_;
};

TEST_F(OutliersOfProcesses, AnEjectionOutlivesARestartAndNotItsConfiguration) {
  auto first = Run();
  ASSERT_TRUE(first->WaitUntilReady());
  const std::string ejected = StrCat({"outlier: clusters.app ", bad_.text(), " is ejected for 1h"});
  ASSERT_TRUE(driver_.RunUntil(
      [&] {
        Ask(*first);
        return first->err().find(ejected) != std::string::npos;
      },
      "the ejection"));
  EXPECT_THAT(Admin("/clusters"), HasSubstr("ejected"));

  auto second = Run();
  ASSERT_TRUE(second->WaitUntilReady());
  EXPECT_EQ(first->WaitForExit(), 0);
  const size_t before = bad_.request_count();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Ask(*second), "ok");
  EXPECT_EQ(bad_.request_count(), before);
  EXPECT_THAT(Admin("/metrics"),
              HasSubstr("sluice_upstream_ejections_total{cause=\"consecutive_5xx\","
                        "cluster=\"app\"} 1\n"));

  WriteConfig("");
  SluiceProcess reload(driver_, {"reload", "--stats", stats_});
  EXPECT_EQ(reload.WaitForExit(), 0) << reload.err();
  EXPECT_TRUE(driver_.RunUntil(
      [&] {
        Ask(*second);
        return bad_.request_count() > before;
      },
      "a request at the endpoint"));
}

}  // namespace
}  // namespace sluice::test
