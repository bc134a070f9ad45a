// LoadUpstream: an upstream with a thread for each connection: it echoes a WebSocket's frames, and
// sends a long body, /download, as far as the test has granted it: so a download lasts exactly as
// long as the test wants.
#ifndef SLUICE_TESTS_SUPPORT_LOAD_UPSTREAM_H_
#define SLUICE_TESTS_SUPPORT_LOAD_UPSTREAM_H_

#include <condition_variable>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "core/net/address.h"
#include "core/net/fd.h"

namespace sluice::test {

class BlockingSocket;

// What a body of any length is made of, and its sum (FNV-1a).
class PatternSum {
 public:
  // The byte at this place of a pattern that repeats itself at no power of two.
  static char At(uint64_t offset) { return static_cast<char>(offset % 251 + offset / 251 % 5); }
  void Add(std::string_view bytes);
  uint64_t sum() const { return sum_; }
  uint64_t size() const { return size_; }

 private:
  uint64_t sum_ = 0xcbf29ce484222325;
  uint64_t size_ = 0;
};

class LoadUpstream {
 public:
  // Listens at 127.0.0.1, on a port that the kernel chooses.
  explicit LoadUpstream(uint64_t download_size = 0);
  ~LoadUpstream();
  LoadUpstream(const LoadUpstream&) = delete;
  LoadUpstream& operator=(const LoadUpstream&) = delete;

  std::string text() const { return address_.ToString(); }
  // So much more of each download may be sent.
  void Grant(uint64_t bytes);

 private:
  void Accept();
  void Serve(int fd);
  void Echo(BlockingSocket& socket, std::string received);
  bool SendDownload(BlockingSocket& socket);

  const uint64_t download_size_;
  Fd listener_;
  Address address_;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t granted_ = 0;
  bool stop_ = false;
  std::list<int> open_;  // fds that threads read from, to be shut down at the end
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_LOAD_UPSTREAM_H_
