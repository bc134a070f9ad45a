#include "core/config/check_health.h"

#include <algorithm>
#include <string_view>

#include "core/base/strings.h"
#include "core/config/cluster.pb.h"
#include "core/config/health.pb.h"
#include "core/config/text.h"

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

// Fields that say where a message ends, or what becomes of its connection.
constexpr std::string_view kFraming[] = {
    "connection", "content-length",    "expect",  "keep-alive", "proxy-connection",
    "te",         "transfer-encoding", "trailer", "upgrade",
};

std::string FaultOf(std::string_view header) {
  const auto is_header = [header](std::string_view name) { return EqualsIgnoreCase(header, name); };
  if (is_header("host")) return "write it as `host`, beside `headers`";
  if (std::none_of(std::begin(kFraming), std::end(kFraming), is_header)) return "";
  return StrCat(
      {Quoted(header), " says how messages are delimited or connections kept: leave it out"});
}

}  // namespace

void CheckHealth(const config::Cluster& cluster, const std::string& path,
                 const std::function<bool(const std::string& path)>& is_written,
                 const std::function<void(const std::string& path, std::string message)>& error) {
  const config::Health& health = cluster.health();
  for (const Owned& owned : kOwned) {
    const std::string at = StrCat({path, ".", owned.field});
    if (owned.by == health.protocol() || !is_written(at)) continue;
    error(at, StrCat({"only checks with `protocol: ", kProtocols[owned.by], "` have it, not ",
                      kProtocols[health.protocol()]}));
  }
  if (health.port() != 0) {
    for (const config::Endpoint& endpoint : cluster.endpoints()) {
      if (!endpoint.address().starts_with("unix:")) continue;
      error(path + ".port", StrCat({"endpoint ", Quoted(endpoint.address()),
                                    " has no ports: leave it out, or give that endpoint a cluster "
                                    "of its own"}));
      break;
    }
  }
  if (health.protocol() != config::Health::HTTP) return;
  for (int i = 0; i < health.headers_size(); ++i) {
    const std::string fault = FaultOf(health.headers(i).name());
    if (fault.empty()) continue;
    error(StrCat({path, ".headers[", Decimal(static_cast<uint64_t>(i)), "]"}), fault);
  }
  if (health.method() == "CONNECT") {
    error(path + ".method", "CONNECT asks for a tunnel: take another method");
  }
  if (health.method() == "HEAD" && !health.body().empty()) {
    error(path + ".body", "an answer to HEAD has no body: take GET");
  }
}

}  // namespace sluice
