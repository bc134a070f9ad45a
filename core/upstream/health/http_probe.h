// HttpProbe: the check of `http`: a request, and what its answer must be. The connection is kept
// for the next check where that is possible, but not for ever: a server that takes no new
// connections any more is to be noticed.
#ifndef SLUICE_CORE_UPSTREAM_HEALTH_HTTP_PROBE_H_
#define SLUICE_CORE_UPSTREAM_HEALTH_HTTP_PROBE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/arena.h"
#include "core/http/codec.h"
#include "core/net/connection.h"
#include "core/upstream/health/probe.h"

namespace sluice {

class HttpProbe final : public Probe, private ConnectionHandler, private ClientEvents {
 public:
  // So many checks are made on one connection.
  static constexpr uint32_t kMostChecks = 10;

  // As TcpProbe. `host`: of the request, where the configuration says none.
  HttpProbe(const ProbeContext& context, ProbeEvents& events, std::unique_ptr<Transport> transport,
            std::string host);

  Result<void> Start() override;
  bool TryAgain() override;
  void Close() override { connection_.Close(); }
  std::string_view missing() const override;

 private:
  struct Response {
    Arena arena;
    ResponseHead head{arena};
    bool has_head = false;
    size_t size = 0;  // of the body
    std::string body;
  };

  void OnConnected() override;
  void OnData(Buffer& in) override;
  void OnPeerClosed() override;
  void OnWritten() override {}
  void OnFailed(const Error& error) override;

  ResponseHead& OnResponseBegin(StreamId id) override;
  void OnInformational(StreamId) override {}
  void OnResponseHead(StreamId id, bool end) override;
  void OnBody(StreamId id, Slice data) override;
  void OnTrailers(StreamId, Headers&) override {}
  void OnEnd(StreamId id) override;
  void OnReset(StreamId id, const Error& error) override;
  void OnEncodeMore(StreamId) override {}
  void OnDraining() override { draining_ = true; }

  void SendRequest();
  // What the whole body, or as much of it as is looked at, says.
  Result<void> JudgeBody() const;
  void Finish(Result<void> result);
  // The connection ended before the answer did.
  void FinishBroken(Code code, std::string why);

  const ProbeContext& context_;
  ProbeEvents& events_;
  const std::string host_;
  Connection connection_;
  std::unique_ptr<ClientCodec> codec_;
  std::unique_ptr<Response> response_;  // null: none has begun
  std::optional<Result<void>> result_;  // of the check, as soon as it is known
  uint32_t checks_ = 0;
  bool checking_ = true;
  bool connected_ = false;
  bool ended_ = false;  // the response has
  bool draining_ = false;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_HEALTH_HTTP_PROBE_H_
