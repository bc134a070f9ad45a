// The fault filter; fault.proto is its reference.
#include <algorithm>
#include <atomic>
#include <memory>
#include <utility>

#include "core/base/random.h"
#include "core/event/loop.h"
#include "core/event/timer.h"
#include "core/filter/factory.h"
#include "core/filter/filter.h"
#include "core/stats/scope.h"
#include "filters/fault/fault.pb.h"
#include "filters/fault/plan.h"

namespace sluice::fault {
namespace {

// A slowed body goes on in pieces of what this long lets through.
constexpr uint64_t kPiecesPerSecond = 20;

struct FaultStats {
  Counter delays;
  Counter aborts;
  Counter bandwidths;
  Counter overflows;
  Gauge active;

  void Describe(MetricTable& table) {
    const Metric injected{"sluice_fault_injected_total", "Faults injected."};
    table.Add(delays, injected, {{"kind", "delay"}});
    table.Add(aborts, injected, {{"kind", "abort"}});
    table.Add(bandwidths, injected, {{"kind", "bandwidth"}});
    table.Add(overflows, {"sluice_fault_overflows_total",
                          "Faults not injected, because max_active streams had one."});
    table.Add(active, {"sluice_fault_active", "Streams with a fault."});
  }
};

struct FaultSettings final : FilterSettings {
  bool reads_private_headers() const override { return max_header_delay != 0; }

  FaultPlan plan;
  Nanos max_header_delay = 0;  // 0: no control by headers
  bool may_slow = false;
  uint32_t max_active = 0;
  // Counts over all workers, only if there is a limit. Touched by streams with a fault alone.
  mutable std::atomic<uint32_t> active{0};
  StatsGroup<FaultStats> stats;
};

class FaultFactory final : public FilterFactory {
 public:
  using Settings = FaultSettings;

  static Result<std::unique_ptr<Settings>> Load(const FaultConfig& config, LoadContext& context);

  FaultFactory(const Settings& configured, const WorkerContext& worker)
      : settings(configured), loop(worker.loop), stats(configured.stats.Bind(worker.stats)) {}
  ArenaPtr<Filter> Create(Arena& arena) override;
  // Bodies are looked at only where they may have to be slowed down.
  uint8_t hooks() const override {
    return settings.may_slow ? kRequestHeadersHook | kResponseBodyHook : kRequestHeadersHook;
  }

  const Settings& settings;
  Loop& loop;
  FaultStats stats;
};

class FaultFilter final : public Filter {
 public:
  explicit FaultFilter(FaultFactory& factory)
      : factory_(factory), timer_(factory.loop, Callback::To<&FaultFilter::OnTimer>(this)) {}
  ~FaultFilter() override { Release(); }

  Verdict OnRequestHeaders(RequestHead& head, bool) override {
    plan_ = factory_.settings.plan;
    TakeFaultHeaders(head.headers, factory_.settings.max_header_delay, plan_);
    if (!Draw(plan_.delay != 0, plan_.delay_percent) || !Acquire()) return GoOn();
    factory_.stats.delays.Inc();
    context().info().flags.Set(ResponseFlag::kDelayInjected);
    delaying_ = true;
    timer_.Start(plan_.delay);
    return Verdict::Pause();
  }

  Verdict OnResponseBody(Buffer& data, bool) override {
    if (rate_ == 0 || data.empty()) return Verdict::Continue();
    const size_t piece = std::max<uint64_t>(rate_ / kPiecesPerSecond, 1);
    if (data.size() > piece) {
      Buffer rest = std::move(data);
      data.MoveFrom(rest, piece);
      context().UnreadResponseBody(std::move(rest));
    }
    // Each piece has its time, counted from that of the last one: a timer that fires late does not
    // slow the body down, a client that is slow itself earns nothing.
    const Nanos now = factory_.loop.now();
    const Nanos wait = next_piece_ - now;
    const double seconds = static_cast<double>(data.size()) / static_cast<double>(rate_);
    next_piece_ = std::max(next_piece_, now) + static_cast<Nanos>(seconds * kSecond);
    if (wait <= 0) return Verdict::Continue();
    timer_.Start(wait);
    return Verdict::Pause();
  }

 private:
  void OnTimer() {
    context().Resume(std::exchange(delaying_, false) ? GoOn() : Verdict::Continue());
  }

  // After the delay, or without one.
  Verdict GoOn() {
    FaultStats& stats = factory_.stats;
    if (Draw(plan_.abort_status != 0, plan_.abort_percent) && Acquire()) {
      stats.aborts.Inc();
      LocalReply reply;
      reply.status = plan_.abort_status;
      reply.body = "fault filter abort";
      reply.flag = ResponseFlag::kFaultInjected;
      reply.details = "fault_filter_abort";
      return Verdict::Respond(std::move(reply));
    }
    if (Draw(plan_.bytes_per_second != 0, plan_.bandwidth_percent) && Acquire()) {
      stats.bandwidths.Inc();
      rate_ = plan_.bytes_per_second;
    }
    return Verdict::Continue();
  }

  bool Draw(bool wanted, double percent) {
    if (!wanted || percent <= 0) return false;
    return percent >= 100 || context().random().Fraction() * 100 < percent;
  }

  // A place among the active ones, if there is one: one for all faults of the stream.
  bool Acquire() {
    if (active_) return true;
    const uint32_t most = factory_.settings.max_active;
    std::atomic<uint32_t>& active = factory_.settings.active;
    if (most != 0 && active.fetch_add(1, std::memory_order_relaxed) >= most) {
      active.fetch_sub(1, std::memory_order_relaxed);
      factory_.stats.overflows.Inc();
      return false;
    }
    factory_.stats.active.Add();
    active_ = true;
    return true;
  }

  void Release() {
    if (!active_) return;
    factory_.stats.active.Sub();
    if (factory_.settings.max_active != 0) {
      factory_.settings.active.fetch_sub(1, std::memory_order_relaxed);
    }
  }

  FaultFactory& factory_;
  FaultPlan plan_;
  Timer timer_;
  uint64_t rate_ = 0;  // of the response's body in bytes per second; 0: any
  Nanos next_piece_ = 0;
  bool delaying_ = false;
  bool active_ = false;
};

Result<std::unique_ptr<FaultSettings>> FaultFactory::Load(const FaultConfig& config,
                                                          LoadContext& context) {
  if (!config.has_delay() && !config.has_abort() && !config.has_bandwidth() &&
      !config.has_header_control()) {
    return Fail(Code::kInvalidArgument,
                "expected one of delay, abort, bandwidth and header_control, got none");
  }
  auto settings = std::make_unique<Settings>();
  settings->plan = PlanOf(config);
  settings->max_header_delay = config.header_control().max_delay();
  settings->may_slow = config.has_bandwidth() || config.has_header_control();
  settings->max_active = config.max_active();
  settings->stats = StatsScope(context.stats, {{"listener", context.listener}}).Group<FaultStats>();
  return settings;
}

ArenaPtr<Filter> FaultFactory::Create(Arena& arena) {
  return ArenaPtr<Filter>(arena.Make<FaultFilter>(*this).release());
}

REGISTER_FILTER("fault", FaultConfig, FaultFactory);

}  // namespace
}  // namespace sluice::fault
