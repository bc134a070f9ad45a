#include "tests/support/multiplex_codec.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "core/base/check.h"
#include "core/base/strings.h"

namespace sluice::test {
namespace {

// One line off the front of `text`.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::string_view TakeWord(std::string_view& line) {
  const size_t end = std::min(line.find(' '), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

void TakeFields(std::string_view text, Headers& headers) {
  while (!text.empty()) {
    const std::string_view line = TakeLine(text);
    const size_t colon = line.find(": ");
    if (colon == std::string_view::npos || colon == 0) continue;
    headers.Add(line.substr(0, colon), line.substr(colon + 2));
  }
}

std::string FieldLines(const Headers& headers) {
  std::string lines;
  headers.ForEach([&](const Headers::Entry& entry) {
    lines += StrCat({entry.name, ": ", entry.value, "\n"});
  });
  return lines;
}

std::optional<uint64_t> LengthOf(const Headers& headers, bool end) {
  if (end) return 0;
  const auto field = headers.Get(HeaderId::kContentLength);
  if (!field) return {};
  uint64_t length = 0;
  std::from_chars(field->data(), field->data() + field->size(), length);
  return length;
}

// What both roles share. `Owner` is the role: it knows what a head is.
class Streams {
 public:
  struct State {
    uint32_t window = 0;  // bytes that we may send
    bool waits = false;   // OnEncodeMore is due when the window opens
    bool we_ended = false;
    bool peer_ended = false;
    bool upgrade = false;  // asked for: the ends of the tunnel are to come
    bool tunnel = false;
    Arena* arena = nullptr;  // of the head that is read
    uint32_t unread = 0;     // bytes that came and were not Consumed
  };

  explicit Streams(CodecEvents& events) : events_(events) {
    AppendFrame(0, FrameType::kHello, FrameNumber(kMultiplexWindow), control_);
  }
  virtual ~Streams() = default;

  Result<void> Feed(Buffer& in) {
    for (;;) {
      Frame frame;
      size_t size = 0;
      if (!ParseFrame(in.Flatten(), frame, size)) return {};
      in.Consume(size);
      SLUICE_TRY(OnFrame(frame));
    }
  }

  Result<void> FeedEnd() {
    if (streams_.empty()) return {};
    return Fail(Code::kClosed, "multiplex.closed", Side::kInternal, Retry::kIfReused);
  }

  void EncodeBody(StreamId id, Buffer& data, Buffer& out) {
    State* state = Find(id);
    if (state == nullptr || state->we_ended) return data.Clear();
    const size_t bytes = std::min<size_t>(state->window, data.size());
    if (bytes > 0) {
      Buffer piece;
      piece.MoveFrom(data, bytes);
      Append(id, FrameType::kBody, piece.ToString(), out);
      state->window -= static_cast<uint32_t>(bytes);
    }
    state->waits = !data.empty();
  }

  void EncodeEnd(StreamId id, const Headers* trailers, Buffer& out) {
    State* state = Find(id);
    if (state == nullptr || state->we_ended) return;
    // Bytes that wait must not be overtaken by their end.
    CHECK(!state->waits);
    if (state->upgrade && !state->tunnel) return;
    state->we_ended = true;
    Append(id, FrameType::kEnd, trailers == nullptr ? "" : FieldLines(*trailers), out);
    EraseIfOver(id);
  }

  void EncodeReset(StreamId id, Code code, Buffer& out) {
    if (Find(id) == nullptr) return;
    Append(id, FrameType::kReset, std::string(1, static_cast<char>(code)), out);
    streams_.erase(id);
  }

  void Consumed(StreamId id, size_t bytes, Buffer& out) {
    State* state = Find(id);
    if (state == nullptr || bytes == 0) return;
    CHECK(bytes <= state->unread);  // each byte counts once
    state->unread -= static_cast<uint32_t>(bytes);
    if (!state->peer_ended) {
      Append(id, FrameType::kWindow, FrameNumber(static_cast<uint32_t>(bytes)), out);
    }
  }

  void Tunnel(StreamId id) {
    State* state = Find(id);
    CHECK(state != nullptr && state->upgrade && !state->tunnel);
    state->tunnel = true;
  }

  void TakeControl(Buffer& out) {
    out.Append(std::string_view(control_));
    control_.clear();
  }

 protected:
  virtual Result<void> OnHead(const Frame& frame, bool end) = 0;
  virtual void OnPeerDrains() = 0;

  State* Find(StreamId id) {
    const auto found = streams_.find(id);
    return found == streams_.end() ? nullptr : &found->second;
  }
  static void Append(StreamId id, FrameType type, std::string_view payload, Buffer& out) {
    std::string bytes;
    AppendFrame(id, type, payload, bytes);
    out.Append(std::string_view(bytes));
  }
  void EraseIfOver(StreamId id) {
    const State* state = Find(id);
    if (state != nullptr && state->we_ended && state->peer_ended) streams_.erase(id);
  }
  Result<void> Broken(std::string_view detail) {
    AppendFrame(0, FrameType::kDrain, detail, control_);
    return Fail(Code::kProtocol, StrCat({"multiplex.", detail}));
  }

  CodecEvents& events_;
  std::map<StreamId, State> streams_;
  uint32_t peer_window_ = 0;
  std::string control_;

 private:
  Result<void> OnFrame(const Frame& frame) {
    State* state = Find(frame.stream);
    switch (frame.type) {
      case FrameType::kHello:
        peer_window_ = ParseFrameNumber(frame.payload);
        return {};
      case FrameType::kPing:
        AppendFrame(0, FrameType::kPong, frame.payload, control_);
        return {};
      case FrameType::kPong:
        return {};
      case FrameType::kDrain:
        OnPeerDrains();
        return {};
      case FrameType::kHead:
      case FrameType::kHeadEnd:
      case FrameType::kInform:
        return OnHead(frame, frame.type == FrameType::kHeadEnd);
      case FrameType::kBody:
        if (state == nullptr) return {};  // it was reset meanwhile
        if (frame.payload.size() > kMultiplexWindow - state->unread) return Broken("window");
        if (state->arena == nullptr || (state->upgrade && !state->tunnel)) return Broken("body");
        state->unread += static_cast<uint32_t>(frame.payload.size());
        events_.OnBody(frame.stream, Slice::Copy(frame.payload));
        return {};
      case FrameType::kEnd:
        OnEndFrame(frame, state);
        return {};
      case FrameType::kReset:
        if (state == nullptr) return {};
        streams_.erase(frame.stream);
        events_.OnReset(frame.stream,
                        Error{Code::kReset, Side::kInternal, Retry::kNever, "multiplex.reset"});
        return {};
      case FrameType::kWindow:
        if (state == nullptr) return {};
        state->window += ParseFrameNumber(frame.payload);
        if (std::exchange(state->waits, false)) events_.OnEncodeMore(frame.stream);
        return {};
    }
    return Broken("frame");
  }

  void OnEndFrame(const Frame& frame, State* state) {
    if (state == nullptr || state->peer_ended) return;
    if (!frame.payload.empty()) {
      Headers* trailers = state->arena->Make<Headers>(*state->arena).release();
      TakeFields(frame.payload, *trailers);
      events_.OnTrailers(frame.stream, *trailers);
      if ((state = Find(frame.stream)) == nullptr) return;
    }
    state->peer_ended = true;
    events_.OnEnd(frame.stream);
    EraseIfOver(frame.stream);
  }
};

class MultiplexServerCodec final : public ServerCodec, private Streams {
 public:
  explicit MultiplexServerCodec(ServerEvents& events) : Streams(events), server_events_(events) {}

  Result<void> Feed(Buffer& in) override { return Streams::Feed(in); }
  Result<void> FeedEnd() override { return Streams::FeedEnd(); }
  bool WantsInput() const override { return true; }
  void TakeControl(Buffer& out) override { Streams::TakeControl(out); }
  void EncodeBody(StreamId id, Buffer& data, Buffer& out) override {
    Streams::EncodeBody(id, data, out);
  }
  void EncodeEnd(StreamId id, const Headers* trailers, Buffer& out) override {
    Streams::EncodeEnd(id, trailers, out);
  }
  void EncodeReset(StreamId id, Code code, Buffer& out) override {
    Streams::EncodeReset(id, code, out);
  }
  bool CanReset() const override { return true; }
  void Consumed(StreamId id, size_t bytes, Buffer& out) override {
    Streams::Consumed(id, bytes, out);
  }
  void Tunnel(StreamId id) override { Streams::Tunnel(id); }
  void Drain(Buffer& out) override {
    if (!std::exchange(draining_, true)) Append(0, FrameType::kDrain, "", out);
  }
  bool Finished() const override { return draining_ && streams_.empty(); }

  void EncodeInformational(StreamId id, uint16_t status, const Headers* headers,
                           Buffer& out) override {
    if (Find(id) == nullptr) return;
    Append(id, FrameType::kInform,
           StrCat({std::to_string(status), "\n", headers == nullptr ? "" : FieldLines(*headers)}),
           out);
  }
  void EncodeHead(StreamId id, const ResponseHead& head, bool end, Buffer& out) override {
    State* state = Find(id);
    if (state == nullptr) return;
    const bool tunnel = head.status == 101 || head.status / 100 == 2;
    if (state->upgrade && !tunnel) state->upgrade = false;
    Append(id, FrameType::kHead,
           StrCat({std::to_string(head.status), "\n", FieldLines(head.headers)}), out);
    static_cast<void>(end);  // EncodeEnd follows
  }

 private:
  Result<void> OnHead(const Frame& frame, bool end) override {
    if (frame.type == FrameType::kInform || frame.stream <= last_id_) return Broken("head");
    last_id_ = frame.stream;
    if (draining_) {  // too late: the client may try elsewhere
      AppendFrame(frame.stream, FrameType::kReset, "r", control_);
      return {};
    }
    State& state = streams_[frame.stream];
    state.window = peer_window_;
    RequestHead& head = server_events_.OnRequestBegin(frame.stream);
    Arena& arena = head.headers.arena();
    state.arena = &arena;
    std::string_view text = arena.Copy(frame.payload);
    std::string_view line = TakeLine(text);
    head.SetMethod(TakeWord(line));
    head.path = TakeWord(line);
    head.authority = TakeWord(line);
    head.scheme = "http";
    head.protocol = Protocol::kHttp2;
    head.wire_size = frame.payload.size();
    TakeFields(text, head.headers);
    head.headers.SetView(HeaderId::kHost, head.authority);
    head.upgrade = head.method() == Method::kConnect
                       ? "connect"
                       : head.headers.Get(HeaderId::kUpgrade).value_or("");
    state.upgrade = !head.upgrade.empty();
    head.content_length = LengthOf(head.headers, end);
    const bool whole = end || state.upgrade;
    // A tunnel's end comes later, with another event.
    state.peer_ended = whole && !state.upgrade;
    if (head.path.empty() && head.method() != Method::kConnect) {  // broken on this stream alone
      state.peer_ended = true;
      server_events_.OnReset(frame.stream, Error{Code::kProtocol, Side::kDownstream, Retry::kNever,
                                                 "multiplex.no_path"});
      return {};
    }
    server_events_.OnRequestHead(frame.stream, whole);
    if (whole && Find(frame.stream) != nullptr) server_events_.OnEnd(frame.stream);
    EraseIfOver(frame.stream);
    return {};
  }
  void OnPeerDrains() override {}

  ServerEvents& server_events_;
  StreamId last_id_ = 0;
  bool draining_ = false;
};

class MultiplexClientCodec final : public ClientCodec, private Streams {
 public:
  explicit MultiplexClientCodec(ClientEvents& events) : Streams(events), client_events_(events) {
    peer_window_ = kMultiplexWindow;  // until its kHello, as HTTP/2 has a default
  }

  Result<void> Feed(Buffer& in) override { return Streams::Feed(in); }
  Result<void> FeedEnd() override { return Streams::FeedEnd(); }
  bool WantsInput() const override { return true; }
  void TakeControl(Buffer& out) override { Streams::TakeControl(out); }
  void EncodeBody(StreamId id, Buffer& data, Buffer& out) override {
    Streams::EncodeBody(id, data, out);
  }
  void EncodeEnd(StreamId id, const Headers* trailers, Buffer& out) override {
    Streams::EncodeEnd(id, trailers, out);
  }
  void EncodeReset(StreamId id, Code code, Buffer& out) override {
    Streams::EncodeReset(id, code, out);
  }
  bool CanReset() const override { return true; }
  void Consumed(StreamId id, size_t bytes, Buffer& out) override {
    Streams::Consumed(id, bytes, out);
  }
  void Tunnel(StreamId id) override { Streams::Tunnel(id); }
  void Drain(Buffer&) override { draining_ = true; }
  bool Finished() const override { return draining_ && streams_.empty(); }
  bool CanOpen() const override { return !draining_ && streams_.size() < kMultiplexStreams; }
  uint32_t PeerIdleSeconds() const override { return 0; }

  StreamId EncodeHead(const RequestHead& head, bool end, Buffer& out) override {
    CHECK(CanOpen());
    const StreamId id = ++last_id_;
    State& state = streams_[id];
    state.window = peer_window_;
    state.upgrade = !head.upgrade.empty();
    Append(id, FrameType::kHead,
           StrCat({head.method_name(), " ", head.path, " ", head.authority, "\n",
                   FieldLines(head.headers)}),
           out);
    static_cast<void>(end);  // EncodeEnd follows
    return id;
  }

 private:
  Result<void> OnHead(const Frame& frame, bool end) override {
    State* state = Find(frame.stream);
    if (state == nullptr) return {};  // given up meanwhile
    ResponseHead& head = client_events_.OnResponseBegin(frame.stream);
    Arena& arena = head.headers.arena();
    std::string_view text = arena.Copy(frame.payload);
    const std::string_view line = TakeLine(text);
    std::from_chars(line.data(), line.data() + line.size(), head.status);
    head.protocol = Protocol::kHttp2;
    head.reason = {};
    head.wire_size = frame.payload.size();
    TakeFields(text, head.headers);
    if (frame.type == FrameType::kInform) {
      client_events_.OnInformational(frame.stream);
      return {};
    }
    if (state->arena != nullptr) return Broken("second_head");
    state->arena = &arena;
    head.content_length = LengthOf(head.headers, end);
    if (state->upgrade && head.status != 101 && head.status / 100 != 2) {
      state->upgrade = false;
      state->we_ended = true;  // what was held back for the tunnel
      AppendFrame(frame.stream, FrameType::kEnd, "", control_);
    }
    state->peer_ended = end;
    client_events_.OnResponseHead(frame.stream, end);
    if (end && Find(frame.stream) != nullptr) client_events_.OnEnd(frame.stream);
    EraseIfOver(frame.stream);
    return {};
  }
  void OnPeerDrains() override {
    draining_ = true;
    client_events_.OnDraining();
  }

  ClientEvents& client_events_;
  StreamId last_id_ = 0;
  bool draining_ = false;
};

}  // namespace

std::string FrameNumber(uint32_t number) {
  std::string bytes;
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>((number >> shift) & 0xff));
  }
  return bytes;
}

