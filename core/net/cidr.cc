#include "core/net/cidr.h"

#include <algorithm>
#include <optional>

#include "core/base/strings.h"

namespace sluice {
namespace {

// Are the first `bits` bits of both the same?
bool SamePrefix(std::string_view a, std::string_view b, int bits) {
  if (a.size() != b.size()) return false;
  const size_t whole = static_cast<size_t>(bits) / 8;
  if (a.substr(0, whole) != b.substr(0, whole)) return false;
  const int rest = bits % 8;
  if (rest == 0) return true;
  const unsigned differing =
      static_cast<unsigned char>(a[whole]) ^ static_cast<unsigned char>(b[whole]);
  return differing >> (8 - rest) == 0;
}

}  // namespace

Result<Cidr> Cidr::Parse(std::string_view text) {
  const auto invalid = [text] {
    return Fail(Code::kInvalidArgument,
                StrCat({"\"", text, "\" is not a range such as 10.0.0.0/8 or 2001:db8::/32"}));
  };
  const size_t slash = text.find('/');
  const std::optional<Address> ip = Address::ParseIp(text.substr(0, slash));
  if (!ip || text.find('%') != std::string_view::npos) return invalid();
  const int most = static_cast<int>(ip->ip_bytes().size()) * 8;
  int bits = most;
  if (slash != std::string_view::npos) {
    const std::string_view digits = text.substr(slash + 1);
    const std::optional<uint64_t> number = ParseDecimal(digits);
    if (!number || digits.size() > 3 || *number > static_cast<uint64_t>(most)) return invalid();
    bits = static_cast<int>(*number);
  }
  Cidr cidr;
  cidr.base_ = *ip;
  if (bits >= 96 && most == 128 && ip->Unmapped() != *ip) {
    cidr.base_ = ip->Unmapped();
    bits -= 96;
  }
  cidr.bits_ = bits;
  unsigned char bytes[16] = {};
  const std::string_view given = cidr.base_.ip_bytes();
  const size_t whole = static_cast<size_t>(bits) / 8;
  std::copy_n(given.begin(), whole, bytes);
  if (bits % 8 != 0) {
    bytes[whole] = static_cast<unsigned char>(static_cast<unsigned char>(given[whole]) &
                                              (0xff00 >> (bits % 8)));
  }
  cidr.base_ = given.size() == 4 ? Address::Ipv4(bytes, 0) : Address::Ipv6(bytes, 0);
  return cidr;
}

bool Cidr::Contains(const Address& address) const {
  if (!address.is_ip()) return false;
  if (SamePrefix(address.ip_bytes(), base_.ip_bytes(), bits_)) return true;
  return address.family() == Address::Family::kIpv6 &&
         SamePrefix(address.Unmapped().ip_bytes(), base_.ip_bytes(), bits_);
}

std::string Cidr::ToString() const {
  return StrCat({base_.IpString(), "/", Decimal(static_cast<uint64_t>(bits_))});
}

}  // namespace sluice
