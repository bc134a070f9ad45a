// The admin API: a last filter on a listener of its own. GET and HEAD only: it changes nothing.
//
//   /         what is served here, as text, or as JSON if Accept asks for it
//   /ready    200 LIVE; 503 while starting or draining
//   /live     200 while the main thread runs
//   /metrics  Prometheus text, or OpenMetrics by Accept; ?name[]=FAMILY only these; ?used only what
//             has counted
//   /stats    the same numbers for people: ?filter=REGEX, ?format=json, ?used
//
// What is long is rendered in slices, one a turn of the main thread's loop: the others that ask,
// and signals, get their turn in between.
#ifndef SLUICE_CORE_SERVER_ADMIN_ADMIN_H_
#define SLUICE_CORE_SERVER_ADMIN_ADMIN_H_

#include "core/filter/last_filter.h"
#include "core/server/admin/admin_source.h"

namespace sluice {

class AdminFactory final : public LastFilterFactory {
 public:
  // `source` outlives the factory and its streams.
  explicit AdminFactory(AdminSource& source) : source_(source) {}
  ArenaPtr<LastFilter> Create(Responder& responder) override;

 private:
  AdminSource& source_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ADMIN_ADMIN_H_
