// RegisteredFilters: the filters of this binary as the config loader looks at them.
#ifndef SLUICE_CORE_SERVER_REGISTERED_FILTERS_H_
#define SLUICE_CORE_SERVER_REGISTERED_FILTERS_H_

#include <string>
#include <string_view>
#include <vector>

#include "core/config/filter_schemas.h"

namespace sluice {

class RegisteredFilters final : public FilterSchemas {
 public:
  const google::protobuf::Message* Prototype(std::string_view name) const override;
  std::vector<std::string> Names() const override;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_REGISTERED_FILTERS_H_
