// Connection: the only thing that reads and writes a transport. It holds what was read and not yet
// taken, and what is to be written and was not yet; while idle it holds no buffer. It knows nothing
// of HTTP.
//
// Owned by its handler (a server's or an upstream's connection), which retires with it: a handler's
// calls come from here, so it must not be destroyed inside one (Loop::Retire).
//
// Output is written when the current callback and all it deferred are over, in one system call.
#ifndef SLUICE_CORE_NET_CONNECTION_H_
#define SLUICE_CORE_NET_CONNECTION_H_

#include <cstdint>
#include <memory>

#include "core/base/buffer.h"
#include "core/base/result.h"
#include "core/event/loop.h"
#include "core/net/transport.h"

namespace sluice {

class ConnectionHandler {
 public:
  // The connect that Start(connecting) waited for is done.
  virtual void OnConnected() = 0;
  // More bytes stand at the end of `in`; take what can be used from its front.
  virtual void OnData(Buffer& in) = 0;
  // The peer sends no more. All it sent was given to OnData before.
  virtual void OnPeerClosed() = 0;
  // Output that had piled up (Connection::Blocked) was written, all of it; or ShutdownWrite's or
  // CloseWhenWritten's turn has come.
  virtual void OnWritten() = 0;
  // Reading or writing failed; both are over. `while_writing`: the peer may have sent something
  // before that is still to be read, and Connection goes on reading until that ends.
  virtual void OnFailed(const Error& error) = 0;

 protected:
  ~ConnectionHandler() = default;
};

class Connection final : private FdWatch::Handler {
 public:
  // Beyond so many unwritten bytes nothing more should be given to output().
  static constexpr size_t kOutputMark = 128 * 1024;

  // `side` is whose fault a failure is.
  Connection(Loop& loop, ConnectionHandler& handler, std::unique_ptr<Transport> transport,
             Side side);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Begins to watch the fd. `connecting`: connect(2) is under way.
  Result<void> Start(bool connecting);

  // Reads, or leaves what comes to the kernel. Reading at first.
  void SetReading(bool reading);
  bool reading() const { return reading_; }
  Buffer& input() { return in_; }

  // Append to it, then call Write.
  Buffer& output() { return out_; }
  // Writes what is in output() when the current callback is over.
  void Write() {
    if (!write_task_.pending()) loop_.DeferWrite(write_task_);
  }
  bool Blocked() const { return out_.size() >= kOutputMark; }
  // OnWritten is called once, when everything in output() has left.
  void NotifyWritten() {
    notify_written_ = true;
    Write();
  }
  // Sends FIN when everything in output() has left. Nothing may be appended any more.
  void EndWhenWritten() {
    end_when_written_ = true;
    Write();
  }
  // Sends FIN. REQUIRES: output() is empty (OnWritten said so).
  void ShutdownWrite() { transport_->ShutdownWrite(); }

  // No event comes any more; the fd is closed. `reset`: with RST.
  void Close(bool reset = false);
  bool closed() const { return transport_ == nullptr; }
  bool peer_closed() const { return peer_closed_; }
  bool write_failed() const { return write_failed_; }
  int fd() const { return transport_->fd(); }

  uint64_t bytes_read() const { return bytes_read_; }
  uint64_t bytes_written() const { return bytes_written_; }
  // When the peer last took something; 0: never.
  Nanos last_written() const { return last_written_; }
  // Bytes that the peer sent, or its end, may wait in the kernel.
  bool may_have_unread() const { return read_wait_ == Wait::kNothing && !peer_closed_; }

 private:
  enum class Wait : uint8_t { kNothing, kReadable, kWritable };

  void OnReady(uint32_t events) override;
  void ReadLoop();
  // Says whether another read may follow at once.
  bool ReadOnce();
  void WriteNow();
  void FinishConnect(uint32_t events);
  void FailWith(int error, const char* what, bool while_writing);
  static Wait WaitOf(IoResult::Status status) {
    return status == IoResult::Status::kWaitWritable ? Wait::kWritable : Wait::kReadable;
  }

  Loop& loop_;
  ConnectionHandler& handler_;
  std::unique_ptr<Transport> transport_;
  FdWatch watch_;
  Task write_task_;
  Task read_task_;
  Buffer in_;
  Buffer out_;
  uint64_t bytes_read_ = 0;
  uint64_t bytes_written_ = 0;
  Nanos last_written_ = 0;
  // What the next read or write waits for; kNothing: it can be tried.
  Wait read_wait_ = Wait::kReadable;
  Wait write_wait_ = Wait::kNothing;
  Side side_;
  bool connecting_ = false;
  bool reading_ = true;
  bool in_read_loop_ = false;
  bool write_reads_ = false;  // the next write was waiting to read first
  bool large_reads_ = false;
  bool hangup_seen_ = false;  // a FIN or a failure waits behind the bytes: read on until it comes
  bool peer_closed_ = false;
  bool write_failed_ = false;
  bool write_reset_ = false;  // by a reset that no read will show
  bool notify_written_ = false;
  bool end_when_written_ = false;
};

}  // namespace sluice

#endif  // SLUICE_CORE_NET_CONNECTION_H_
