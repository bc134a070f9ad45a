#include "core/config/snapshot.h"

#include <utility>

#include "core/config/config.pb.h"
#include "core/config/loader.h"

namespace sluice {

Snapshot::Snapshot(LoadedConfig loaded, uint64_t version)
    : config_(std::move(loaded.config)),
      file_(std::move(loaded.file)),
      content_hash_(loaded.content_hash),
      version_(version),
      warnings_(std::move(loaded.warnings)) {}

Snapshot::~Snapshot() = default;

}  // namespace sluice
