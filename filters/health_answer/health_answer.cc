// The health_answer filter; health_answer.proto is its reference.
#include <memory>
#include <string>
#include <utility>

#include "core/filter/factory.h"
#include "core/filter/filter.h"
#include "core/stats/scope.h"
#include "filters/health_answer/health_answer.pb.h"

namespace sluice::health_answer {
namespace {

struct HealthAnswerStats {
  Counter alive;
  Counter ready;
  Counter draining;

  void Describe(MetricTable& table) {
    const Metric metric{"sluice_health_answers_total", "Health checks answered."};
    table.Add(alive, metric, {{"check", "liveness"}, {"result", "ok"}});
    table.Add(ready, metric, {{"check", "readiness"}, {"result", "ok"}});
    table.Add(draining, metric, {{"check", "readiness"}, {"result", "draining"}});
  }
};

struct HealthAnswerSettings final : FilterSettings {
  std::string liveness;
  std::string readiness;
  StatsGroup<HealthAnswerStats> stats;
};

class HealthAnswerFilter;

class HealthAnswerFactory final
    : public BasicFilterFactory<HealthAnswerFilter, HealthAnswerFactory> {
 public:
  using Settings = HealthAnswerSettings;

  static Result<std::unique_ptr<Settings>> Load(const HealthAnswerConfig& config,
                                                LoadContext& context) {
    if (config.liveness() == config.readiness()) {
      return Fail(Code::kInvalidArgument,
                  "readiness: expected another path than that of liveness, since they answer "
                  "differently while draining");
    }
    for (const std::string* path : {&config.liveness(), &config.readiness()}) {
      if (path->find_first_of("?#") == std::string::npos) continue;
      return Fail(Code::kInvalidArgument,
                  std::string(path == &config.liveness() ? "liveness" : "readiness") +
                      ": expected a path without a query, got \"" + *path + "\"");
    }
    auto settings = std::make_unique<Settings>();
    settings->liveness = config.liveness();
    settings->readiness = config.readiness();
    settings->stats =
        StatsScope(context.stats, {{"listener", context.listener}}).Group<HealthAnswerStats>();
    return settings;
  }

  HealthAnswerFactory(const Settings& configured, const WorkerContext& worker)
      : settings(configured), server(worker.server), stats(configured.stats.Bind(worker.stats)) {}

  const Settings& settings;
  const ServerStatus& server;
  HealthAnswerStats stats;
};

// Is `path` the path of `target`, whatever its query?
bool IsPathOf(std::string_view path, std::string_view target) {
  return target.starts_with(path) && (target.size() == path.size() || target[path.size()] == '?');
}

Verdict Answer(bool healthy, const char* body) {
  LocalReply reply;
  reply.status = healthy ? 200 : 503;
  reply.body = body;
  reply.flag = healthy ? ResponseFlag::kNone : ResponseFlag::kFailedLocalHealthCheck;
  reply.details = healthy ? "health_check_ok" : "health_check_failed";
  reply.headers.emplace_back("cache-control", "no-store");
  reply.unmapped = true;
  return Verdict::Respond(std::move(reply));
}

class HealthAnswerFilter final : public Filter {
 public:
  explicit HealthAnswerFilter(HealthAnswerFactory& factory) : factory_(factory) {}

  Verdict OnRequestHeaders(RequestHead& head, bool) override {
    if (IsPathOf(factory_.settings.liveness, head.path)) {
      factory_.stats.alive.Inc();
      return Answer(true, "alive\n");
    }
    if (!IsPathOf(factory_.settings.readiness, head.path)) return Verdict::Continue();
    const bool draining = factory_.server.draining();
    (draining ? factory_.stats.draining : factory_.stats.ready).Inc();
    return Answer(!draining, draining ? "draining\n" : "ready\n");
  }

 private:
  HealthAnswerFactory& factory_;
};

REGISTER_FILTER("health_answer", HealthAnswerConfig, HealthAnswerFactory);

}  // namespace
}  // namespace sluice::health_answer
