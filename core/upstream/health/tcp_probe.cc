#include "core/upstream/health/tcp_probe.h"

#include <algorithm>
#include <utility>

#include "core/base/one_line.h"
#include "core/base/strings.h"
#include "core/upstream/health/health_settings.h"

namespace sluice {
namespace {

// So much of an answer that is not the expected one is told, in bytes.
constexpr size_t kMostTold = 64;

tl::unexpected<Error> Failed(Code code, std::string why) {
  return Fail(code, std::move(why), Side::kUpstream);
}

}  // namespace

TcpProbe::TcpProbe(const ProbeContext& context, ProbeEvents& events,
                   std::unique_ptr<Transport> transport)
    : context_(context),
      events_(events),
      connection_(context.loop, *this, std::move(transport), Side::kUpstream) {}

Result<void> TcpProbe::Start() { return connection_.Start(true); }

void TcpProbe::OnConnected() {
  connected_ = true;
  const HealthSettings& settings = context_.health;
  if (settings.expect.empty() && settings.send.empty()) return Finish({});
  connection_.output().Append(ProbePreface(context_));
  connection_.output().Append(settings.send);
  connection_.Write();
  if (settings.expect.empty()) connection_.NotifyWritten();
}

void TcpProbe::OnWritten() {
  if (context_.health.expect.empty()) Finish({});
}

void TcpProbe::OnData(Buffer& in) {
  const size_t room = HealthSettings::kMostAnswer - answer_.size();
  answer_ += in.Flatten().substr(0, room);
  in.Clear();
  Look();
}

void TcpProbe::Look() {
  const HealthSettings& settings = context_.health;
  if (settings.one_line) {
    const bool whole = answer_.find("\r\n") != std::string::npos;
    if (whole && answer_.starts_with(settings.expect)) return Finish({});
    if (!whole && answer_.size() < HealthSettings::kMostAnswer) return;
    const size_t told = std::min(answer_.find("\r\n"), kMostTold);
    return Finish(Failed(Code::kProtocol,
                         StrCat({"the answer is \"", OneLine(answer_.substr(0, told)), "\""})));
  }
  if (answer_.find(settings.expect) != std::string::npos) return Finish({});
  if (answer_.size() < HealthSettings::kMostAnswer) return;
  Finish(Failed(Code::kProtocol, "the answer's first 64KiB lack what is expected"));
}

void TcpProbe::OnPeerClosed() {
  Finish(Failed(Code::kClosed, answer_.empty() ? "closed without an answer"
                                               : "closed, and the answer lacks what is expected"));
}

void TcpProbe::OnFailed(const Error& error) {
  // An answer may have come before the reset: it is read first, then reading fails too.
  if (connected_ && connection_.write_failed() && !connection_.peer_closed()) return;
  Finish(Failed(error.code, error.detail));
}

void TcpProbe::Finish(Result<void> result) {
  connection_.Close();
  events_.OnProbed(std::move(result));
}

}  // namespace sluice
