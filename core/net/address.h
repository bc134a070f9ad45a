// Address: where a socket is: IPv4, IPv6, or unix-domain by path or by abstract name ("@name"). A
// value of 24 bytes, since every connection keeps its peer's; only a unix name is held on the heap,
// and clients of a unix socket have none.
#ifndef SLUICE_CORE_NET_ADDRESS_H_
#define SLUICE_CORE_NET_ADDRESS_H_

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.h"

namespace sluice {

class Address {
 public:
  enum class Family : uint8_t { kNone, kIpv4, kIpv6, kUnix };

  // What the longest text takes, "unix:" and 108 bytes of a path.
  static constexpr size_t kMaxText = 116;
  // What an IP address without its port takes, a scope included.
  static constexpr size_t kMaxIpText = 64;

  Address() = default;
  Address(const Address& other) { CopyFrom(other); }
  Address(Address&& other) noexcept { Steal(other); }
  Address& operator=(const Address& other) {
    if (this != &other) {
      Free();
      CopyFrom(other);
    }
    return *this;
  }
  Address& operator=(Address&& other) noexcept {
    if (this != &other) {
      Free();
      Steal(other);
    }
    return *this;
  }
  ~Address() { Free(); }

  // "127.0.0.1:80", "[::1]:80", "[fe80::1%eth0]:80", "unix:/run/web.sock", "unix:@name".
  static Result<Address> Parse(std::string_view text);
  // An IP address without a port and without brackets; nothing if it is none (a host's name).
  static std::optional<Address> ParseIp(std::string_view ip, uint16_t port = 0);
  // `name` is a path, "@name", or empty for a socket without a name.
  static Result<Address> Unix(std::string_view name);
  static Address Ipv4(const void* four_bytes, uint16_t port);
  static Address Ipv6(const void* sixteen_bytes, uint16_t port, uint32_t scope = 0);
  // What the kernel says; kNone for a family that we do not know.
  static Address FromSockaddr(const sockaddr* address, socklen_t size);

  Family family() const { return family_; }
  bool empty() const { return family_ == Family::kNone; }
  bool is_ip() const { return family_ == Family::kIpv4 || family_ == Family::kIpv6; }
  bool is_unix() const { return family_ == Family::kUnix; }
  // 0 for a unix-domain address.
  uint16_t port() const { return port_; }
  void set_port(uint16_t port) { port_ = port; }
  // 4 or 16 bytes in network order. REQUIRES: is_ip().
  std::string_view ip_bytes() const {
    return {reinterpret_cast<const char*>(bytes_), family_ == Family::kIpv4 ? size_t{4} : 16};
  }
  // The path or "@name", without "unix:"; empty for others and for a socket without a name.
  std::string_view unix_name() const;
  bool is_loopback() const;
  bool is_any() const;  // 0.0.0.0 or ::
  // An IPv4 address that is written as IPv6 (::ffff:1.2.3.4) as IPv4; others as they are.
  Address Unmapped() const;

  // Fills `out` for the kernel; returns how many bytes of it count, 0 for kNone.
  socklen_t ToSockaddr(sockaddr_storage& out) const;

  // Text as Parse reads it. Both write no terminating zero and return the end; WriteIp leaves the
  // port and the brackets away, and writes "unix:..." as a whole. REQUIRES: room for kMaxText.
  char* WriteText(char* out) const;
  char* WriteIp(char* out) const;
  std::string ToString() const;
  std::string IpString() const;

  friend bool operator==(const Address& a, const Address& b);
  size_t Hash() const;

 private:
  // The unix name on the heap: its size and then its bytes. Null: a socket without a name.
  char* unix_block() const {
    char* block;
    std::memcpy(&block, bytes_, sizeof(block));
    return block;
  }
  void SetUnixName(std::string_view name);
  void CopyFrom(const Address& other);
  void Steal(Address& other) noexcept {
    std::memcpy(bytes_, other.bytes_, sizeof(bytes_));
    scope_ = other.scope_;
    port_ = other.port_;
    family_ = std::exchange(other.family_, Family::kNone);
  }
  void Free() {
    if (family_ == Family::kUnix) [[unlikely]]
      delete[] unix_block();
    family_ = Family::kNone;
  }

  unsigned char bytes_[16] = {};  // the IP in network order, or a pointer to the unix name
  uint32_t scope_ = 0;
  uint16_t port_ = 0;
  Family family_ = Family::kNone;
};

// The two parts of "example.com:80", "127.0.0.1:80" or "[::1]:80" (without the brackets).
struct HostPort {
  std::string_view host;
  uint16_t port = 0;
};
// The host is not looked at beyond its brackets, and not empty.
Result<HostPort> SplitHostPort(std::string_view text);

}  // namespace sluice

template <>
struct std::hash<sluice::Address> {
  size_t operator()(const sluice::Address& address) const { return address.Hash(); }
};

#endif  // SLUICE_CORE_NET_ADDRESS_H_
