// Cidr: a range of IP addresses, for trusted peers and the like. A value.
#ifndef SLUICE_CORE_NET_CIDR_H_
#define SLUICE_CORE_NET_CIDR_H_

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/net/address.h"

namespace sluice {

// A range of IP addresses: "10.0.0.0/8", "2001:db8::/32"; a lone address is a range of one.
class Cidr {
 public:
  static Result<Cidr> Parse(std::string_view text);
  // An IPv4 address is the same in both its forms, 10.0.0.1 and ::ffff:10.0.0.1.
  bool Contains(const Address& address) const;
  std::string ToString() const;
  friend bool operator==(const Cidr&, const Cidr&) = default;

 private:
  Address base_;  // with zeros behind the prefix
  int bits_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_NET_CIDR_H_
