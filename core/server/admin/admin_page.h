// AdminPage: an answer of the admin API that is rendered slice by slice. Owned by its stream's last
// filter; of the main thread.
#ifndef SLUICE_CORE_SERVER_ADMIN_ADMIN_PAGE_H_
#define SLUICE_CORE_SERVER_ADMIN_ADMIN_PAGE_H_

#include <memory>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/server/admin/query.h"
#include "core/stats/reader.h"

namespace sluice {

class AdminPage {
 public:
  virtual ~AdminPage() = default;
  virtual std::string_view content_type() const = 0;
  // Appends the next slice to `out`; false: that was the last.
  virtual bool RenderSome(std::string& out) = 0;
};

// /metrics. `accept` is the request's field, empty if it has none.
std::unique_ptr<AdminPage> NewMetricsPage(const StatsReader& stats, const Query& query,
                                          std::string_view accept);
// /stats. Errors: a filter that is no regular expression.
Result<std::unique_ptr<AdminPage>> NewStatsPage(const StatsReader& stats, const Query& query,
                                                bool json);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ADMIN_ADMIN_PAGE_H_
