#include "core/server/system/log_volume.h"

#include <sys/statvfs.h>

#include <cstdint>
#include <optional>

namespace sluice {
namespace {

struct Volume {
  uint64_t size;
  uint64_t available;
};

// Of the folder: the file itself may be about to be made.
std::optional<Volume> VolumeOf(const std::string& path) {
  if (path.empty() || path.starts_with("/dev/")) return std::nullopt;
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  struct statvfs about {};
  if (statvfs(folder.c_str(), &about) != 0) return std::nullopt;
  return Volume{uint64_t{about.f_blocks} * about.f_frsize,
                uint64_t{about.f_bavail} * about.f_frsize};
}

}  // namespace

LogVolume::LogVolume(StatsDirectory& directory)
    : size_(directory, {"sluice_host_log_volume_size_bytes",
                        "Size of the disk that logs are written to: of several, of that with the "
                        "least room.",
                        MetricUnit::kBytes, GaugeOf::kLatestProcess}),
      available_(directory, {"sluice_host_log_volume_available_bytes",
                             "Room that is left on the disk that logs are written to.",
                             MetricUnit::kBytes, GaugeOf::kLatestProcess}) {}

void LogVolume::Sample(const std::vector<std::string>& paths) {
  std::optional<Volume> fullest;
  for (const std::string& path : paths) {
    const std::optional<Volume> volume = VolumeOf(path);
    if (volume && (!fullest || volume->available < fullest->available)) fullest = volume;
  }
  if (!fullest) return;
  size_.Set(fullest->size);
  available_.Set(fullest->available);
}

}  // namespace sluice
