// The version that `sluice version` and sluice_build_info say.
#ifndef SLUICE_CORE_SERVER_VERSION_H_
#define SLUICE_CORE_SERVER_VERSION_H_

#include <string_view>

namespace sluice {

inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_VERSION_H_