uint32_t ParseFrameNumber(std::string_view bytes) {
  uint32_t number = 0;
  for (size_t i = 0; i < 4 && i < bytes.size(); ++i) {
    number = (number << 8) | static_cast<unsigned char>(bytes[i]);
  }
  return number;
}

void AppendFrame(StreamId stream, FrameType type, std::string_view payload, std::string& out) {
  out += FrameNumber(stream);
  out.push_back(static_cast<char>(type));
  out += FrameNumber(static_cast<uint32_t>(payload.size()));
  out += payload;
}

bool ParseFrame(std::string_view bytes, Frame& frame, size_t& size) {
  if (bytes.size() < kFrameHead) return false;
  const uint32_t length = ParseFrameNumber(bytes.substr(5));
  if (bytes.size() - kFrameHead < length) return false;
  frame.stream = ParseFrameNumber(bytes);
  frame.type = static_cast<FrameType>(bytes[4]);
  frame.payload = bytes.substr(kFrameHead, length);
  size = kFrameHead + length;
  return true;
}

std::unique_ptr<ServerCodec> NewMultiplexServerCodec(ServerEvents& events, const CodecLimits&) {
  return std::make_unique<MultiplexServerCodec>(events);
}

std::unique_ptr<ClientCodec> NewMultiplexClientCodec(ClientEvents& events, const CodecLimits&) {
  return std::make_unique<MultiplexClientCodec>(events);
}

}  // namespace sluice::test
