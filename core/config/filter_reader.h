// Reads the filters of listeners and what routes change about them, each by its own schema. Comes
// after the rest of the config was read: a route's part is laid over the listener's. Main thread.
#ifndef SLUICE_CORE_CONFIG_FILTER_READER_H_
#define SLUICE_CORE_CONFIG_FILTER_READER_H_

#include "core/config/error.h"
#include "core/config/filter_schemas.h"
#include "core/config/node.h"

namespace sluice {

namespace config {
class Config;
}  // namespace config

// `root` is what `config` was read from.
void ReadFilters(const Node& root, const FilterSchemas& schemas, config::Config& config,
                 ConfigProblems& problems);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_FILTER_READER_H_
