#include "core/config/check_health.h"

#include <string_view>

#include "core/base/strings.h"
#include "core/config/health.pb.h"

namespace sluice {
namespace {

constexpr std::string_view kProtocols[] = {"http", "tcp", "redis"};

// Fields that only checks of one protocol look at.
struct Owned {
  std::string_view field;
  config::Health::Protocol by;
};
constexpr Owned kOwned[] = {
    {"path", config::Health::HTTP}, {"method", config::Health::HTTP},
    {"host", config::Health::HTTP}, {"statuses", config::Health::HTTP},
    {"body", config::Health::HTTP}, {"headers", config::Health::HTTP},
    {"send", config::Health::TCP},  {"expect", config::Health::TCP},
};

}  // namespace

void CheckHealth(const config::Health& health, const std::string& path,
                 const std::function<bool(const std::string& path)>& is_written,
                 const std::function<void(const std::string& path, std::string message)>& error) {
  for (const Owned& owned : kOwned) {
    const std::string at = StrCat({path, ".", owned.field});
    if (owned.by == health.protocol() || !is_written(at)) continue;
    error(at, StrCat({"only checks with `protocol: ", kProtocols[owned.by], "` have it, not ",
                      kProtocols[health.protocol()]}));
  }
  if (health.protocol() != config::Health::HTTP) return;
  if (health.method() == "CONNECT") {
    error(path + ".method", "CONNECT asks for a tunnel: take another method");
  }
  if (health.method() == "HEAD" && !health.body().empty()) {
    error(path + ".body", "an answer to HEAD has no body: take GET");
  }
}

}  // namespace sluice
