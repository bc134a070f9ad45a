#include "core/filter/stream_info.h"

namespace sluice {

void StreamInfo::SetMetadata(std::string_view space, std::string_view key, std::string_view value) {
  for (MetadataEntry* entry = metadata_; entry != nullptr; entry = entry->next) {
    if (entry->space == space && entry->key == key) {
      entry->value = arena_.Copy(value);
      return;
    }
  }
  metadata_ = new (arena_.Allocate(sizeof(MetadataEntry)))
      MetadataEntry{arena_.Copy(space), arena_.Copy(key), arena_.Copy(value), metadata_};
}

std::optional<std::string_view> StreamInfo::Metadata(std::string_view space,
                                                     std::string_view key) const {
  for (const MetadataEntry* entry = metadata_; entry != nullptr; entry = entry->next) {
    if (entry->space == space && entry->key == key) return entry->value;
  }
  return {};
}

}  // namespace sluice
