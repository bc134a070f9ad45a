#include "core/upstream/health/prober.h"

#include <utility>

#include "core/base/strings.h"
#include "core/net/socket.h"
#include "core/upstream/cluster.h"
#include "core/upstream/health/health_checker.h"
#include "core/upstream/health/http_probe.h"
#include "core/upstream/health/tcp_probe.h"

namespace sluice {
namespace {

// The name or address that the endpoint is known by, as a Host field says it.
std::string HostOf(const Endpoint& endpoint) {
  if (endpoint.address.is_unix()) return "localhost";
  if (endpoint.hostname.empty()) return endpoint.text;
  return StrCat({endpoint.hostname, ":", Decimal(endpoint.address.port())});
}

}  // namespace

Prober::Prober(const Context& context, const Endpoint& endpoint, HealthVerdict before)
    : context_(context),
      endpoint_(endpoint.text),
      address_(endpoint.address),
      state_(context.probe.health, before),
      told_(before),
      next_(context.probe.loop, Callback::To<&Prober::Check>(this)),
      limit_(context.probe.loop, Callback::To<&Prober::OnLimit>(this)) {
  SetHost(endpoint);
  const uint16_t port = context.probe.health.port;
  if (port != 0 && address_.is_ip()) address_.set_port(port);
}

Prober::~Prober() { DropProbe(); }

void Prober::SetHost(const Endpoint& endpoint) { host_ = HostOf(endpoint); }

void Prober::Start(Nanos delay) {
  answered_ = false;
  next_.Start(delay);
}

void Prober::Stop() {
  next_.Cancel();
  limit_.Cancel();
  DropProbe();
  state_.BeginAgain();
}

void Prober::Check() {
  limit_.Start(context_.probe.health.timeout);
  if (probe_ == nullptr || !probe_->TryAgain()) Connect();
}

void Prober::Connect() {
  DropProbe();
  Result<Fd> fd = StartConnect(address_);
  if (!fd) return Finish(Fail(std::move(fd).error()));
  ProbeEvents& events = *this;
  std::unique_ptr<Transport> transport = context_.probe.cluster.new_transport(fd->Release());
  if (context_.probe.health.protocol == HealthSettings::Protocol::kHttp) {
    probe_ = std::make_unique<HttpProbe>(context_.probe, events, std::move(transport), host_);
  } else {
    probe_ = std::make_unique<TcpProbe>(context_.probe, events, std::move(transport));
  }
  if (Result<void> started = probe_->Start(); !started) Finish(started);
}

void Prober::OnLimit() {
  // The answer may be there, and was not looked at: that is not the endpoint's fault.
  Loop& loop = context_.probe.loop;
  if (loop.now() - limit_.deadline() > kLate) return limit_.Start(context_.probe.health.timeout);
  const std::string_view missing = probe_->missing();
  Finish(Fail(Code::kTimeout, StrCat({"timed out: ", missing}), Side::kUpstream));
}

void Prober::OnProbed(Result<void> result) {
  if (!result && result.error().retry == Retry::kIfReused) return Connect();
  Finish(result);
}

void Prober::Finish(const Result<void>& result) {
  limit_.Cancel();
  if (!result) DropProbe();
  // Where our own side is to blame, what the endpoint is taken for stays.
  const bool made = result || result.error().side == Side::kUpstream;
  if (made) {
    (result ? context_.stats.successes : context_.stats.failures).Inc();
    last_success_ = result.has_value();
    last_reason_ = result ? "" : result.error().detail;
    last_at_ = context_.probe.loop.now();
    state_.Take(result.has_value());
    context_.checker.OnChecked(*this);
  } else {
    context_.stats.not_made.Inc();
  }
  next_.Start(state_.NextWait(context_.random));
  if (!std::exchange(answered_, true)) context_.checker.OnAnswered();
}

std::optional<LastCheck> Prober::last() const {
  if (last_at_ == 0) return std::nullopt;
  return LastCheck{last_success_, last_reason_, context_.probe.loop.now() - last_at_};
}

void Prober::DropProbe() {
  if (probe_ == nullptr) return;
  probe_->Close();
  context_.probe.loop.Retire(std::move(probe_));
}

}  // namespace sluice
