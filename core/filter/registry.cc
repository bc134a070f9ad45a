#include "core/filter/registry.h"

#include <algorithm>

#include "core/base/check.h"
#include "core/filter/factory.h"

namespace sluice {
namespace {

std::vector<const FilterKind*>& Kinds() {
  static auto* const kKinds = new std::vector<const FilterKind*>;  // first used before main
  return *kKinds;
}

}  // namespace

FilterRegistration::FilterRegistration(const FilterKind& kind) {
  CHECK(FindFilterKind(kind.name()) == nullptr);
  Kinds().push_back(&kind);
}

const FilterKind* FindFilterKind(std::string_view name) {
  for (const FilterKind* kind : Kinds()) {
    if (kind->name() == name) return kind;
  }
  return nullptr;
}

std::vector<const FilterKind*> AllFilterKinds() {
  std::vector<const FilterKind*> kinds = Kinds();
  std::sort(kinds.begin(), kinds.end(),
            [](const FilterKind* a, const FilterKind* b) { return a->name() < b->name(); });
  return kinds;
}

}  // namespace sluice
