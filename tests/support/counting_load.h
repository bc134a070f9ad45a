// CountingLoad: clients that ask without a pause, each on a thread of its own, and count to the
// request: one with a connection for each request, one that keeps its connection, and some with a
// WebSocket each that says something, waits for the echo, and opens anew when the server ends it.
// What goes wrong is kept as a line of text.
//
// A server may end a connection with an answer that says `Connection: close`, or one that is at
// rest: the client connects anew, as clients do. A request without its whole answer is a failure.
#ifndef SLUICE_TESTS_SUPPORT_COUNTING_LOAD_H_
#define SLUICE_TESTS_SUPPORT_COUNTING_LOAD_H_

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "core/net/address.h"

namespace sluice::test {

class CountingLoad {
 public:
  // No address, no such client.
  struct Options {
    Address fresh;
    Address kept;
    Address sockets;
    int socket_count = 5;
  };

  explicit CountingLoad(Options options);
  // Stops.
  ~CountingLoad() { Stop(); }
  CountingLoad(const CountingLoad&) = delete;
  CountingLoad& operator=(const CountingLoad&) = delete;

  // Each ends what it is about; the numbers are final then.
  void Stop();

  // Answered requests.
  uint64_t fresh() const { return fresh_; }
  uint64_t kept() const { return kept_; }
  // WebSockets that are open, that were ever opened, and that the server has ended.
  int open_sockets() const { return open_sockets_; }
  uint64_t opened_sockets() const { return opened_sockets_; }
  uint64_t ended_sockets() const { return ended_sockets_; }
  // Echoes that came back.
  uint64_t echoes() const { return echoes_; }

  // What went wrong, a line each; only the first few of many.
  std::string failures() const;

 private:
  void RunFresh();
  void RunKept();
  void RunSocket();
  void AddFailure(std::string_view who, uint64_t number, std::string_view what);

  const Options options_;
  std::atomic<bool> stop_{false};
  std::atomic<uint64_t> fresh_{0};
  std::atomic<uint64_t> kept_{0};
  std::atomic<int> open_sockets_{0};
  std::atomic<uint64_t> opened_sockets_{0};
  std::atomic<uint64_t> ended_sockets_{0};
  std::atomic<uint64_t> echoes_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> failures_;
  std::vector<std::thread> threads_;
};

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_COUNTING_LOAD_H_
