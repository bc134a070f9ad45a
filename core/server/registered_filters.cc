#include "core/server/registered_filters.h"

#include "core/filter/factory.h"
#include "core/filter/registry.h"

namespace sluice {

const google::protobuf::Message* RegisteredFilters::Prototype(std::string_view name) const {
  const FilterKind* const kind = FindFilterKind(name);
  return kind == nullptr ? nullptr : &kind->prototype();
}

std::vector<std::string> RegisteredFilters::Names() const {
  std::vector<std::string> names;
  for (const FilterKind* kind : AllFilterKinds()) names.emplace_back(kind->name());
  return names;
}

}  // namespace sluice
