// The buffer filter; buffer.proto is its reference.
#include <memory>
#include <utility>

#include "core/base/strings.h"
#include "core/filter/factory.h"
#include "core/filter/filter.h"
#include "core/stats/scope.h"
#include "filters/buffer/buffer.pb.h"

namespace sluice::buffer {
namespace {

// As the chain says it of a body that turns out too large while it is collected.
constexpr std::string_view kTooLarge = "request_payload_too_large";

struct BufferStats {
  Counter collected;
  Counter too_large;

  void Describe(MetricTable& table) {
    const Metric metric{"sluice_buffer_requests_total",
                        "Requests with a body, by what became of it."};
    table.Add(collected, metric, {{"result", "collected"}});
    table.Add(too_large, metric, {{"result", "too_large"}});
  }
};

struct BufferSettings final : FilterSettings {
  size_t max_size = 0;
  StatsGroup<BufferStats> stats;
};

class BufferFilter;

class BufferFactory final : public BasicFilterFactory<BufferFilter, BufferFactory> {
 public:
  using Settings = BufferSettings;

  static Result<std::unique_ptr<Settings>> Load(const BufferConfig& config, LoadContext& context) {
    auto settings = std::make_unique<Settings>();
    settings->max_size = config.max_size();
    settings->stats =
        StatsScope(context.stats, {{"listener", context.listener}}).Group<BufferStats>();
    return settings;
  }

  BufferFactory(const Settings& settings, const WorkerContext& worker)
      : max_size(settings.max_size), stats(settings.stats.Bind(worker.stats)) {}

  const size_t max_size;
  BufferStats stats;
};

class BufferFilter final : public Filter {
 public:
  explicit BufferFilter(BufferFactory& factory) : factory_(factory) {}

  Verdict OnRequestHeaders(RequestHead& head, bool end) override {
    if (end) return Verdict::Continue();
    // What says how long it is need not be read to be refused.
    if (head.content_length.value_or(0) > factory_.max_size) {
      factory_.stats.too_large.Inc();
      LocalReply reply;
      reply.status = 413;
      reply.body = "payload too large\n";
      reply.details = kTooLarge;
      return Verdict::Respond(std::move(reply));
    }
    collecting_ = true;
    return Verdict::CollectBody(factory_.max_size);
  }

  // Once, with all of it. The head has not gone on yet.
  Verdict OnRequestBody(Buffer& data, bool) override {
    collecting_ = false;
    factory_.stats.collected.Inc();
    RequestHead& head = context().request();
    head.content_length = data.size();
    head.headers.Set(HeaderId::kContentLength, Decimal(data.size()));
    return Verdict::Continue();
  }

  void OnComplete(const StreamInfo& info) override {
    if (collecting_ && info.details == kTooLarge) factory_.stats.too_large.Inc();
  }

 private:
  BufferFactory& factory_;
  bool collecting_ = false;
};

REGISTER_FILTER("buffer", BufferConfig, BufferFactory);

}  // namespace
}  // namespace sluice::buffer
