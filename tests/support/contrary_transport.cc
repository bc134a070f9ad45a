#include "tests/support/contrary_transport.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/check.h"
#include "core/net/fd.h"

namespace sluice::test {
namespace {

// A record: its type, its size, so many bytes.
enum RecordType : char { kData = 'd', kFill = 'f', kAsk = 'a', kAnswer = 'r', kEnd = 'e' };
constexpr size_t kRecordHead = 2;
constexpr size_t kMaxRecord = 255;

void AppendRecord(RecordType type, std::string_view payload, std::string& out) {
  out.push_back(type);
  out.push_back(static_cast<char>(static_cast<unsigned char>(payload.size())));
  out += payload;
}

// Takes one whole record off the front of `bytes`.
bool TakeRecord(std::string& bytes, char& type, std::string& payload) {
  if (bytes.size() < kRecordHead) return false;
  const size_t size = static_cast<unsigned char>(bytes[1]);
  if (bytes.size() < kRecordHead + size) return false;
  type = bytes[0];
  payload = bytes.substr(kRecordHead, size);
  bytes.erase(0, kRecordHead + size);
  return true;
}

bool WouldBlock(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == ENOTCONN || error == EINTR;
}

// Both ends of a connection, with a small buffer on the near one's way out; neither blocks. Not of
// TCP, whose timers make small buffers slow.
std::pair<int, int> ConnectedPair() {
  int ends[2];
  CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
  const int size = 4096;
  setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
  return {ends[0], ends[1]};
}

ContraryNetwork* current_network = nullptr;

}  // namespace

// Between the transport's records and the real socket.
class ContraryPeer {
 public:
  ContraryPeer(Fd records, Fd socket) : records_(std::move(records)), socket_(std::move(socket)) {}

  bool done() const { return transport_closed_ && socket_.get() < 0 && records_.get() < 0; }

  // The transport is destroyed; what it has said still goes on.
  void OnTransportClosed(bool reset) {
    transport_closed_ = true;
    to_transport_.clear();
    if (!reset) return;
    Reset(socket_);
    records_ = Fd();
  }

  bool Step() {
    bool busy = FromTransport();
    busy |= FromSocket();
    busy |= Flush(records_, to_transport_);
    busy |= Flush(socket_, to_socket_);
    if (to_socket_.empty() && std::exchange(shutdown_due_, false) && socket_.get() >= 0) {
      shutdown(socket_.get(), SHUT_WR);
    }
    if (transport_gone_ && to_socket_.empty()) socket_ = Fd();
    if (socket_reset_ && to_transport_.empty()) Reset(records_);
    return busy;
  }

  void AddPollFds(std::vector<pollfd>& fds) const {
    if (records_.get() >= 0) fds.push_back({records_.get(), POLLIN, 0});
    if (socket_.get() >= 0) fds.push_back({socket_.get(), POLLIN, 0});
  }

 private:
  static constexpr int kStepsBeforeEnd = 3;

  // Steps at most so many bytes, so that the transport's buffer stays full for a while.
  bool FromTransport() {
    if (records_.get() < 0 || transport_gone_ || to_socket_.size() > 65536) return false;
    char bytes[4096];
    const ssize_t size = recv(records_.get(), bytes, sizeof(bytes), MSG_DONTWAIT);
    if (size < 0 && WouldBlock(errno)) return false;
    if (size <= 0) {
      transport_gone_ = true;
      records_ = Fd();
      return true;
    }
    raw_.append(bytes, static_cast<size_t>(size));
    char type = 0;
    std::string payload;
    while (TakeRecord(raw_, type, payload)) {
      if (type == kData) to_socket_ += payload;
      if (type == kAsk) AppendRecord(kAnswer, "", to_transport_);
      if (type == kEnd) shutdown_due_ = true;
    }
    return true;
  }

