// What tells configurations apart. A pure function; any thread.
#ifndef SLUICE_CORE_CONFIG_HASH_H_
#define SLUICE_CORE_CONFIG_HASH_H_

#include <string>
#include <string_view>

namespace sluice {

// SHA-256 in hex.
std::string ConfigHash(std::string_view text);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_HASH_H_
