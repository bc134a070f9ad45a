// A configuration written out in full: what is in force, with every default, as YAML that the
// loader reads to the same again. Secrets stand as they were written, ${file:...}, or hidden. Main
// thread.
#ifndef SLUICE_CORE_CONFIG_CONFIG_DUMP_H_
#define SLUICE_CORE_CONFIG_CONFIG_DUMP_H_

#include <string>

#include "core/config/filter_schemas.h"
#include "core/config/loader.h"

namespace sluice {

// With a comment behind each value that says where it came from: "conf/edge.yaml:3:7", "default",
// an environment variable, a secret file.
enum class DumpOrigin : bool { kNo, kYes };

std::string DumpConfig(const LoadedConfig& loaded, const FilterSchemas& schemas,
                       DumpOrigin origin = DumpOrigin::kNo);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_CONFIG_DUMP_H_
