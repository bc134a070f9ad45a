// Ports at which nothing answers, to test connects that fail.
#ifndef SLUICE_TESTS_SUPPORT_DEAD_PORTS_H_
#define SLUICE_TESTS_SUPPORT_DEAD_PORTS_H_

#include <vector>

#include "core/net/address.h"
#include "core/net/fd.h"

namespace sluice::test {

// Bound, so that nobody else takes it, but not listening: a connect is refused at once.
class RefusingPort {
 public:
  RefusingPort();
  const Address& address() const { return address_; }

 private:
  Address address_;
  Fd fd_;
};

// Listening with a full queue that nobody empties: the kernel drops what comes, and a connect waits
// until its own timeout.
class SilentPort {
 public:
  SilentPort();
  const Address& address() const { return address_; }

 private:
  Address address_;
  Fd fd_;
  std::vector<Fd> filling_;
};

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_DEAD_PORTS_H_
