// RouteFallbacks: a route's `fallbacks`: what answers in place of a failure. Compiled on the main
// thread, immutable, read by all workers.
#ifndef SLUICE_CORE_PROXY_ROUTE_FALLBACKS_H_
#define SLUICE_CORE_PROXY_ROUTE_FALLBACKS_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/config/route_action.h"
#include "core/filter/header_changes.h"
#include "core/filter/local_reply.h"
#include "core/filter/variable_writer.h"
#include "core/filter/variables.h"
#include "core/proxy/failure.h"

namespace sluice {

namespace config {
class Fallback;
class Route;
}  // namespace config

class RouteFallbacks {
 public:
  // The place of the cluster of that name in the configuration.
  using ClusterIndex = std::function<uint32_t(std::string_view name)>;

  struct Entry {
    // In config.clusters; kNoCluster: it answers right here.
    uint32_t cluster = kNoCluster;
    // The answer; its reason and what failed are told by the caller. `info` has the failure's
    // status.
    LocalReply Reply(const StreamInfo& info) const;

   private:
    friend class RouteFallbacks;
    uint32_t reasons = 0;  // bits, by FailReason
    std::vector<uint16_t> statuses;
    uint16_t status = 0;
    std::optional<VariableText> body;
    VariableEscape escape = VariableEscape::kNone;  // of the variables in it
    std::string content_type;
    HeaderChanges headers;
  };

  // Errors begin with the field.
  static Result<RouteFallbacks> Compile(const config::Route& route,
                                        const ClusterIndex& cluster_index);
  // All that is wrong with one fallback, each with its field in front.
  static std::vector<Error> FindFaults(const config::Fallback& config);

  bool empty() const { return entries_.empty(); }
  size_t size() const { return entries_.size(); }
  const Entry& entry(size_t i) const { return entries_[i]; }
  // The first from `from` on that stands in for the failure; `status`: the upstream's, of kStatus.
  // size(): none.
  size_t Find(size_t from, FailReason reason, uint16_t status = 0) const;
  // May a cluster be asked that needs the request's body again?
  bool asks_clusters() const { return asks_clusters_; }
  // Does it stand in for statuses?
  bool looks_at_statuses() const { return looks_at_statuses_; }

 private:
  static Entry CompileEntry(const config::Fallback& config, std::vector<Error>& errors);

  std::vector<Entry> entries_;
  bool asks_clusters_ = false;
  bool looks_at_statuses_ = false;
};

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_ROUTE_FALLBACKS_H_
