// The client's side of HTTP/1: requests out, responses in, one exchange at a time. Owned by its
// connection; of one thread.
#ifndef SLUICE_CORE_HTTP_HTTP1_CLIENT_CODEC_H_
#define SLUICE_CORE_HTTP_HTTP1_CLIENT_CODEC_H_

#include "core/http/codec.h"
#include "core/http/http1/body_reader.h"
#include "core/http/http1/body_writer.h"
#include "core/http/http1/head_reader.h"

namespace sluice::http1 {

class Http1ClientCodec final : public ClientCodec {
 public:
  Http1ClientCodec(ClientEvents& events, const CodecLimits& limits);

  Result<void> Feed(Buffer& in) override;
  Result<void> FeedEnd() override;
  bool WantsInput() const override { return !finished_ && !peer_ended_; }
  void EncodeBody(StreamId id, Buffer& data, Buffer& out) override;
  void EncodeEnd(StreamId id, const Headers* trailers, Buffer& out) override;
  void EncodeReset(StreamId id, Code code, Buffer& out) override;
  bool CanReset() const override { return false; }
  void Consumed(StreamId, size_t, Buffer&) override {}
  void Tunnel(StreamId id) override;
  void Drain(Buffer& out) override;
  bool Finished() const override { return finished_; }
  bool CanOpen() const override {
    return state_ == State::kIdle && !finished_ && !draining_ && !peer_ended_;
  }
  StreamId EncodeHead(const RequestHead& head, bool end, Buffer& out) override;
  uint32_t PeerIdleSeconds() const override { return idle_seconds_; }

 private:
  // What is read next. kAwait: the first byte of a response.
  enum class State : uint8_t { kIdle, kAwait, kHead, kBody, kTunnel };

  const Fault* FinishHead(Buffer& in);
  void EndResponse(Buffer& in);
  void EndExchange();

  ClientEvents& events_;
  ResponseHead* head_ = nullptr;  // of the response that is read; the owner's
  HeadReader head_reader_;
  BodyReader body_reader_;
  BodyWriter body_writer_;
  StreamId id_ = 0;
  uint32_t idle_seconds_ = 0;
  State state_ = State::kIdle;
  Method method_ = Method::kOther;  // of the request
  uint8_t informational_ = 0;
  bool asked_upgrade_ = false;
  bool keep_alive_ = true;
  bool request_done_ = false;
  bool response_done_ = false;
  bool draining_ = false;
  bool finished_ = false;
  bool peer_ended_ = false;
};

}  // namespace sluice::http1

#endif  // SLUICE_CORE_HTTP_HTTP1_CLIENT_CODEC_H_
