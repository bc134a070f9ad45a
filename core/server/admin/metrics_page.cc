#include <utility>

#include "core/server/admin/admin_page.h"
#include "core/stats/prometheus.h"

namespace sluice {
namespace {

// About a tenth of a millisecond's work.
constexpr uint32_t kSeriesPerSlice = 256;

class MetricsPage final : public AdminPage {
 public:
  MetricsPage(const StatsReader& stats, PrometheusOptions options)
      : format_(options.format), renderer_(stats, std::move(options)) {}

  std::string_view content_type() const override { return PrometheusContentType(format_); }
  bool RenderSome(std::string& out) override { return renderer_.RenderSome(kSeriesPerSlice, out); }

 private:
  PrometheusFormat format_;
  PrometheusRenderer renderer_;
};

}  // namespace

std::unique_ptr<AdminPage> NewMetricsPage(const StatsReader& stats, const Query& query,
                                          std::string_view accept) {
  PrometheusOptions options;
  options.format = PrometheusFormatFor(accept);
  options.names = query.All("name[]");
  options.hide_unused = query.Has("used");
  return std::make_unique<MetricsPage>(stats, std::move(options));
}

}  // namespace sluice