  bool FromSocket() {
    if (socket_.get() < 0 || socket_ended_) {
      // The end comes late.
      if (!end_due_ || --steps_before_end_ > 0) return end_due_;
      end_due_ = false;
      AppendRecord(kEnd, "", to_transport_);
      return true;
    }
    if (transport_closed_) to_transport_.clear();
    if (to_transport_.size() > 8192) return false;
    char bytes[2048];
    const ssize_t size = recv(socket_.get(), bytes, sizeof(bytes), MSG_DONTWAIT);
    if (size < 0 && WouldBlock(errno)) return false;
    if (size <= 0) {
      socket_ended_ = true;
      (size < 0 ? socket_reset_ : end_due_) = true;
      return true;
    }
    for (std::string_view rest(bytes, static_cast<size_t>(size)); !rest.empty();) {
      const std::string_view piece = rest.substr(0, kMaxRecord);
      AppendRecord(kData, piece, to_transport_);
      rest.remove_prefix(piece.size());
    }
    return true;
  }

  static bool Flush(Fd& fd, std::string& bytes) {
    if (bytes.empty()) return false;
    if (fd.get() < 0) {
      bytes.clear();
      return true;
    }
    const ssize_t size = send(fd.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0 && WouldBlock(errno)) return false;
    bytes.erase(0, size < 0 ? bytes.size() : static_cast<size_t>(size));
    return true;
  }

  static void Reset(Fd& fd) {
    if (fd.get() < 0) return;
    const linger reset{1, 0};
    setsockopt(fd.get(), SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    fd = Fd();
  }

  Fd records_;
  Fd socket_;
  std::string raw_;
  std::string to_socket_;
  std::string to_transport_;
  int steps_before_end_ = kStepsBeforeEnd;
  bool end_due_ = false;
  bool shutdown_due_ = false;
  bool socket_ended_ = false;
  bool socket_reset_ = false;
  bool transport_gone_ = false;
  bool transport_closed_ = false;
};

namespace {

class ContraryTransport final : public Transport {
 public:
  ContraryTransport(int fd, ContraryPeer& peer) : fd_(fd), peer_(peer) {}
  ~ContraryTransport() override {
    Flush();
    close(fd_);
    peer_.OnTransportClosed(reset_);
  }
  ContraryTransport(const ContraryTransport&) = delete;
  ContraryTransport& operator=(const ContraryTransport&) = delete;

  int fd() const override { return fd_; }

  IoResult Read(char* data, size_t size) override {
    if (++reads_ % 11 == 0) filling_ = true;
    if (filling_) {
      // Until the kernel takes no more: then its buffer must empty before we read on.
      while (Flush()) AppendRecord(kFill, std::string(kMaxRecord, '-'), pending_);
      if (error_ != 0) return {IoResult::Status::kFailed, false, error_, 0};
      filling_ = false;
      ++ContraryNetwork::current().reads_that_wanted_to_write;
      return {IoResult::Status::kWaitWritable, false, 0, 0};
    }
    if (plain_.empty()) Pull();
    if (!plain_.empty()) {
      const size_t bytes = std::min({size, plain_.size(), 1 + reads_ % 3});
      std::memcpy(data, plain_.data(), bytes);
      plain_.erase(0, bytes);
      return {IoResult::Status::kOk, false, 0, bytes};
    }
    if (ended_) return {IoResult::Status::kEnd, false, 0, 0};
    if (error_ != 0) return {IoResult::Status::kFailed, false, error_, 0};
    return {IoResult::Status::kWaitReadable, false, 0, 0};
  }

