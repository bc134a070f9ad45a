// RouteHosts: from a request's authority to the number of a virtual host. Exact names come first,
// then the longest *.suffix, then the longest prefix.*, then *. Owned by a RouteTable; immutable
// once filled, read by all workers.
#ifndef SLUICE_CORE_CONFIG_ROUTE_HOSTS_H_
#define SLUICE_CORE_CONFIG_ROUTE_HOSTS_H_

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/config/route_strings.h"

namespace sluice {

class RouteHosts {
 public:
  static constexpr uint32_t kNone = RouteStrings::kNone;

  // Whatever its case, with or without a dot at its end; false if the domain is there already.
  bool Add(std::string_view domain, uint32_t host);
  // The number of the most specific domain, or kNone. A wildcard stands for a character at least.
  // Names that are longer than DNS can have match * only.
  uint32_t Find(std::string_view authority) const;

 private:
  static constexpr size_t kMaxName = 255;

  uint32_t FindWildcard(std::string_view name) const;

  RouteStrings exact_;
  RouteStrings suffixes_;  // ".example.com"
  RouteStrings prefixes_;  // "www."
  // The lengths that suffixes_ and prefixes_ have: only those are looked up.
  std::bitset<kMaxName + 1> suffix_lengths_;
  std::bitset<kMaxName + 1> prefix_lengths_;
  uint32_t any_ = kNone;
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ROUTE_HOSTS_H_
