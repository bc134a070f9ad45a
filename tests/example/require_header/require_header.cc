// The require_header filter; require_header.proto is its reference.
#include <memory>
#include <string>
#include <utility>

#include "core/filter/factory.h"
#include "core/filter/filter.h"
#include "core/stats/scope.h"
#include "tests/example/require_header/require_header.pb.h"

namespace sluice::require_header {
namespace {

struct RequireHeaderStats {
  Counter refused;
  void Describe(MetricTable& table) {
    table.Add(refused, {"sluice_require_header_refused_total", "Requests without the field."});
  }
};

// Compiled once, when a configuration loads; read by all workers.
struct RequireHeaderSettings final : FilterSettings {
  std::string name;
  uint16_t status = 403;
  StatsGroup<RequireHeaderStats> stats;
};

class RequireHeaderFilter;

// One per worker.
class RequireHeaderFactory final
    : public BasicFilterFactory<RequireHeaderFilter, RequireHeaderFactory> {
 public:
  using Settings = RequireHeaderSettings;

  static Result<std::unique_ptr<Settings>> Load(const RequireHeaderConfig& config,
                                                LoadContext& context) {
    auto loaded = std::make_unique<Settings>();
    loaded->name = config.name();
    loaded->status = static_cast<uint16_t>(config.status());
    loaded->stats =
        StatsScope(context.stats, {{"listener", context.listener}}).Group<RequireHeaderStats>();
    return loaded;
  }

  RequireHeaderFactory(const Settings& configured, const WorkerContext& worker)
      : settings(configured), stats(configured.stats.Bind(worker.stats)) {}

  const Settings& settings;
  RequireHeaderStats stats;
};

// One per request. The hooks that it does not override cost nothing.
class RequireHeaderFilter final : public Filter {
 public:
  explicit RequireHeaderFilter(RequireHeaderFactory& factory) : factory_(factory) {}

  Verdict OnRequestHeaders(RequestHead& head, bool) override {
    if (head.headers.Has(factory_.settings.name)) return Verdict::Continue();
    factory_.stats.refused.Inc();
    LocalReply reply;
    reply.status = factory_.settings.status;
    reply.body = "a header field is missing\n";
    reply.details = "require_header";
    return Verdict::Respond(std::move(reply));
  }

 private:
  RequireHeaderFactory& factory_;
};

REGISTER_FILTER("require_header", RequireHeaderConfig, RequireHeaderFactory);

}  // namespace
}  // namespace sluice::require_header