  IoResult Write(const struct iovec* vectors, int count) override {
    if (asked_ && !answered_) {
      Pull();  // which may bring data along
      if (error_ != 0) return {IoResult::Status::kFailed, false, error_, 0};
      if (!answered_) return {IoResult::Status::kWaitReadable, false, 0, 0};
    }
    asked_ = answered_ = false;
    if (sending_ == 0) {
      if (++writes_ % 7 == 0) {
        AppendRecord(kAsk, "", pending_);
        asked_ = true;
        if (!Flush()) return Waiting();
        ++ContraryNetwork::current().writes_that_wanted_to_read;
        return {IoResult::Status::kWaitReadable, false, 0, 0};
      }
      std::string piece;
      const size_t most = 1 + writes_ % 3;
      for (int i = 0; i < count && piece.size() < most; ++i) {
        const auto* bytes = static_cast<const char*>(vectors[i].iov_base);
        piece.append(bytes, std::min(vectors[i].iov_len, most - piece.size()));
      }
      AppendRecord(kData, piece, pending_);
      sending_ = piece.size();
    }
    // As with TLS: a record that did not leave whole is tried again.
    if (!Flush()) return Waiting();
    return {IoResult::Status::kOk, false, 0, std::exchange(sending_, 0)};
  }

  void ShutdownWrite() override {
    AppendRecord(kEnd, "", pending_);
    Flush();
  }

  void ResetOnClose() override {
    pending_.clear();
    reset_ = true;
  }

 private:
  IoResult Waiting() const {
    if (error_ != 0) return {IoResult::Status::kFailed, false, error_, 0};
    return {IoResult::Status::kWaitWritable, false, 0, 0};
  }

  // Says whether everything has left.
  bool Flush() {
    while (!pending_.empty()) {
      const ssize_t size = send(fd_, pending_.data(), pending_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (size < 0) {
        if (!WouldBlock(errno)) error_ = errno;
        return false;
      }
      pending_.erase(0, static_cast<size_t>(size));
    }
    return true;
  }

  // Everything that is there.
  void Pull() {
    char bytes[2048];
    for (;;) {
      const ssize_t size = recv(fd_, bytes, sizeof(bytes), MSG_DONTWAIT);
      if (size < 0 && WouldBlock(errno)) break;
      if (size <= 0) {
        if (!ended_) error_ = size < 0 ? errno : ECONNRESET;  // no record said so
        break;
      }
      raw_.append(bytes, static_cast<size_t>(size));
    }
    char type = 0;
    std::string payload;
    while (TakeRecord(raw_, type, payload)) {
      if (type == kData) plain_ += payload;
      if (type == kAnswer) answered_ = true;
      if (type == kEnd) ended_ = true;
    }
  }

  int fd_;
  ContraryPeer& peer_;  // outlives it
  size_t reads_ = 0;
  size_t writes_ = 0;
  std::string pending_;  // records that have not left
  std::string raw_;
  std::string plain_;
  size_t sending_ = 0;  // bytes of the caller's in the record that leaves
  int error_ = 0;
  bool filling_ = false;
  bool asked_ = false;
  bool answered_ = false;
  bool ended_ = false;
  bool reset_ = false;
};

}  // namespace

ContraryNetwork::ContraryNetwork(Driver& driver) : driver_(driver) {
  CHECK(current_network == nullptr);
  current_network = this;
  driver_.Add(*this);
}

ContraryNetwork::~ContraryNetwork() {
  driver_.Remove(*this);
  current_network = nullptr;
}

ContraryNetwork& ContraryNetwork::current() { return *current_network; }

std::unique_ptr<Transport> ContraryNetwork::Connect(int socket) {
  const auto [near, far] = ConnectedPair();
  peers_.push_back(std::make_unique<ContraryPeer>(Fd(far), Fd(socket)));
  return std::make_unique<ContraryTransport>(near, *peers_.back());
}

bool ContraryNetwork::Step() {
  bool busy = false;
  for (const auto& peer : peers_) busy |= peer->Step();
  std::erase_if(peers_, [](const auto& peer) { return peer->done(); });
  return busy;
}

void ContraryNetwork::AddPollFds(std::vector<pollfd>& fds) const {
  for (const auto& peer : peers_) peer->AddPollFds(fds);
}

std::unique_ptr<Transport> NewContraryTransport(int fd) {
  return ContraryNetwork::current().Connect(fd);
}

}  // namespace sluice::test
