// RegisteredFilters: the filters of this binary as the config loader looks at them.
#ifndef SLUICE_CORE_SERVER_REGISTERED_FILTERS_H_
#define SLUICE_CORE_SERVER_REGISTERED_FILTERS_H_

#include <string>
#include <string_view>
#include <vector>

#include "core/config/filter_schemas.h"
#include "core/config/loader.h"

namespace sluice {

class RegisteredFilters final : public FilterSchemas {
 public:
  const google::protobuf::Message* Prototype(std::string_view name) const override;
  std::vector<std::string> Names() const override;
};

// What the filters themselves find wrong with their configs and no schema can say, with its places:
// each config is loaded dry. Empty: nothing is.
std::vector<ConfigError> CheckFilterConfigs(const LoadedConfig& loaded);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_REGISTERED_FILTERS_H_
