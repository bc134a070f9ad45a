#include "core/http/http1/server_codec.h"

#include <array>

#include "core/base/check.h"
#include "core/base/strings.h"
#include "core/http/body_length.h"
#include "core/http/http1/framing.h"
#include "core/http/http1/grammar.h"
#include "core/http/http1/head_writer.h"
#include "core/http/http1/target.h"
#include "core/http/status.h"

namespace sluice::http1 {
namespace {

constexpr uint8_t kMaxEmptyLines = 4;
constexpr std::string_view kClosedEarly = "downstream_remote_disconnect";

// The first protocol of Upgrade, if the request asks for one in a way that counts; the field goes
// unless it does.
std::string_view TakeUpgrade(RequestHead& head, const Framing& framing) {
  std::string_view first;
  if (framing.upgrade && head.protocol == Protocol::kHttp11) {
    head.headers.ForEachValue(HeaderId::kUpgrade, [&](std::string_view value) {
      ForEachListElement(value, [&](std::string_view protocol) {
        if (first.empty()) first = protocol;
        return false;
      });
    });
  }
  if (first.empty()) head.headers.Remove(HeaderId::kUpgrade);
  return first;
}

}  // namespace

Http1ServerCodec::Http1ServerCodec(ServerEvents& events, const CodecLimits& limits)
    : events_(events), head_reader_(HTTP_REQUEST, limits), body_reader_(limits) {}

Result<void> Http1ServerCodec::Feed(Buffer& in) {
  const Fault* fault = nullptr;
  while (!finished_ && !in.empty()) {
    switch (state_) {
      case State::kIdle:
        if (!SkipEmptyLines(in, fault)) break;
        state_ = State::kHead;  // before the owner is told: it may call Drain, for after this one
        BeginRequest();
        continue;
      case State::kHead: {
        if (!head_reader_.Read(in, fault)) break;
        const StreamId id = id_;
        fault = FinishHead(in);
        if (fault == nullptr && id == id_ && state_ == State::kBody) continue;
        break;
      }
      case State::kBody: {
        const BodySink sink{events_, id_, head_->headers.arena(), finished_};
        if (body_reader_.Read(in, sink, fault)) EndRequest(in);
        break;
      }
      case State::kTunnel:
        events_.OnBody(id_, in.PopFront());
        continue;
      case State::kWait:
        break;
    }
    break;
  }
  left_over_ = !in.empty();
  if (fault != nullptr) {
    finished_ = true;
    const llhttp_t& parser = head_reader_.parser();
    if (parser.http_major == 1 && parser.http_minor == 0) protocol_ = Protocol::kHttp10;
    return Fail(*fault, Side::kDownstream);
  }
  if (peer_ended_ && !finished_ && (state_ == State::kHead || state_ == State::kBody)) {
    finished_ = true;
    return sluice::Fail(Code::kClosed, std::string(kClosedEarly), Side::kDownstream);
  }
  if (peer_ended_ && state_ == State::kIdle) finished_ = true;
  if (peer_ended_ && state_ == State::kTunnel && !left_over_ && !finished_) return FeedEnd();
  return {};
}

void Http1ServerCodec::BeginRequest() {
  head_ = &events_.OnRequestBegin(++id_);
  head_reader_.Begin(head_->headers);
  request_done_ = response_begun_ = response_done_ = false;
  // What the answer to a head that turns out to be broken goes by.
  method_ = Method::kOther;
  protocol_ = Protocol::kHttp11;
  keep_alive_ = false;
}

// Clients of old send an empty line behind a body (RFC 9112 2.2). True when a request begins.
bool Http1ServerCodec::SkipEmptyLines(Buffer& in, const Fault*& fault) {
  while (!in.empty()) {
    const char first = in.front().data()[0];
    if (first != '\r' && first != '\n') {
      empty_lines_ = 0;
      return true;
    }
    if (first == '\r' && in.size() == 1) return false;
    if (first == '\r' && in.front().size() == 1) JoinFront(in, Block::kSmall);
    if (first != '\r' || in.front().data()[1] != '\n' || ++empty_lines_ > kMaxEmptyLines) {
      BeginRequest();  // so that there is a stream to answer on
      fault = &kCodecError;
      return false;
    }
    in.Consume(2);
  }
  return false;
}

const Fault* Http1ServerCodec::FinishHead(Buffer& in) {
  RequestHead& head = *head_;
  const llhttp_t& parser = head_reader_.parser();
  head.SetMethod(head_reader_.method());
  method_ = head.method();
  protocol_ = head.protocol = parser.http_minor == 0 ? Protocol::kHttp10 : Protocol::kHttp11;
  head.wire_size = head_reader_.size();
  if (const Fault* fault = ReadTarget(head_reader_.target(), head)) return fault;
  Framing framing;
  if (const Fault* fault = ReadFraming(head.headers, head.protocol, framing)) return fault;
  keep_alive_ = framing.keep_alive;
  if (head.headers.Has(HeaderId::kUpgrade)) head.upgrade = TakeUpgrade(head, framing);
  if (method_ == Method::kConnect) {
    if (framing.chunked || framing.length.value_or(0) > 0) return &kBodyDisallowed;
    head.headers.Remove(HeaderId::kContentLength);
    head.headers.Remove(HeaderId::kUpgrade);
    framing.length.reset();
    head.upgrade = "connect";
  }
  const bool has_body = framing.chunked || framing.length.value_or(0) > 0;
  if (head.headers.Has(HeaderId::kExpect)) {
    // Other expectations are ignored, as nginx does; RFC 9110 10.1.1 leaves the choice.
    head.expects_continue = has_body && head.protocol == Protocol::kHttp11 &&
                            EqualsIgnoreCase(*head.headers.Get(HeaderId::kExpect), "100-continue");
    head.headers.Remove(HeaderId::kExpect);
  }
  if (!framing.chunked) head.content_length = framing.length.value_or(0);
  head.bytes = in.front().Share(0, head.wire_size);
  in.Consume(head.wire_size);

  if (framing.chunked) {
    body_reader_.BeginChunked();
  } else {
    body_reader_.Begin(*head.content_length);
  }
  state_ = has_body ? State::kBody : State::kWait;
  request_done_ = !has_body;
  left_over_ = !in.empty();
  const StreamId id = id_;
  events_.OnRequestHead(id, !has_body);
  if (!has_body) events_.OnEnd(id);
  return nullptr;
}

void Http1ServerCodec::EndRequest(Buffer& in) {
  state_ = State::kWait;
  request_done_ = true;
  left_over_ = !in.empty();
  if (response_done_) EndExchange();
  events_.OnEnd(id_);
}

Result<void> Http1ServerCodec::FeedEnd() {
  peer_ended_ = true;
  switch (state_) {
    case State::kIdle:
      finished_ = true;
      return {};
    case State::kHead:
    case State::kBody:
      if (finished_) return {};
      finished_ = true;
      return sluice::Fail(Code::kClosed, std::string(kClosedEarly), Side::kDownstream);
    case State::kWait:
      return {};
    case State::kTunnel:
      if (request_done_) return {};
      request_done_ = true;
      if (response_done_) finished_ = true;
      events_.OnEnd(id_);
      return {};
  }
  return {};
}

bool Http1ServerCodec::WantsInput() const {
  return !finished_ && !peer_ended_ && state_ != State::kWait;
}

void Http1ServerCodec::EncodeInformational(StreamId id, uint16_t status, const Headers* headers,
                                           Buffer& out) {
  if (id != id_ || response_begun_ || protocol_ == Protocol::kHttp10) return;
  HeadWriter writer(out, headers, 128);
  writer.Put("HTTP/1.1 ");
  writer.PutDecimal(status);
  writer.Put(" ");
  writer.Put(ReasonPhrase(status));
  writer.Put("\r\n");
  if (headers != nullptr) writer.PutFields(*headers, {}, {});
  writer.Finish();
}

void Http1ServerCodec::EncodeHead(StreamId id, const ResponseHead& head, bool end, Buffer& out) {
  if (id != id_ || response_begun_) return;
  response_begun_ = true;
  const bool tunnel = head.status == 101 || (method_ == Method::kConnect && head.status / 100 == 2);
  const bool head_only = method_ == Method::kHead || head.status == 304;
  const bool no_body = StatusHasNoBody(head.status);
  const int64_t length = AnnouncedLength(head.headers);

  enum class Fields { kNone, kOwnLength, kNoLength, kZero, kChunked, kClose };
  Fields fields;
  if (tunnel || (no_body && head.status != 304)) {
    fields = Fields::kNone;
    body_writer_.Begin(tunnel ? BodyWriter::Mode::kNone : BodyWriter::Mode::kDropped);
  } else if (head_only) {
    fields = length >= 0 ? Fields::kOwnLength : Fields::kNoLength;
    body_writer_.Begin(BodyWriter::Mode::kDropped);
  } else if (length == 0 || (length > 0 && !end)) {
    fields = Fields::kOwnLength;
    body_writer_.Begin(BodyWriter::Mode::kLength, static_cast<uint64_t>(length));
  } else if (end) {
    fields = Fields::kZero;
    body_writer_.Begin(BodyWriter::Mode::kNone);
  } else if (protocol_ == Protocol::kHttp10) {
    fields = Fields::kClose;
    body_writer_.Begin(BodyWriter::Mode::kRaw);
  } else {
    fields = Fields::kChunked;
    body_writer_.Begin(BodyWriter::Mode::kChunked);
  }
  // Where the whole answer is here and the request is not, the connection cannot go on.
  if (draining_ || fields == Fields::kClose || (end && !request_done_)) keep_alive_ = false;

  const std::string_view reason =
      !head.reason.empty() && IsFieldValue(head.reason) ? head.reason : ReasonPhrase(head.status);
  HeadWriter writer(out, &head.headers, 128 + reason.size());
  writer.Put("HTTP/1.1 ");
  writer.PutDecimal(head.status);
  writer.Put(" ");
  writer.Put(reason);
  writer.Put("\r\n");
  HeadWriter::Keep keep;
  keep.content_length = fields == Fields::kOwnLength;
  keep.upgrade = head.status == 101 || head.status == 426;
  writer.PutFields(head.headers, head.bytes.view(), keep);
  if (fields == Fields::kZero) writer.Put("content-length: 0\r\n");
  if (fields == Fields::kChunked) writer.Put("transfer-encoding: chunked\r\n");
  if (head.status == 101) {
    writer.Put("connection: upgrade\r\n");
  } else if (tunnel) {
  } else if (!keep_alive_) {
    // RFC 9110 7.8: whoever sends Upgrade names it here.
    const bool upgrade = head.status == 426 && head.headers.Has(HeaderId::kUpgrade);
    writer.Put(upgrade ? "connection: close, upgrade\r\n" : "connection: close\r\n");
  } else if (protocol_ == Protocol::kHttp10) {
    writer.Put("connection: keep-alive\r\n");
  }
  writer.Finish();
}

void Http1ServerCodec::EncodeBody(StreamId id, Buffer& data, Buffer& out) {
  if (id != id_ || !response_begun_ || response_done_) return data.Clear();
  body_writer_.Write(data, out);
}

void Http1ServerCodec::EncodeEnd(StreamId id, const Headers* trailers, Buffer& out) {
  if (id != id_ || response_done_) return;
  body_writer_.End(trailers, out);
  response_done_ = true;
  if (state_ == State::kTunnel) {
    if (request_done_) finished_ = true;
    return;
  }
  if (request_done_) return EndExchange();
  finished_ = true;  // bytes of a request come that nobody wants: nothing can follow them
}

void Http1ServerCodec::EndExchange() {
  if (!keep_alive_ || draining_ || body_writer_.broken() || !response_begun_ ||
      (peer_ended_ && !left_over_)) {
    finished_ = true;
    return;
  }
  state_ = State::kIdle;
}

void Http1ServerCodec::EncodeReset(StreamId id, Code, Buffer&) {
  if (id == id_) finished_ = true;
}

void Http1ServerCodec::Tunnel(StreamId id) {
  if (id != id_ || !response_begun_ || response_done_ || finished_) return;
  state_ = State::kTunnel;
  request_done_ = false;
  body_writer_.Begin(BodyWriter::Mode::kRaw);
}

void Http1ServerCodec::Drain(Buffer&) {
  draining_ = true;
  if (state_ == State::kIdle) finished_ = true;
}

}  // namespace sluice::http1

namespace sluice {

std::unique_ptr<ServerCodec> NewHttp1ServerCodec(ServerEvents& events, const CodecLimits& limits) {
  return std::make_unique<http1::Http1ServerCodec>(events, limits);
}

}  // namespace sluice
