// What `sluice run` does to its surroundings, and they to it: ports that are closed when it drains,
// standard fds that were never open.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>

#include <cerrno>
#include <string>

#include "core/net/address.h"
#include "core/net/fd.h"
#include "tests/support/raw_client.h"
#include "tests/support/scripted_upstream.h"
#include "tests/support/sluice_process.h"
#include "tests/support/temp_folder.h"

namespace sluice::test {
namespace {

constexpr std::string_view kGet = "GET /a HTTP/1.1\r\nHost: a.example\r\n\r\n";
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class EnvironmentTest : public testing::Test {
 protected:
  std::string Config(std::string_view top = "") {
    return folder_.Write("sluice.yaml", "workers: 2\nstats: " + folder_.Path("stats") + "\n" +
                                            std::string(top) +
                                            "\nlisteners:\n  - name: web\n    listen: 127.0.0.1:0\n"
                                            "    routes: [{ match: { prefix: / }, cluster: app }]\n"
                                            "clusters:\n  - { name: app, endpoints: [" +
                                            upstream_.text() + "] }\n");
  }
  // An IPv4 address at which nobody listens.
  static bool Refuses(const Address& address) {
    sockaddr_storage storage;
    const socklen_t size = address.ToSockaddr(storage);
    const Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) != 0 &&
           errno == ECONNREFUSED;
  }

  Driver driver_;
  TempFolder folder_;
  ScriptedUpstream upstream_{driver_};
};

// Left open, the sockets would queue clients that nobody serves, for the whole of the drain.
TEST_F(EnvironmentTest, ADrainRefusesNewClientsAtOnce) {
  upstream_.Next().AwaitRequest().Hold().Send(kOk);
  SluiceProcess sluice(driver_, {"run", "-c", Config()});
  ASSERT_TRUE(sluice.WaitUntilReady());
  const Address web = sluice.Where("web");
  RawClient client(driver_, web);
  client.Send(kGet);
  ASSERT_TRUE(upstream_.WaitForRequests(1));
  sluice.Signal(SIGTERM);
  EXPECT_TRUE(driver_.RunUntil([&] { return Refuses(web); }, "a closed port"));
  EXPECT_FALSE(sluice.exited());
  upstream_.connection(0).Release();
  EXPECT_EQ(client.ReadResponse().body, "ok");
  EXPECT_EQ(sluice.WaitForExit(), 0);
}

// Their numbers would otherwise be those of its sockets and of epoll.
TEST_F(EnvironmentTest, RunsWithoutStandardFds) {
  const std::string log = folder_.Path("core.log");
  Process sluice(driver_, "/bin/sh",
                 {"-c", "exec \"$0\" run -c \"$1\" <&- >&- 2>&-", SLUICE_BINARY,
                  Config("log: { path: " + log + " }")});
  const auto ready = [&log] {
    FILE* const file = fopen(log.c_str(), "re");
    if (file == nullptr) return false;
    fclose(file);
    return ReadWholeFile(log).find("server: ready: ") != std::string::npos;
  };
  ASSERT_TRUE(driver_.RunUntil(ready, "the ready line"));
  sluice.Signal(SIGTERM);
  EXPECT_EQ(sluice.WaitForExit(), 0);
}

}  // namespace
}  // namespace sluice::test
