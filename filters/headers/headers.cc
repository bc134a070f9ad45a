// The headers filter; headers.proto is its reference.
#include <memory>
#include <utility>

#include "core/base/strings.h"
#include "core/filter/factory.h"
#include "core/filter/filter.h"
#include "core/filter/header_changes.h"
#include "core/stats/scope.h"
#include "filters/headers/headers.pb.h"

namespace sluice::headers {
namespace {

struct HeadersStats {
  Counter requests;
  Counter responses;

  void Describe(MetricTable& table) {
    const Metric metric{"sluice_headers_changed_total",
                        "Messages that the headers filter changed."};
    table.Add(requests, metric, {{"direction", "request"}});
    table.Add(responses, metric, {{"direction", "response"}});
  }
};

struct HeadersSettings final : FilterSettings {
  HeaderChanges request;
  HeaderChanges response;
  StatsGroup<HeadersStats> stats;
};

class HeadersFactory final : public FilterFactory {
 public:
  using Settings = HeadersSettings;

  static Result<std::unique_ptr<Settings>> Load(const HeadersConfig& config, LoadContext& context);

  HeadersFactory(const Settings& configured, const WorkerContext& worker)
      : settings(configured), stats(configured.stats.Bind(worker.stats)) {}
  ArenaPtr<Filter> Create(Arena& arena) override;
  // A direction without changes is not looked at.
  uint8_t hooks() const override {
    return static_cast<uint8_t>((settings.request.empty() ? 0 : kRequestHeadersHook) |
                                (settings.response.empty() ? 0 : kResponseHeadersHook));
  }

  const Settings& settings;
  HeadersStats stats;
};

class HeadersFilter final : public Filter {
 public:
  explicit HeadersFilter(HeadersFactory& factory) : factory_(factory) {}

  Verdict OnRequestHeaders(RequestHead& head, bool) override {
    factory_.settings.request.Apply(head.headers, context().info());
    factory_.stats.requests.Inc();
    return Verdict::Continue();
  }

  Verdict OnResponseHeaders(ResponseHead& head, bool) override {
    factory_.settings.response.Apply(head.headers, context().info());
    factory_.stats.responses.Inc();
    return Verdict::Continue();
  }

 private:
  HeadersFactory& factory_;
};

Result<HeaderChanges> Compile(const char* field, const config::HeaderChanges& changes) {
  auto compiled = HeaderChanges::Compile(changes);
  if (!compiled) {
    Error error = std::move(compiled).error();
    error.detail = StrCat({field, ": ", error.detail});
    return Fail(std::move(error));
  }
  return compiled;
}

Result<std::unique_ptr<HeadersSettings>> HeadersFactory::Load(const HeadersConfig& config,
                                                              LoadContext& context) {
  auto settings = std::make_unique<Settings>();
  if (!config.has_request() && !config.has_response()) {
    return Fail(Code::kInvalidArgument, "expected changes under request or response, got neither");
  }
  auto request = Compile("request", config.request());
  if (!request) return Fail(std::move(request).error());
  auto response = Compile("response", config.response());
  if (!response) return Fail(std::move(response).error());
  settings->request = std::move(*request);
  settings->response = std::move(*response);
  settings->stats =
      StatsScope(context.stats, {{"listener", context.listener}}).Group<HeadersStats>();
  return settings;
}

ArenaPtr<Filter> HeadersFactory::Create(Arena& arena) {
  return ArenaPtr<Filter>(arena.Make<HeadersFilter>(*this).release());
}

REGISTER_FILTER("headers", HeadersConfig, HeadersFactory);

}  // namespace
}  // namespace sluice::headers
