// Any packets at the restart socket: as a successor, as a predecessor and as whoever calls. The
// first byte says which; then, a packet each: its length, how many fds come along, its bytes.
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/check.h"
#include "core/base/clock.h"
#include "core/event/loop.h"
#include "core/net/address.h"
#include "core/server/restart/predecessor.h"
#include "core/server/restart/restart_host.h"
#include "core/server/restart/successor.h"

namespace {

using namespace sluice;  // NOLINT(google-build-using-namespace): all of it is about that

constexpr int kRounds = 8;
constexpr size_t kMostFds = 3;

class Everybody final : public RestartHostOwner, public SuccessorOwner, public PredecessorOwner {
 public:
  explicit Everybody(Loop& loop) : loop_(loop) {}

  void OnSuccessor(Fd fd, bool) override { BeOld(std::move(fd)); }
  void OnCommand(std::string_view, const std::vector<std::string>&,
                 RestartCommand& command) override {
    CHECK(waiting_ == nullptr);
    waiting_ = &command;
  }
  void OnStartFailed(pid_t, std::string_view) override {}
  void OnCommandGone(RestartCommand& command) override {
    CHECK(waiting_ == &command);
    waiting_ = nullptr;
  }
  Nanos OnSuccessorReady() override { return kSecond; }
  void OnSuccessorLost(bool, std::string_view) override { loop_.Retire(std::move(successor_)); }
  void OnReopenLogsAsked() override {}
  void OnEndAsked() override {}
  void OnLastAsked() override {}
  void OnPredecessorDraining(Nanos) override {}
  void OnPredecessorGone() override {}
  void OnPredecessorSilent() override {}
  void OnGivenUp(std::string_view) override {}

  void BeOld(Fd fd) {
    SuccessorOwner& owner = *this;
    successor_ = std::make_unique<Successor>(loop_, owner, std::move(fd), kSecond);
    if (!successor_->Offer({{"127.0.0.1:80", "web", STDERR_FILENO}})) successor_.reset();
  }
  void BeNew(Fd fd) {
    PredecessorOwner& owner = *this;
    predecessor_ = std::make_unique<Predecessor>(loop_, owner, std::move(fd));
    if (predecessor_->Receive(false)) predecessor_->SayReady();
  }
  void End() {
    predecessor_.reset();
    successor_.reset();
    loop_.RunOnce(0);
  }

 private:
  Loop& loop_;
  std::unique_ptr<Successor> successor_;
  std::unique_ptr<Predecessor> predecessor_;
  RestartCommand* waiting_ = nullptr;
};

void SendPacket(int fd, std::string_view bytes, size_t fd_count) {
  alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMostFds)] = {};
  iovec vector{const_cast<char*>(bytes.data()), bytes.size()};
  msghdr header{};
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  if (fd_count > 0) {
    header.msg_control = control;
    header.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
    cmsghdr* const part = CMSG_FIRSTHDR(&header);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
    // Not its own, whose end would never come then.
    const int other = STDERR_FILENO;
    for (size_t i = 0; i < fd_count; ++i) {
      std::memcpy(CMSG_DATA(part) + i * sizeof(int), &other, sizeof(int));
    }
  }
  (void)sendmsg(fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
}

void SendPackets(int fd, std::string_view rest) {
  while (rest.size() > 2) {
    const size_t fds = static_cast<unsigned char>(rest[1]) % (kMostFds + 1);
    const size_t size = std::min<size_t>(static_cast<unsigned char>(rest[0]), rest.size() - 2);
    SendPacket(fd, rest.substr(2, size), fds);
    rest.remove_prefix(2 + size);
  }
}

// One that has connected to the host.
Fd Call(const std::string& path) {
  Fd fd(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_storage storage;
  const socklen_t size = Address::Unix(path).value().ToSockaddr(storage);
  CHECK(connect(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size) == 0);
  return fd;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  FakeClock clock;
  const auto loop = Loop::Create(clock).value();
  Everybody everybody(*loop);
  if (data[0] % 3 == 2) {
    const std::string path = "/tmp/sluice-fuzz-" + std::to_string(getpid());
    RestartHostOwner& owner = everybody;
    RestartHost host(*loop, owner);
    CHECK(host.Open(path, static_cast<uid_t>(-1), static_cast<gid_t>(-1)));
    const Fd caller = Call(path);
    SendPackets(caller.get(), bytes.substr(1));
    for (int i = 0; i < kRounds; ++i) loop->RunOnce(0);
    everybody.End();
    return 0;
  }
  int ends[2];
  CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
  Fd ours(ends[0]);
  {
    const Fd theirs(ends[1]);
    SendPackets(theirs.get(), bytes.substr(1));
  }
  data[0] % 3 == 0 ? everybody.BeOld(std::move(ours)) : everybody.BeNew(std::move(ours));
  for (int i = 0; i < kRounds; ++i) loop->RunOnce(0);
  everybody.End();
  return 0;
}
