// ListenerSettings: one listener of a configuration, compiled. Built on the main thread, immutable,
// read by all workers; owned by the snapshot's generation.
#ifndef SLUICE_CORE_PROXY_LISTENER_SETTINGS_H_
#define SLUICE_CORE_PROXY_LISTENER_SETTINGS_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/config/route_table.h"
#include "core/filter/factory.h"
#include "core/filter/header_changes.h"
#include "core/http/codec.h"
#include "core/net/cidr.h"
#include "core/net/transport.h"
#include "core/proxy/listener_stats.h"
#include "core/proxy/local_reply_map.h"
#include "core/proxy/route_fallbacks.h"
#include "core/upstream/bulkhead/bulkhead_settings.h"

namespace sluice {

namespace config {
class Config;
class Listener;
}  // namespace config

class Breaker;

enum class EscapedSlashRule : uint8_t { kKeep, kReject, kRedirect };
enum class ServerHeaderMode : uint8_t { kOverwrite, kPass, kDrop };
enum class ProxyProtocolMode : uint8_t { kOff, kOn, kOptional };

// A filter of the listener, or its form on a route.
struct LoadedFilter {
  const FilterKind* kind;
  std::unique_ptr<FilterSettings> settings;
};

// What a route (by its index in the table) adds to the table's knowledge.
struct RouteExtras {
  // Header changes in their order of evaluation, for each of the route's choices.
  struct Changes {
    std::vector<const HeaderChanges*> request;
    std::vector<const HeaderChanges*> response;
  };
  std::vector<Changes> changes;
  bool default_filters = true;  // the listener's own list
  // Which filters run here if not: an index into `filters`, in chain order.
  std::vector<uint32_t> filters;
  std::unique_ptr<const BulkheadSettings> bulkhead;  // null: none
  StatsGroup<RouteStats> stats;                      // of named routes
  bool has_stats = false;
  RouteFallbacks fallbacks;
  // Of routes that hedge: after a fixed time, or at a percentile if that is 0.
  bool hedges = false;
  Nanos hedge_after = 0;
  double hedge_percentile = 0;
  std::vector<std::unique_ptr<Breaker>> breakers;  // one for each choice; empty: none

  RouteExtras();
  RouteExtras(RouteExtras&&) noexcept;
  ~RouteExtras();
  bool changes_anything() const;
};

struct ListenerSettings {
  // Errors name the place in the configuration.
  static Result<std::unique_ptr<const ListenerSettings>> Compile(const config::Listener& listener,
                                                                 const config::Config& config,
                                                                 LoadContext& context);
  ListenerSettings();
  ~ListenerSettings();

  std::string name;
  CodecLimits codec;
  Nanos head_timeout = 10 * kSecond;
  Nanos body_idle_timeout = 60 * kSecond;     // 0: none
  Nanos stream_idle_timeout = 300 * kSecond;  // 0: none
  Nanos keep_alive_timeout = 60 * kSecond;
  uint64_t body_size = 0;    // 0: no limit
  uint32_t connections = 0;  // 0: no limit
  uint64_t requests_per_connection = 0;

  bool normalize_path = true;
  bool merge_slashes = false;
  EscapedSlashRule escaped_slashes = EscapedSlashRule::kKeep;

  uint32_t trusted_hops = 0;
  std::vector<Cidr> trusted_cidrs;
  bool x_forwarded = true;
  bool request_id = true;
  std::string via;                    // empty: no Via
  std::string priority_header;        // says a request's priority; empty: none does
  bool keep_private_headers = false;  // a filter reads x-sluice-* of clients, and takes them out

  ServerHeaderMode server_header = ServerHeaderMode::kOverwrite;
  std::string server_name = "sluice";
  ProxyProtocolMode proxy_protocol = ProxyProtocolMode::kOff;

  // Null for listeners whose last filter is not the router: the admin API, the echo server.
  std::unique_ptr<const RouteTable> routes;
  std::vector<RouteExtras> route_extras;                             // by Route::index()
  std::vector<std::unique_ptr<const HeaderChanges>> header_changes;  // that route_extras point to
  // The listener's filters first, in order (`filter_count` of them), then forms that routes gave.
  std::vector<LoadedFilter> filters;
  uint32_t filter_count = 0;
  LocalReplyMap local_replies;
  StatsGroup<ListenerStats> stats;

  // What is spoken, and over what: here HTTP/2 and TLS come in, and the fakes of tests.
  std::unique_ptr<ServerCodec> (*new_codec)(ServerEvents&,
                                            const CodecLimits&) = NewHttp1ServerCodec;
  std::unique_ptr<Transport> (*new_transport)(int fd) = NewPlainTransport;
};

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_LISTENER_SETTINGS_H_
