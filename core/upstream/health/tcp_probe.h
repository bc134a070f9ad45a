// TcpProbe: the check of `tcp` and `redis`: a connect, and what is to be sent and expected on it. A
// new connection for each check.
#ifndef SLUICE_CORE_UPSTREAM_HEALTH_TCP_PROBE_H_
#define SLUICE_CORE_UPSTREAM_HEALTH_TCP_PROBE_H_

#include <memory>
#include <string>
#include <string_view>

#include "core/net/connection.h"
#include "core/upstream/health/probe.h"

namespace sluice {

class TcpProbe final : public Probe, private ConnectionHandler {
 public:
  // Connects the socket of `transport` (connect(2) is under way). `events` outlives it.
  TcpProbe(const ProbeContext& context, ProbeEvents& events, std::unique_ptr<Transport> transport);

  Result<void> Start() override;
  bool TryAgain() override { return false; }
  void Close() override { connection_.Close(); }
  std::string_view missing() const override { return connected_ ? "no answer" : "no connection"; }

 private:
  void OnConnected() override;
  void OnData(Buffer& in) override;
  void OnPeerClosed() override;
  void OnWritten() override;
  void OnFailed(const Error& error) override;

  // Ends the check if the answer so far says how.
  void Look();
  void Finish(Result<void> result);

  const ProbeContext& context_;
  ProbeEvents& events_;
  Connection connection_;
  std::string answer_;
  bool connected_ = false;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_HEALTH_TCP_PROBE_H_
