// Finds addresses that two listeners cannot both have. Main thread.
#ifndef SLUICE_CORE_CONFIG_ADDRESS_OVERLAP_H_
#define SLUICE_CORE_CONFIG_ADDRESS_OVERLAP_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace sluice {

class AddressOverlap {
 public:
  // What is in the way of `address`, an IP address with port or a unix socket: "listeners[0].listen
  // has all addresses of port 80". Nothing if it is free; then it is `owner`'s from here on. The
  // same port is taken by the same address, and by or through the wildcard of its family.
  std::optional<std::string> Next(std::string_view address, std::string_view owner);

 private:
  // By port and family; of each the owner by binary address, the wildcard's under "".
  std::map<std::string, std::map<std::string, std::string>> taken_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_ADDRESS_OVERLAP_H_
