// The cors filter; cors.proto is its reference, https://fetch.spec.whatwg.org section 3.2 the
// protocol.
//
// Vary: an answer that depends on the Origin says so, also where no Origin came or none that is
// allowed, or else a cache gives one origin's answer to another. With the origin "*" every answer
// carries the same field, whoever asks, and depends on nothing.
#include <memory>
#include <string_view>
#include <utility>

#include "core/base/strings.h"
#include "core/filter/factory.h"
#include "core/filter/filter.h"
#include "core/stats/scope.h"
#include "filters/cors/cors.pb.h"
#include "filters/cors/policy.h"

namespace sluice::cors {
namespace {

struct CorsStats {
  Counter allowed;
  Counter denied;
  Counter preflights_allowed;
  Counter preflights_denied;

  void Describe(MetricTable& table) {
    const Metric metric{"sluice_cors_requests_total",
                        "Requests with an Origin, by what it may do."};
    table.Add(allowed, metric, {{"kind", "simple"}, {"result", "allowed"}});
    table.Add(denied, metric, {{"kind", "simple"}, {"result", "denied"}});
    table.Add(preflights_allowed, metric, {{"kind", "preflight"}, {"result", "allowed"}});
    table.Add(preflights_denied, metric, {{"kind", "preflight"}, {"result", "denied"}});
  }
};

struct CorsSettings final : FilterSettings {
  explicit CorsSettings(Policy compiled) : policy(std::move(compiled)) {}

  Policy policy;
  StatsGroup<CorsStats> stats;
};

class CorsFilter;

class CorsFactory final : public BasicFilterFactory<CorsFilter, CorsFactory> {
 public:
  using Settings = CorsSettings;

  static Result<std::unique_ptr<Settings>> Load(const CorsConfig& config, LoadContext& context) {
    auto policy = Policy::Compile(config);
    if (!policy) return Fail(std::move(policy).error());
    auto settings = std::make_unique<Settings>(std::move(*policy));
    settings->stats =
        StatsScope(context.stats, {{"listener", context.listener}}).Group<CorsStats>();
    return settings;
  }

  CorsFactory(const Settings& settings, const WorkerContext& worker)
      : policy(settings.policy), stats(settings.stats.Bind(worker.stats)) {}

  const Policy& policy;
  CorsStats stats;
};

class CorsFilter final : public Filter {
 public:
  explicit CorsFilter(CorsFactory& factory) : factory_(factory) {}

  Verdict OnRequestHeaders(RequestHead& head, bool) override {
    const auto origin = head.headers.Get(HeaderId::kOrigin);
    if (!origin) return Verdict::Continue();
    origin_allowed_ = factory_.policy.Allows(*origin);
    CorsStats& stats = factory_.stats;
    if (head.method() != Method::kOptions ||
        !head.headers.Has(HeaderId::kAccessControlRequestMethod)) {
      (origin_allowed_ ? stats.allowed : stats.denied).Inc();
      origin_ = *origin;
      return Verdict::Continue();
    }
    (origin_allowed_ ? stats.preflights_allowed : stats.preflights_denied).Inc();
    if (origin_allowed_) return AnswerPreflight(head.headers, *origin);
    return factory_.policy.answer().forward_not_matching ? Verdict::Continue() : RefusePreflight();
  }

  Verdict OnResponseHeaders(ResponseHead& head, bool) override {
    Headers& headers = head.headers;
    const bool any_origin = factory_.policy.any_origin();
    if (!any_origin) AddVaryOrigin(headers);
    // What the upstream says about an origin that is not ours to allow is left to it.
    if (!any_origin && !origin_allowed_) return Verdict::Continue();
    const Policy::Answer& answer = factory_.policy.answer();
    headers.SetView(HeaderId::kAccessControlAllowOrigin, any_origin ? "*" : origin_);
    if (answer.credentials) {
      headers.SetView(HeaderId::kAccessControlAllowCredentials, "true");
    } else {
      headers.Remove(HeaderId::kAccessControlAllowCredentials);
    }
    if (!answer.expose.empty()) {
      headers.SetView(HeaderId::kAccessControlExposeHeaders, answer.expose);
    }
    return Verdict::Continue();
  }

 private:
  Verdict AnswerPreflight(const Headers& request, std::string_view origin);
  Verdict RefusePreflight();

  static void AddVaryOrigin(Headers& headers) {
    bool is_there = false;
    headers.ForEachValue(HeaderId::kVary, [&is_there](std::string_view value) {
      is_there = is_there || ListContains(value, "origin") || ListContains(value, "*");
    });
    if (is_there) return;
    const auto vary = headers.GetJoined("vary");
    if (!vary || vary->empty()) return headers.SetView(HeaderId::kVary, "origin");
    headers.SetView(HeaderId::kVary, headers.arena().Join({*vary, ", origin"}));
  }

  CorsFactory& factory_;
  std::string_view origin_;  // lives as long as the request's head
  bool origin_allowed_ = false;
};

Verdict CorsFilter::AnswerPreflight(const Headers& request, std::string_view origin) {
  const Policy::Answer& answer = factory_.policy.answer();
  LocalReply reply;
  reply.status = 204;
  reply.details = "cors_preflight";
  reply.unmapped = true;
  const auto add = [&reply](HeaderId id, std::string_view value) {
    if (!value.empty()) reply.headers.emplace_back(HeaderName(id), value);
  };
  add(HeaderId::kAccessControlAllowOrigin, factory_.policy.any_origin() ? "*" : origin);
  add(HeaderId::kAccessControlAllowMethods,
      answer.any_method ? *request.Get(HeaderId::kAccessControlRequestMethod)
                        : std::string_view(answer.methods));
  add(HeaderId::kAccessControlAllowHeaders,
      answer.any_header
          ? request.GetJoined(HeaderName(HeaderId::kAccessControlRequestHeaders)).value_or("")
          : std::string_view(answer.headers));
  if (answer.credentials) add(HeaderId::kAccessControlAllowCredentials, "true");
  if (answer.private_network &&
      request.Get(HeaderId::kAccessControlRequestPrivateNetwork) == "true") {
    add(HeaderId::kAccessControlAllowPrivateNetwork, "true");
  }
  add(HeaderId::kAccessControlMaxAge, answer.max_age);
  add(HeaderId::kVary, answer.preflight_vary);
  return Verdict::Respond(std::move(reply));
}

Verdict CorsFilter::RefusePreflight() {
  LocalReply reply;
  reply.status = 403;
  reply.body = "origin not allowed\n";
  reply.details = "cors_origin_not_allowed";
  reply.headers.emplace_back(HeaderName(HeaderId::kVary), "origin");
  return Verdict::Respond(std::move(reply));
}

REGISTER_FILTER("cors", CorsConfig, CorsFactory);

}  // namespace
}  // namespace sluice::cors
