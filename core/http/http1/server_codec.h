// The server's side of HTTP/1: requests in, responses out, one exchange at a time. Pipelined bytes
// stay in the read buffer until the response before them is encoded; then the owner calls Feed
// again. Owned by its connection; of one thread.
#ifndef SLUICE_CORE_HTTP_HTTP1_SERVER_CODEC_H_
#define SLUICE_CORE_HTTP_HTTP1_SERVER_CODEC_H_

#include "core/http/codec.h"
#include "core/http/http1/body_reader.h"
#include "core/http/http1/body_writer.h"
#include "core/http/http1/head_reader.h"

namespace sluice::http1 {

class Http1ServerCodec final : public ServerCodec {
 public:
  Http1ServerCodec(ServerEvents& events, const CodecLimits& limits);

  Result<void> Feed(Buffer& in) override;
  Result<void> FeedEnd() override;
  bool WantsInput() const override;
  void EncodeBody(StreamId id, Buffer& data, Buffer& out) override;
  void EncodeEnd(StreamId id, const Headers* trailers, Buffer& out) override;
  void EncodeReset(StreamId id, Code code, Buffer& out) override;
  bool CanReset() const override { return false; }
  void Consumed(StreamId, size_t, Buffer&) override {}
  void Tunnel(StreamId id) override;
  void Drain(Buffer& out) override;
  bool Finished() const override { return finished_; }
  void EncodeInformational(StreamId id, uint16_t status, const Headers* headers,
                           Buffer& out) override;
  void EncodeHead(StreamId id, const ResponseHead& head, bool end, Buffer& out) override;

 private:
  // What is read next.
  enum class State : uint8_t { kIdle, kHead, kBody, kWait, kTunnel };

  void BeginRequest();
  bool SkipEmptyLines(Buffer& in, const Fault*& fault);
  const Fault* FinishHead(Buffer& in);
  void EndRequest(Buffer& in);
  void EndExchange();

  ServerEvents& events_;
  RequestHead* head_ = nullptr;  // of the exchange that runs; the owner's
  HeadReader head_reader_;
  BodyReader body_reader_;
  BodyWriter body_writer_;
  StreamId id_ = 0;
  State state_ = State::kIdle;
  uint8_t empty_lines_ = 0;
  Method method_ = Method::kOther;  // what the exchange's head said; filters may change the head
  Protocol protocol_ = Protocol::kHttp11;
  bool keep_alive_ = false;
  bool request_done_ = false;
  bool response_begun_ = false;
  bool response_done_ = false;
  bool draining_ = false;
  bool finished_ = false;
  bool peer_ended_ = false;
  bool left_over_ = false;  // bytes behind the request were in the buffer at the last look
};

}  // namespace sluice::http1

#endif  // SLUICE_CORE_HTTP_HTTP1_SERVER_CODEC_H_
