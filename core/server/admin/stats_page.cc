#include <utility>

#include "core/server/admin/admin_page.h"
#include "core/server/stats/stats_listing.h"

namespace sluice {
namespace {

constexpr uint32_t kSeriesPerSlice = 256;

class StatsPage final : public AdminPage {
 public:
  StatsPage(const StatsReader& stats, SeriesFilter filter, bool json, bool used)
      : filter_(std::move(filter)),
        json_(json),
        listing_(stats, {json ? ListingFormat::kJson : ListingFormat::kText, &filter_, used}) {}

  std::string_view content_type() const override {
    return json_ ? "application/json" : "text/plain; charset=utf-8";
  }
  bool RenderSome(std::string& out) override { return listing_.RenderSome(kSeriesPerSlice, out); }

 private:
  const SeriesFilter filter_;
  const bool json_;
  StatsListing listing_;
};

}  // namespace

Result<std::unique_ptr<AdminPage>> NewStatsPage(const StatsReader& stats, const Query& query,
                                                bool json) {
  Result<SeriesFilter> filter = SeriesFilter::Parse(query.Get("filter"));
  if (!filter) return Fail(std::move(filter).error());
  return std::unique_ptr<AdminPage>(
      std::make_unique<StatsPage>(stats, std::move(*filter), json, query.Has("used")));
}

}  // namespace sluice
