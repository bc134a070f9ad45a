// RawSocket: one end of a stream socket whose bytes a test decides exactly: the base of RawClient
// and of a scripted upstream's connections. What is sent, closed or reset is queued and done in
// that order by Step, which never blocks; what arrives is kept. Of the test's thread.
#ifndef SLUICE_TESTS_SUPPORT_RAW_SOCKET_H_
#define SLUICE_TESTS_SUPPORT_RAW_SOCKET_H_

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>

#include "core/net/fd.h"
#include "tests/support/driver.h"

namespace sluice::test {

class RawSocket : public Actor {
 public:
  // `fd` does not block; a connect may be under way. Adds itself to the driver.
  RawSocket(Driver& driver, Fd fd);
  ~RawSocket() override;
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  // In as few writes as the kernel takes.
  void Send(std::string_view bytes);
  // Each byte in a write of its own, with a turn of the product's loop before the next.
  void SendByteByByte(std::string_view bytes);
  // The same with pieces of `size` bytes.
  void SendInPieces(std::string_view bytes, size_t size);
  // Sends FIN, and still reads.
  void HalfClose();
  void Close();
  // Closes with RST.
  void Reset();
  // Leaves what comes in the kernel's buffer, or takes it again. Reading at first.
  void SetReading(bool reading) { reading_ = reading; }

  // All that ever came.
  const std::string& received() const { return received_; }
  // The peer sent its FIN.
  bool peer_closed() const { return peer_closed_; }
  // The peer reset the connection: seen by reading or by writing.
  bool peer_reset() const { return peer_reset_; }
  // After either, when all that had come before was read: nothing more will come.
  bool ended() const { return ended_; }
  // Everything queued was given to the kernel, or cannot be any more.
  bool all_sent() const { return queue_.empty(); }
  // By us.
  bool closed() const { return fd_.get() < 0; }
  int fd() const { return fd_.get(); }

  bool Step() override;
  void AddPollFds(std::vector<pollfd>& fds) const override;

 protected:
  Driver& driver() { return driver_; }

 private:
  enum class Kind { kBytes, kHalfClose, kClose, kReset };
  struct Action {
    Kind kind;
    std::string bytes;
    size_t piece = 0;  // 0: all at once
    size_t sent = 0;
  };

  bool StepWrite();
  bool StepRead();
  bool WriteSome(Action& action);

  Driver& driver_;
  Fd fd_;
  std::deque<Action> queue_;
  std::string received_;
  bool reading_ = true;
  bool peer_closed_ = false;
  bool peer_reset_ = false;
  bool ended_ = false;
};

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_RAW_SOCKET_H_
