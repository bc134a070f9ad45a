// ContraryTransport: a transport as difficult as TLS may be, and more so. Between it and the real
// socket stands a ContraryPeer with which it speaks in records over a connection of their own, so
// that everything it says is true of its fd: it wants to write before it can read (its records fill
// the kernel's buffer), wants to read before it can write (it asked, and the answer is not there),
// takes and gives a byte or a few at a time, never says that it is drained, pulls bytes in while it
// writes, and hears of the peer's end late, by a record, without the fd's saying so.
//
//   test::ContraryNetwork network(driver);                      // while transports live
//   settings.new_transport = test::NewContraryTransport;
//
// Of the test's thread.
#ifndef SLUICE_TESTS_SUPPORT_CONTRARY_TRANSPORT_H_
#define SLUICE_TESTS_SUPPORT_CONTRARY_TRANSPORT_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "core/net/transport.h"
#include "tests/support/driver.h"

namespace sluice::test {

class ContraryPeer;

class ContraryNetwork final : public Actor {
 public:
  explicit ContraryNetwork(Driver& driver);
  ~ContraryNetwork() override;
  ContraryNetwork(const ContraryNetwork&) = delete;
  ContraryNetwork& operator=(const ContraryNetwork&) = delete;

  // How often a transport said so.
  int reads_that_wanted_to_write = 0;
  int writes_that_wanted_to_read = 0;

  bool Step() override;
  void AddPollFds(std::vector<pollfd>& fds) const override;

  // The one that lives; for NewContraryTransport.
  static ContraryNetwork& current();
  // Puts a peer between the socket and the transport that is returned.
  std::unique_ptr<Transport> Connect(int socket);

 private:
  Driver& driver_;
  std::vector<std::unique_ptr<ContraryPeer>> peers_;
};

// Takes the socket over, connected or connecting.
std::unique_ptr<Transport> NewContraryTransport(int fd);

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_CONTRARY_TRANSPORT_H_
