// The registered filters: the only place where the core meets them. Filled by static initialisers,
// constant afterwards.
#ifndef SLUICE_CORE_FILTER_REGISTRY_H_
#define SLUICE_CORE_FILTER_REGISTRY_H_

#include <string_view>
#include <vector>

namespace sluice {

class FilterKind;

class FilterRegistration {
 public:
  explicit FilterRegistration(const FilterKind& kind);
};

// Null if there is none of that name.
const FilterKind* FindFilterKind(std::string_view name);
// By name.
std::vector<const FilterKind*> AllFilterKinds();

}  // namespace sluice

#endif  // SLUICE_CORE_FILTER_REGISTRY_H_
