#include "tests/support/dead_ports.h"

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <utility>

#include "core/net/socket.h"

namespace sluice::test {
namespace {

Fd Bind(Address& address) {
  address = Address::ParseIp("127.0.0.1").value();
  sockaddr_storage storage;
  const socklen_t size = address.ToSockaddr(storage);
  Fd fd(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(bind(fd.get(), reinterpret_cast<const sockaddr*>(&storage), size), 0);
  address = LocalAddress(fd.get());
  return fd;
}

}  // namespace

RefusingPort::RefusingPort() : fd_(Bind(address_)) {}

SilentPort::SilentPort() : fd_(Bind(address_)) {
  // A queue of length 0 holds one connection (Linux counts from there); two to be sure.
  EXPECT_EQ(listen(fd_.get(), 0), 0);
  for (int i = 0; i < 2; ++i) {
    Result<Fd> fd = StartConnect(address_);
    EXPECT_TRUE(fd);
    if (fd) filling_.push_back(std::move(*fd));
  }
}

}  // namespace sluice::test
