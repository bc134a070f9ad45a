#include "core/net/listener.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <cerrno>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "core/net/listen_socket.h"
#include "core/net/socket.h"

namespace sluice {
namespace {

const Address kAnyPort = Address::Parse("127.0.0.1:0").value();

ListenSockets Listen(const Address& address, size_t count = 1, const ListenOptions& options = {}) {
  Result<ListenSockets> sockets = OpenListenSockets(address, count, options);
  EXPECT_TRUE(sockets) << (sockets ? "" : sockets.error().detail);
  return sockets ? std::move(*sockets) : ListenSockets{};
}

// A client whose connect has ended.
Fd Connect(const Address& address) {
  Result<Fd> fd = StartConnect(address);
  EXPECT_TRUE(fd) << (fd ? "" : fd.error().detail);
  if (!fd) return {};
  pollfd wait{.fd = fd->get(), .events = POLLOUT, .revents = 0};
  EXPECT_EQ(poll(&wait, 1, 10'000), 1);
  EXPECT_TRUE(FinishConnect(fd->get()));
  return std::move(*fd);
}

// Waits until something can be accepted.
bool AwaitQueued(int listening) {
  pollfd wait{.fd = listening, .events = POLLIN, .revents = 0};
  return poll(&wait, 1, 10'000) == 1;
}

int IntOption(int fd, int level, int option) {
  int value = -1;
  socklen_t size = sizeof(value);
  EXPECT_EQ(getsockopt(fd, level, option, &value, &size), 0);
  return value;
}

struct Accepted {
  Fd fd;
  Address peer;
};

class Taker : public Listener::Handler {
 public:
  void OnAccept(Fd fd, const Address& peer) override {
    accepted.push_back({std::move(fd), peer});
    if (on_accept) on_accept();
  }
  void OnAcceptPaused(int errno_value) override { errors.push_back(errno_value); }

  std::vector<Accepted> accepted;
  std::vector<int> errors;
  std::function<void()> on_accept;
};

class ListenerTest : public testing::Test {
 protected:
  bool RunUntil(const std::function<bool()>& done) {
    for (int i = 0; i < 10'000 && !done(); ++i) loop->RunOnce(10);
    return done();
  }
  // One client comes and is forgotten. Before a test leaves no fd: UBSan opens a pipe when it meets
  // a type's virtual calls for the first time.
  bool ServeOne(const Address& address) {
    const Fd client = Connect(address);
    const bool served = RunUntilAccepted(1);
    taker.accepted.clear();
    return served;
  }
  bool RunUntilAccepted(size_t count) {
    return RunUntil([&] { return taker.accepted.size() >= count; });
  }

  FakeClock clock;
  std::unique_ptr<Loop> loop = Loop::Create(clock).value();
  Taker taker;
};

class TemporaryFolder {
 public:
  TemporaryFolder() : path_(testing::TempDir() + "sluice-XXXXXX") {
    EXPECT_NE(mkdtemp(path_.data()), nullptr);
  }
  ~TemporaryFolder() {
    unlink((path_ + "/s").c_str());
    rmdir(path_.c_str());
  }
  std::string File() const { return path_ + "/s"; }
  Address Socket() const { return Address::Unix(File()).value(); }

 private:
  std::string path_;
};

TEST_F(ListenerTest, GivesConnectionAndPeer) {
  const ListenSockets sockets = Listen(kAnyPort);
  Listener listener(*loop, taker);
  ASSERT_TRUE(listener.Start(sockets.fds[0].get()));
  const Fd client = Connect(sockets.address);
  ASSERT_TRUE(RunUntilAccepted(1));
  const int fd = taker.accepted[0].fd.get();
  EXPECT_EQ(taker.accepted[0].peer, LocalAddress(client.get()));
  EXPECT_EQ(LocalAddress(fd), sockets.address);
  EXPECT_NE(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(ListenerTest, NoDelayIsInheritedFromTheListeningSocket) {
  const ListenSockets sockets = Listen(kAnyPort);
  Listener listener(*loop, taker);
  ASSERT_TRUE(listener.Start(sockets.fds[0].get()));
  const Fd client = Connect(sockets.address);
  ASSERT_TRUE(RunUntilAccepted(1));
  EXPECT_EQ(IntOption(taker.accepted[0].fd.get(), IPPROTO_TCP, TCP_NODELAY), 1);
  EXPECT_EQ(IntOption(client.get(), IPPROTO_TCP, TCP_NODELAY), 1);
}

TEST_F(ListenerTest, Ipv6) {
  Result<ListenSockets> sockets = OpenListenSockets(Address::Parse("[::1]:0").value(), 2);
  if (!sockets && sockets.error().code == Code::kRefused) GTEST_SKIP() << "no IPv6 here";
  ASSERT_TRUE(sockets);
  EXPECT_EQ(IntOption(sockets->fds[0].get(), IPPROTO_IPV6, IPV6_V6ONLY), 1);
  Listener first(*loop, taker);
  Listener second(*loop, taker);
  ASSERT_TRUE(first.Start(sockets->fds[0].get()));
  ASSERT_TRUE(second.Start(sockets->fds[1].get()));
  const Fd client = Connect(sockets->address);
  ASSERT_TRUE(RunUntilAccepted(1));
  EXPECT_EQ(taker.accepted[0].peer, LocalAddress(client.get()));
}

TEST_F(ListenerTest, SocketsOfOnePortShareConnections) {
  const ListenSockets sockets = Listen(kAnyPort, 4);
  ASSERT_EQ(sockets.fds.size(), 4u);
  EXPECT_NE(sockets.address.port(), 0);
  std::vector<std::unique_ptr<Listener>> listeners;
  std::set<uint16_t> ports;
  for (const Fd& fd : sockets.fds) {
    ports.insert(LocalAddress(fd.get()).port());
    listeners.push_back(std::make_unique<Listener>(*loop, taker));
    ASSERT_TRUE(listeners.back()->Start(fd.get()));
  }
  EXPECT_EQ(ports, std::set<uint16_t>{sockets.address.port()});
  std::vector<Fd> clients;
  for (int i = 0; i < 100; ++i) clients.push_back(Connect(sockets.address));
  EXPECT_TRUE(RunUntilAccepted(100));
}

TEST_F(ListenerTest, AFloodIsTakenInGrowingPieces) {
  const ListenSockets sockets = Listen(kAnyPort);
  Listener listener(*loop, taker);
  std::vector<Fd> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(Connect(sockets.address));
  ASSERT_TRUE(AwaitQueued(sockets.fds[0].get()));
  ASSERT_TRUE(listener.Start(sockets.fds[0].get()));
  size_t most = 0;
  size_t turns = 0;
  while (taker.accepted.size() < clients.size() && ++turns < 10'000) {
    const size_t before = taker.accepted.size();
    loop->RunOnce(10);
    if (before == 0) {
      EXPECT_LE(taker.accepted.size(), 1u);
    }
    most = std::max(most, taker.accepted.size() - before);
  }
  EXPECT_EQ(taker.accepted.size(), clients.size());
  EXPECT_GT(most, 1u);
  EXPECT_LE(most, 64u);
}

TEST_F(ListenerTest, PausedTheKernelQueues) {
  const ListenSockets sockets = Listen(kAnyPort);
  Listener listener(*loop, taker);
  ASSERT_TRUE(listener.Start(sockets.fds[0].get()));
  listener.Pause();
  const Fd client = Connect(sockets.address);
  ASSERT_TRUE(AwaitQueued(sockets.fds[0].get()));
  clock.Advance(kSecond);
  for (int i = 0; i < 3; ++i) loop->RunOnce(0);
  EXPECT_TRUE(taker.accepted.empty());
  EXPECT_TRUE(listener.paused());
  listener.Resume();
  EXPECT_TRUE(RunUntilAccepted(1));
}

TEST_F(ListenerTest, HandlerMayPauseInTheMiddle) {
  const ListenSockets sockets = Listen(kAnyPort);
  Listener listener(*loop, taker);
  taker.on_accept = [&] {
    if (taker.accepted.size() == 5) listener.Pause();
  };
  std::vector<Fd> clients;
  for (int i = 0; i < 20; ++i) clients.push_back(Connect(sockets.address));
  ASSERT_TRUE(listener.Start(sockets.fds[0].get()));
  ASSERT_TRUE(RunUntilAccepted(5));
  ASSERT_TRUE(AwaitQueued(sockets.fds[0].get()));
  for (int i = 0; i < 3; ++i) loop->RunOnce(0);
  EXPECT_EQ(taker.accepted.size(), 5u);
  listener.Resume();
  EXPECT_TRUE(RunUntilAccepted(20));
}

TEST_F(ListenerTest, HandlerMayClose) {
  const ListenSockets sockets = Listen(kAnyPort);
  Listener listener(*loop, taker);
  taker.on_accept = [&] { listener.Close(); };
  const Fd first = Connect(sockets.address);
  const Fd second = Connect(sockets.address);
  ASSERT_TRUE(listener.Start(sockets.fds[0].get()));
  ASSERT_TRUE(RunUntilAccepted(1));
  ASSERT_TRUE(AwaitQueued(sockets.fds[0].get()));
  for (int i = 0; i < 3; ++i) loop->RunOnce(0);
  EXPECT_EQ(taker.accepted.size(), 1u);
  listener.Resume();  // nothing to go on with
  EXPECT_EQ(listener.fd(), -1);
  // The socket is as it was: another takes over what is queued.
  taker.on_accept = nullptr;
  Listener successor(*loop, taker);
  ASSERT_TRUE(successor.Start(sockets.fds[0].get()));
  EXPECT_TRUE(RunUntilAccepted(2));
}

// Takes all fds that the process may have.
class NoFdsLeft {
 public:
  NoFdsLeft() {
    getrlimit(RLIMIT_NOFILE, &before_);
    const Fd next(dup(0));
    EXPECT_TRUE(next);
    const rlimit limit{.rlim_cur = static_cast<rlim_t>(next.get()), .rlim_max = before_.rlim_max};
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
  }
  ~NoFdsLeft() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_;
};

TEST_F(ListenerTest, OutOfFdsItPausesATenthOfASecond) {
  const ListenSockets sockets = Listen(kAnyPort);
  Listener listener(*loop, taker);
  ASSERT_TRUE(listener.Start(sockets.fds[0].get()));
  ASSERT_TRUE(ServeOne(sockets.address));
  const Fd client = Connect(sockets.address);
  ASSERT_TRUE(AwaitQueued(sockets.fds[0].get()));
  {
    const NoFdsLeft none;
    loop->RunOnce(0);
    EXPECT_EQ(taker.errors, std::vector<int>{EMFILE});
    loop->RunOnce(0);
    EXPECT_EQ(taker.errors.size(), 1u);  // it does not spin
  }
  clock.Advance(99 * kMillisecond);
  loop->RunOnce(0);
  loop->RunOnce(0);
  EXPECT_TRUE(taker.accepted.empty());
  clock.Advance(2 * kMillisecond);
  EXPECT_TRUE(RunUntilAccepted(1));
  EXPECT_EQ(taker.errors.size(), 1u);
}

TEST_F(ListenerTest, PauseAndCloseEndTheErrorPause) {
  const ListenSockets sockets = Listen(kAnyPort);
  Listener listener(*loop, taker);
  ASSERT_TRUE(listener.Start(sockets.fds[0].get()));
  ASSERT_TRUE(ServeOne(sockets.address));
  const Fd client = Connect(sockets.address);
  ASSERT_TRUE(AwaitQueued(sockets.fds[0].get()));
  {
    const NoFdsLeft none;
    loop->RunOnce(0);
    ASSERT_EQ(taker.errors.size(), 1u);
  }
  listener.Pause();
  clock.Advance(kSecond);
  for (int i = 0; i < 3; ++i) loop->RunOnce(0);
  EXPECT_TRUE(taker.accepted.empty());
  listener.Resume();
  EXPECT_TRUE(RunUntilAccepted(1));
}

TEST_F(ListenerTest, AClientThatIsGoneAgainIsNoError) {
  const ListenSockets sockets = Listen(kAnyPort);
  Listener listener(*loop, taker);
  {
    const Fd client = Connect(sockets.address);
    ASSERT_TRUE(AwaitQueued(sockets.fds[0].get()));
    ResetOnClose(client.get());
  }
  const Fd client = Connect(sockets.address);
  ASSERT_TRUE(listener.Start(sockets.fds[0].get()));
  const Address last = LocalAddress(client.get());
  EXPECT_TRUE(
      RunUntil([&] { return !taker.accepted.empty() && taker.accepted.back().peer == last; }));
  EXPECT_TRUE(taker.errors.empty());
}

TEST_F(ListenerTest, UnixSocketIsSharedByAll) {
  const TemporaryFolder folder;
  const ListenSockets sockets = Listen(folder.Socket(), 4);
  ASSERT_EQ(sockets.fds.size(), 1u);
  Listener first(*loop, taker);
  ASSERT_TRUE(first.Start(sockets.fds[0].get()));
  std::unique_ptr<Loop> other_loop = Loop::Create(clock).value();
  Taker other_taker;
  Listener second(*other_loop, other_taker);
  ASSERT_TRUE(second.Start(sockets.fds[0].get()));
  const Fd client = Connect(sockets.address);
  ASSERT_TRUE(AwaitQueued(sockets.fds[0].get()));
  ASSERT_TRUE(RunUntilAccepted(1));
  other_loop->RunOnce(0);
  EXPECT_TRUE(other_taker.accepted.empty());
  EXPECT_TRUE(other_taker.errors.empty());
  EXPECT_EQ(taker.accepted[0].peer.ToString(), "unix:");
}

TEST_F(ListenerTest, AbstractUnixSocket) {
  const Address address =
      Address::Unix("@sluice-listener-test-" + std::to_string(getpid())).value();
  const ListenSockets sockets = Listen(address);
  Listener listener(*loop, taker);
  ASSERT_TRUE(listener.Start(sockets.fds[0].get()));
  const Fd client = Connect(address);
  EXPECT_TRUE(RunUntilAccepted(1));
  const Result<ListenSockets> again = OpenListenSockets(address, 1);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::kAlreadyExists);
}

TEST(ListenSocket, UnixFileHasItsModeAndOwner) {
  const TemporaryFolder folder;
  const ListenSockets sockets =
      Listen(folder.Socket(), 1, {.mode = 0606, .owner = geteuid(), .group = getegid()});
  struct stat status;
  ASSERT_EQ(stat(folder.File().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0606u);
  EXPECT_EQ(status.st_uid, geteuid());
  EXPECT_EQ(status.st_gid, getegid());
  RemoveSocketFile(folder.Socket());
  EXPECT_NE(stat(folder.File().c_str(), &status), 0);
}

TEST(ListenSocket, AStaleUnixFileIsReplaced) {
  const TemporaryFolder folder;
  { const ListenSockets gone = Listen(folder.Socket()); }
  struct stat status;
  ASSERT_EQ(stat(folder.File().c_str(), &status), 0);
  const ListenSockets sockets = Listen(folder.Socket());
  EXPECT_EQ(sockets.fds.size(), 1u);
  const Fd client = Connect(sockets.address);
}

TEST(ListenSocket, AUnixSocketInUseIsLeftAlone) {
  const TemporaryFolder folder;
  const ListenSockets sockets = Listen(folder.Socket());
  const Result<ListenSockets> second = OpenListenSockets(folder.Socket(), 1);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().detail,
            "listen on unix:" + folder.File() + ": another process listens there");
  const Fd client = Connect(sockets.address);
}

TEST(ListenSocket, AnotherFileIsLeftAlone) {
  const TemporaryFolder folder;
  const Fd file(open(folder.File().c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  const Result<ListenSockets> sockets = OpenListenSockets(folder.Socket(), 1);
  ASSERT_FALSE(sockets);
  EXPECT_EQ(sockets.error().detail,
            "listen on unix:" + folder.File() + ": the file exists and is not a socket");
}

TEST(ListenSocket, AFolderThatIsMissingIsNamed) {
  const Result<ListenSockets> sockets =
      OpenListenSockets(Address::Parse("unix:/nonexistent/folder/s").value(), 1);
  ASSERT_FALSE(sockets);
  EXPECT_EQ(sockets.error().detail,
            "listen on unix:/nonexistent/folder/s: bind: No such file or directory");
}

TEST(ListenSocket, APortInUseIsAnErrorThatNamesIt) {
  const ListenSockets sockets = Listen(kAnyPort, 2);
  const Result<ListenSockets> second = OpenListenSockets(sockets.address, 2);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kAlreadyExists);
  EXPECT_EQ(second.error().detail,
            "listen on " + sockets.address.ToString() + ": bind: Address already in use");
}

TEST(ListenSocket, APortIsFreeAgainAtOnce) {
  Address address;
  {
    const ListenSockets sockets = Listen(kAnyPort, 2);
    address = sockets.address;
    const Fd client = Connect(address);
    const Fd accepted(accept4(sockets.fds[0].get(), nullptr, nullptr, SOCK_CLOEXEC));
  }
  EXPECT_EQ(Listen(address, 2).fds.size(), 2u);
}

TEST(ListenSocket, NeedsAnAddress) {
  EXPECT_FALSE(OpenListenSockets(Address(), 1));
  EXPECT_FALSE(OpenListenSockets(Address::Unix("").value(), 1));
}

TEST(ListenSocket, UsersAndGroups) {
  EXPECT_EQ(FindUser("root").value(), 0u);
  EXPECT_EQ(FindUser("1234").value(), 1234u);
  EXPECT_EQ(FindUser("").value(), static_cast<uid_t>(-1));
  EXPECT_EQ(FindUser("no such user").error().detail, "there is no user \"no such user\"");
  EXPECT_FALSE(FindUser("4294967295"));  // would mean "as it is" to chown
  const group* root = getgrgid(0);
  ASSERT_NE(root, nullptr);
  EXPECT_EQ(FindGroup(root->gr_name).value(), 0u);
  EXPECT_EQ(FindGroup("77").value(), 77u);
  EXPECT_FALSE(FindGroup("no such group"));
}

TEST(Socket, ARefusedConnectIsSafeToRetry) {
  // Bound, so that nobody else takes the port, and not listening.
  const Fd holder(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_storage storage;
  const socklen_t size = kAnyPort.ToSockaddr(storage);
  ASSERT_EQ(bind(holder.get(), reinterpret_cast<const sockaddr*>(&storage), size), 0);
  const Address address = LocalAddress(holder.get());
  Result<Fd> fd = StartConnect(address);
  Error error;
  if (!fd) {
    error = fd.error();
  } else {
    pollfd wait{.fd = fd->get(), .events = POLLOUT, .revents = 0};
    ASSERT_EQ(poll(&wait, 1, 10'000), 1);
    const Result<void> result = FinishConnect(fd->get());
    ASSERT_FALSE(result);
    error = result.error();
  }
  EXPECT_EQ(error.code, Code::kRefused);
  EXPECT_EQ(error.side, Side::kUpstream);
  EXPECT_EQ(error.retry, Retry::kSafe);
  EXPECT_THAT(error.detail, ::testing::EndsWith(": Connection refused"));
}

TEST(Socket, NobodyAtAUnixPathIsARefusal) {
  const Result<Fd> fd = StartConnect(Address::Parse("unix:/nonexistent/s").value());
  ASSERT_FALSE(fd);
  EXPECT_EQ(fd.error().code, Code::kRefused);
  EXPECT_EQ(fd.error().retry, Retry::kSafe);
  EXPECT_FALSE(StartConnect(Address()));
}

TEST(Socket, AFullUnixQueueIsARefusal) {
  const TemporaryFolder folder;
  const ListenSockets sockets = Listen(folder.Socket(), 1, {.backlog = 0});
  std::vector<Fd> clients;
  Result<Fd> fd = StartConnect(sockets.address);
  while (fd && clients.size() < 100) {
    clients.push_back(std::move(*fd));
    fd = StartConnect(sockets.address);
  }
  ASSERT_FALSE(fd);
  EXPECT_EQ(fd.error().code, Code::kRefused);
}

// A connection's two ends: the client's and the accepted one.
std::pair<Fd, Fd> ConnectedPair() {
  const ListenSockets sockets = Listen(kAnyPort);
  Fd client = Connect(sockets.address);
  EXPECT_TRUE(AwaitQueued(sockets.fds[0].get()));
  return {std::move(client), Fd(accept4(sockets.fds[0].get(), nullptr, nullptr, SOCK_CLOEXEC))};
}

TEST(Socket, ShutdownEndsOneSide) {
  const auto [client, server] = ConnectedPair();
  ASSERT_TRUE(server);
  char byte;
  ShutdownWrite(server.get());
  ASSERT_TRUE(AwaitQueued(client.get()));
  EXPECT_EQ(read(client.get(), &byte, 1), 0);
  ASSERT_EQ(write(client.get(), "x", 1), 1);
  EXPECT_EQ(read(server.get(), &byte, 1), 1);
}

TEST(Socket, ResetOnCloseResets) {
  auto [client, server] = ConnectedPair();
  ASSERT_TRUE(server);
  ResetOnClose(server.get());
  server.Close();
  ASSERT_TRUE(AwaitQueued(client.get()));
  char byte;
  EXPECT_EQ(read(client.get(), &byte, 1), -1);
  EXPECT_EQ(errno, ECONNRESET);
}

}  // namespace
}  // namespace sluice
