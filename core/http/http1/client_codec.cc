#include "core/http/http1/client_codec.h"

#include "core/base/check.h"
#include "core/base/strings.h"
#include "core/http/body_length.h"
#include "core/http/http1/framing.h"
#include "core/http/http1/grammar.h"
#include "core/http/http1/head_writer.h"

namespace sluice::http1 {
namespace {

constexpr uint8_t kMaxInformational = 32;
constexpr std::string_view kTerminated = "connection_termination";

bool IsTargetChar(char c) { return static_cast<uint8_t>(c) > 0x20 && c != 0x7f && c != '#'; }

// The target as it goes onto the wire. What a filter wrote into it that would end the request line
// is percent-encoded.
std::string_view SafeTarget(const RequestHead& head) {
  std::string_view target = head.method() == Method::kConnect ? head.authority : head.path;
  if (target.empty()) return "/";
  const std::string_view parsed = head.bytes.view();
  if (target.data() >= parsed.data() &&
      target.data() + target.size() <= parsed.data() + parsed.size()) {
    return target;
  }
  size_t unsafe = 0;
  for (char c : target) unsafe += IsTargetChar(c) ? 0 : 1;
  if (unsafe == 0) return target;
  char* encoded = head.headers.arena().AllocateArray<char>(target.size() + 2 * unsafe);
  char* at = encoded;
  constexpr char kHex[] = "0123456789ABCDEF";
  for (char c : target) {
    if (IsTargetChar(c)) {
      *at++ = c;
      continue;
    }
    *at++ = '%';
    *at++ = kHex[static_cast<uint8_t>(c) >> 4];
    *at++ = kHex[static_cast<uint8_t>(c) & 15];
  }
  return {encoded, static_cast<size_t>(at - encoded)};
}

// POST and its like announce an empty body too (RFC 9110 8.6).
bool ExpectsBody(Method method) {
  return method == Method::kPost || method == Method::kPut || method == Method::kPatch;
}

}  // namespace

Http1ClientCodec::Http1ClientCodec(ClientEvents& events, const CodecLimits& limits)
    : events_(events), head_reader_(HTTP_RESPONSE, limits), body_reader_(limits) {}

Result<void> Http1ClientCodec::Feed(Buffer& in) {
  const Fault* fault = nullptr;
  while (!finished_ && !in.empty()) {
    switch (state_) {
      case State::kIdle:
        fault = &kUnsolicited;
        break;
      case State::kAwait:
        head_ = &events_.OnResponseBegin(id_);
        head_reader_.Begin(head_->headers);
        state_ = State::kHead;
        continue;
      case State::kHead:
        if (!head_reader_.Read(in, fault)) break;
        fault = FinishHead(in);
        if (fault == nullptr && state_ != State::kIdle) continue;
        break;
      case State::kBody: {
        const BodySink sink{events_, id_, head_->headers.arena(), finished_};
        if (body_reader_.Read(in, sink, fault)) EndResponse(in);
        break;
      }
      case State::kTunnel:
        events_.OnBody(id_, in.PopFront());
        continue;
    }
    break;
  }
  if (fault == nullptr) return {};
  finished_ = true;
  return Fail(*fault, Side::kUpstream);
}

const Fault* Http1ClientCodec::FinishHead(Buffer& in) {
  ResponseHead& head = *head_;
  const llhttp_t& parser = head_reader_.parser();
  head.status = parser.status_code;
  head.protocol = parser.http_minor == 0 ? Protocol::kHttp10 : Protocol::kHttp11;
  head.reason = head_reader_.reason();
  head.wire_size = head_reader_.size();
  Framing framing;
  if (const Fault* fault = ReadFraming(head.headers, head.protocol, framing)) return fault;
  if (head.status != 101 && head.status != 426) head.headers.Remove(HeaderId::kUpgrade);
  const bool switching = head.status == 101;
  if (switching && !asked_upgrade_) return &kCodecError;
  head.bytes = in.front().Share(0, head.wire_size);
  in.Consume(head.wire_size);

  if (head.status < 200 && !switching) {
    if (++informational_ > kMaxInformational) return &kTooManyInformational;
    state_ = State::kAwait;
    events_.OnInformational(id_);
    return nullptr;
  }
  if (framing.idle_seconds) idle_seconds_ = *framing.idle_seconds;
  keep_alive_ = framing.keep_alive && framing.idle_seconds != 0U;
  const bool tunnel = switching || (method_ == Method::kConnect && head.status / 100 == 2);
  bool has_body = false;
  if (tunnel) {
    head.headers.Remove(HeaderId::kContentLength);
    keep_alive_ = false;
  } else if (method_ == Method::kHead || StatusHasNoBody(head.status)) {
    // The length is that of another answer, if of any.
    body_reader_.Begin(0);
    head.content_length = framing.length;
    if (head.status == 204) head.headers.Remove(HeaderId::kContentLength);
  } else if (framing.chunked) {
    has_body = true;
    body_reader_.BeginChunked();
  } else if (framing.length) {
    head.content_length = framing.length;
    has_body = *framing.length > 0;
    body_reader_.Begin(*framing.length);
  } else {
    has_body = true;
    keep_alive_ = false;
    body_reader_.BeginUntilClose();
  }
  if (!keep_alive_ && !draining_) {
    draining_ = true;
    events_.OnDraining();
  }
  state_ = State::kBody;
  const StreamId id = id_;
  if (tunnel) {
    events_.OnResponseHead(id, false);
    if (state_ != State::kTunnel) finished_ = true;
    return nullptr;
  }
  events_.OnResponseHead(id, !has_body);
  if (!has_body && !finished_) EndResponse(in);
  return nullptr;
}

void Http1ClientCodec::EndResponse(Buffer& in) {
  response_done_ = true;
  // Bytes that nobody asked for are behind it: this answer is good, the next would not be.
  if (!request_done_ || !in.empty()) keep_alive_ = false;
  EndExchange();
  events_.OnEnd(id_);
}

void Http1ClientCodec::EndExchange() {
  state_ = State::kIdle;
  if (!keep_alive_ || draining_ || peer_ended_ || body_writer_.broken()) finished_ = true;
}

Result<void> Http1ClientCodec::FeedEnd() {
  peer_ended_ = true;
  if (finished_) return {};
  switch (state_) {
    case State::kIdle:
      finished_ = true;
      return {};
    case State::kAwait:
      finished_ = true;
      if (informational_ > 0) break;
      return sluice::Fail(Code::kClosed, std::string(kTerminated), Side::kUpstream,
                          Retry::kIfReused);
    case State::kHead:
      finished_ = true;
      break;
    case State::kBody:
      finished_ = true;
      if (body_reader_.mode() != BodyReader::Mode::kUntilClose) break;
      response_done_ = true;
      state_ = State::kIdle;
      events_.OnEnd(id_);
      return {};
    case State::kTunnel:
      if (response_done_) return {};
      response_done_ = true;
      if (request_done_) finished_ = true;
      events_.OnEnd(id_);
      return {};
  }
  return sluice::Fail(Code::kClosed, std::string(kTerminated), Side::kUpstream);
}

StreamId Http1ClientCodec::EncodeHead(const RequestHead& head, bool end, Buffer& out) {
  CHECK(CanOpen());
  ++id_;
  state_ = State::kAwait;
  method_ = head.method();
  informational_ = 0;
  request_done_ = response_done_ = false;
  const bool connect = head.method() == Method::kConnect;
  asked_upgrade_ = !connect && !head.upgrade.empty();

  HeadWriter::Keep keep;
  keep.upgrade = asked_upgrade_;
  bool zero = false;
  bool chunked = false;
  const int64_t length = AnnouncedLength(head.headers);
  if (connect || (asked_upgrade_ && length < 0)) {
    body_writer_.Begin(BodyWriter::Mode::kNone);
  } else if (length == 0 || (length > 0 && !end)) {
    keep.content_length = true;
    body_writer_.Begin(BodyWriter::Mode::kLength, static_cast<uint64_t>(length));
  } else if (end) {
    zero = length >= 0 || ExpectsBody(head.method());
    body_writer_.Begin(BodyWriter::Mode::kNone);
  } else {
    chunked = true;
    body_writer_.Begin(BodyWriter::Mode::kChunked);
  }

  const std::string_view target = SafeTarget(head);
  const std::string_view method = IsToken(head.method_name()) ? head.method_name() : "GET";
  HeadWriter writer(out, &head.headers,
                    160 + method.size() + target.size() + head.authority.size());
  writer.Put(method);
  writer.Put(" ");
  writer.Put(target);
  writer.Put(" HTTP/1.1\r\n");
  if (!head.headers.Has(HeaderId::kHost)) {
    writer.Put("host: ");
    if (IsFieldValue(head.authority)) writer.Put(head.authority);
    writer.Put("\r\n");
  }
  writer.PutFields(head.headers, head.bytes.view(), keep);
  if (zero) writer.Put("content-length: 0\r\n");
  if (chunked) writer.Put("transfer-encoding: chunked\r\n");
  const bool te = head.headers.Has(HeaderId::kTe);
  if (asked_upgrade_) {
    te ? writer.Put("connection: upgrade, te\r\n") : writer.Put("connection: upgrade\r\n");
  } else if (te) {
    writer.Put("connection: te\r\n");
  }
  writer.Finish();
  return id_;
}

void Http1ClientCodec::EncodeBody(StreamId id, Buffer& data, Buffer& out) {
  if (id != id_ || request_done_) return data.Clear();
  body_writer_.Write(data, out);
}

void Http1ClientCodec::EncodeEnd(StreamId id, const Headers* trailers, Buffer& out) {
  if (id != id_ || request_done_) return;
  const bool tunnel = state_ == State::kTunnel;
  body_writer_.End(trailers, out);
  request_done_ = true;
  if (tunnel ? response_done_ : body_writer_.broken()) finished_ = true;
}

void Http1ClientCodec::EncodeReset(StreamId id, Code, Buffer&) {
  if (id == id_) finished_ = true;
}

void Http1ClientCodec::Tunnel(StreamId id) {
  if (id != id_ || finished_ || state_ != State::kBody) return;
  state_ = State::kTunnel;
  request_done_ = false;
  body_writer_.Begin(BodyWriter::Mode::kRaw);
}

void Http1ClientCodec::Drain(Buffer&) {
  draining_ = true;
  if (state_ == State::kIdle) finished_ = true;
}

}  // namespace sluice::http1

namespace sluice {

std::unique_ptr<ClientCodec> NewHttp1ClientCodec(ClientEvents& events, const CodecLimits& limits) {
  return std::make_unique<http1::Http1ClientCodec>(events, limits);
}

}  // namespace sluice
