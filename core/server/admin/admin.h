// The admin API: a last filter on listeners of its own, that serves the rows of a table: GET and
// HEAD for pages, POST for actions, whose bodies it collects. Errors are JSON, {"error": ...}, or a
// line if Accept is text/plain alone. What an action did is logged, with who asked.
//
// What is long is rendered in slices, one a turn of the main thread's loop: the others that ask,
// and signals, get their turn in between.
#ifndef SLUICE_CORE_SERVER_ADMIN_ADMIN_H_
#define SLUICE_CORE_SERVER_ADMIN_ADMIN_H_

#include "core/filter/last_filter.h"
#include "core/server/admin/admin_guard.h"
#include "core/server/admin/admin_table.h"

namespace sluice {

class AdminFactory final : public LastFilterFactory {
 public:
  // Both outlive the factory and its streams.
  AdminFactory(const AdminTable& table, const AdminGuard& guard) : table_(table), guard_(guard) {}
  ArenaPtr<LastFilter> Create(Responder& responder) override;

 private:
  const AdminTable& table_;
  const AdminGuard& guard_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ADMIN_ADMIN_H_
