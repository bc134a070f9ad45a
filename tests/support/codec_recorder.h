// Recorders: the owners of a server's and of a client's codec in tests. They write down what the
// codec reports as text that two runs over the same bytes, cut up in different ways, must agree on.
#ifndef SLUICE_TESTS_SUPPORT_CODEC_RECORDER_H_
#define SLUICE_TESTS_SUPPORT_CODEC_RECORDER_H_

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/strings.h"
#include "core/http/codec.h"
#include "core/http/status.h"

namespace sluice::test {

// How bytes come into the read buffer.
enum class Cut {
  kWhole,   // all at once
  kGrow,    // byte by byte, into one slice that grows
  kSlices,  // byte by byte, each in a slice of its own
};
inline constexpr Cut kCuts[] = {Cut::kWhole, Cut::kGrow, Cut::kSlices};
const char* CutName(Cut cut);

struct RecordedMessage {
  explicit RecordedMessage(StreamId stream) : id(stream), request(arena), response(arena) {}
  StreamId id;
  Arena arena;
  RequestHead request;
  ResponseHead response;
};

// "content-length 5 |name=value|name=value"
std::string Fields(const Headers& headers);

class ServerRecorder final : public ServerEvents {
 public:
  explicit ServerRecorder(const CodecLimits& limits = {})
      : codec(NewHttp1ServerCodec(*this, limits)) {}

  RequestHead& OnRequestBegin(StreamId id) override;
  void OnRequestHead(StreamId id, bool end) override;
  void OnBody(StreamId id, Slice data) override;
  void OnTrailers(StreamId id, Headers& trailers) override;
  void OnEnd(StreamId id) override;
  void OnReset(StreamId id, const Error& error) override;
  void OnEncodeMore(StreamId id) override;

  // Feeds `bytes`, answering each request with `answer` when it ended (nothing if it is null),
  // until an error, the codec's end or the end of the bytes. Then says that the peer ended, if
  // `end`.
  void Run(std::string_view bytes, Cut cut, bool end = false);

  std::unique_ptr<ServerCodec> codec;
  std::function<void(ServerRecorder&, StreamId)> answer;   // called when a request has ended
  std::function<void(ServerRecorder&, StreamId)> on_head;  // inside OnRequestHead
  std::string log;                                         // one event a line
  std::string body;                                        // of the last message
  std::string error;  // "400 detail" of the error that ended it
  Error last_error;
  Buffer in;
  Buffer out;
  std::deque<std::unique_ptr<RecordedMessage>> messages;

 private:
  bool Step();
  void EndBody();

  bool ended_ = false;  // a request ended and is not answered yet
  bool failed_ = false;
};

class ClientRecorder final : public ClientEvents {
 public:
  explicit ClientRecorder(const CodecLimits& limits = {})
      : codec(NewHttp1ClientCodec(*this, limits)) {}

  ResponseHead& OnResponseBegin(StreamId id) override;
  void OnInformational(StreamId id) override;
  void OnResponseHead(StreamId id, bool end) override;
  void OnDraining() override { log += "draining\n"; }
  void OnBody(StreamId id, Slice data) override;
  void OnTrailers(StreamId id, Headers& trailers) override;
  void OnEnd(StreamId id) override;
  void OnReset(StreamId id, const Error& error) override;
  void OnEncodeMore(StreamId id) override;

  // Sends a request without a body.
  StreamId Request(Method method, std::string_view upgrade = {});
  void Run(std::string_view bytes, Cut cut, bool end = false);

  std::unique_ptr<ClientCodec> codec;
  std::function<void(ClientRecorder&, StreamId)> on_head;  // inside OnResponseHead
  std::string log;
  std::string body;
  std::string error;
  Error last_error;
  Buffer in;
  Buffer out;
  std::deque<std::unique_ptr<RecordedMessage>> messages;

 private:
  void Fail(const Error& error);
  void EndBody();

  bool failed_ = false;
};

// Appends `bytes` as a slice of its own.
void AppendSlice(Buffer& in, std::string_view bytes);

// ---- definitions: in the header, so that fuzz targets need no library of tests ----

namespace recorder {

inline std::string HeadText(std::string_view first, const Headers& headers,
                            const std::optional<uint64_t>& length, bool end, const Slice& bytes,
                            size_t wire_size) {
  std::string text = StrCat(
      {first, end ? " end" : "", " length=", length ? std::to_string(*length) : std::string("?"),
       " wire=", std::to_string(wire_size), bytes.size() == wire_size ? "" : " BYTES?", " ",
       Fields(headers), "\n"});
  return text;
}

// Calls step() after each arrival, until it says false.
template <typename Step>
inline void Arrive(Buffer& in, std::string_view bytes, Cut cut, Step step) {
  switch (cut) {
    case Cut::kWhole:
      if (!bytes.empty()) AppendSlice(in, bytes);
      step();
      break;
    case Cut::kGrow:
      for (char c : bytes) {
        in.Append(std::string_view(&c, 1));
        if (!step()) return;
      }
      break;
    case Cut::kSlices:
      for (char c : bytes) {
        AppendSlice(in, std::string_view(&c, 1));
        if (!step()) return;
      }
      break;
  }
}

}  // namespace recorder

inline const char* CutName(Cut cut) {
  switch (cut) {
    case Cut::kWhole:
      return "whole";
    case Cut::kGrow:
      return "one slice that grows";
    case Cut::kSlices:
      return "a slice a byte";
  }
  return "";
}

inline std::string Fields(const Headers& headers) {
  std::string text;
  headers.ForEach([&](const Headers::Entry& entry) {
    text += StrCat({"|", entry.name, "=", entry.value});
    if (headers.Get(entry.name) == std::nullopt) text += " NOT FOUND";
    if (entry.id != FindHeaderId(entry.name)) text += " WRONG ID";
  });
  return text;
}

inline void AppendSlice(Buffer& in, std::string_view bytes) {
  // No room behind it, and no neighbour in its block.
  Block* block = Block::New(static_cast<uint32_t>(bytes.size() + 1));
  std::memcpy(block->data(), bytes.data(), bytes.size());
  block->set_used(static_cast<uint32_t>(bytes.size() + 1));
  in.Append(Slice(block, 0, static_cast<uint32_t>(bytes.size())));
}

inline RequestHead& ServerRecorder::OnRequestBegin(StreamId id) {
  messages.push_back(std::make_unique<RecordedMessage>(id));
  log += StrCat({"begin ", std::to_string(id), "\n"});
  return messages.back()->request;
}

inline void ServerRecorder::OnRequestHead(StreamId id, bool end) {
  RequestHead& head = messages.back()->request;
  log += recorder::HeadText(
      StrCat({"head ", std::to_string(id), " ", head.method_name(), " ", head.scheme,
              head.scheme.empty() ? "" : "://", head.authority, " ", head.path, " ",
              ProtocolName(head.protocol), head.upgrade.empty() ? "" : " upgrade=", head.upgrade,
              head.expects_continue ? " expects" : ""}),
      head.headers, head.content_length, end, head.bytes, head.wire_size);
  if (on_head) on_head(*this, id);
}

inline void ServerRecorder::OnBody(StreamId, Slice data) { body += data.view(); }

inline void ServerRecorder::EndBody() {
  if (!body.empty()) log += StrCat({"body ", body, "\n"});
  body.clear();
}

inline void ServerRecorder::OnTrailers(StreamId id, Headers& trailers) {
  EndBody();
  log += StrCat({"trailers ", std::to_string(id), " ", Fields(trailers), "\n"});
}

inline void ServerRecorder::OnEnd(StreamId id) {
  EndBody();
  log += StrCat({"end ", std::to_string(id), "\n"});
  ended_ = true;
}

inline void ServerRecorder::OnReset(StreamId, const Error&) { log += "reset\n"; }
inline void ServerRecorder::OnEncodeMore(StreamId) { log += "more\n"; }

inline bool ServerRecorder::Step() {
  while (!failed_ && !codec->Finished()) {
    const size_t before = in.size();
    const Result<void> result = codec->Feed(in);
    if (!result) {
      failed_ = true;
      last_error = result.error();
      error = StrCat({std::to_string(StatusOf(last_error)), " ", last_error.detail});
      break;
    }
    if (ended_ && answer) {
      ended_ = false;
      answer(*this, messages.back()->id);
      continue;
    }
    if (in.empty() || in.size() == before) break;
  }
  return !failed_ && !codec->Finished();
}

inline void ServerRecorder::Run(std::string_view bytes, Cut cut, bool end) {
  recorder::Arrive(in, bytes, cut, [&] { return Step(); });
  if (failed_ || !end) return EndBody();
  const Result<void> result = codec->FeedEnd();
  if (!result) {
    last_error = result.error();
    error = StrCat({CodeName(last_error.code), " ", last_error.detail});
  }
  EndBody();
}

inline ResponseHead& ClientRecorder::OnResponseBegin(StreamId id) {
  messages.push_back(std::make_unique<RecordedMessage>(id));
  log += StrCat({"begin ", std::to_string(id), "\n"});
  return messages.back()->response;
}

inline void ClientRecorder::OnInformational(StreamId id) {
  ResponseHead& head = messages.back()->response;
  log += recorder::HeadText(
      StrCat({"informational ", std::to_string(id), " ", std::to_string(head.status)}),
      head.headers, head.content_length, false, head.bytes, head.wire_size);
}

inline void ClientRecorder::OnResponseHead(StreamId id, bool end) {
  ResponseHead& head = messages.back()->response;
  log += recorder::HeadText(StrCat({"head ", std::to_string(id), " ", std::to_string(head.status),
                                    " ", head.reason, " ", ProtocolName(head.protocol)}),
                            head.headers, head.content_length, end, head.bytes, head.wire_size);
  if (on_head) on_head(*this, id);
}

inline void ClientRecorder::OnBody(StreamId, Slice data) { body += data.view(); }

inline void ClientRecorder::EndBody() {
  if (!body.empty()) log += StrCat({"body ", body, "\n"});
  body.clear();
}

inline void ClientRecorder::OnTrailers(StreamId id, Headers& trailers) {
  EndBody();
  log += StrCat({"trailers ", std::to_string(id), " ", Fields(trailers), "\n"});
}

inline void ClientRecorder::OnEnd(StreamId id) {
  EndBody();
  log += StrCat({"end ", std::to_string(id), "\n"});
}

inline void ClientRecorder::OnReset(StreamId, const Error&) { log += "reset\n"; }
inline void ClientRecorder::OnEncodeMore(StreamId) { log += "more\n"; }

inline void ClientRecorder::Fail(const Error& failure) {
  failed_ = true;
  last_error = failure;
  error = StrCat({CodeName(last_error.code), " ", last_error.detail});
}

inline StreamId ClientRecorder::Request(Method method, std::string_view upgrade) {
  Arena arena;
  RequestHead head(arena);
  head.SetMethod(method == Method::kHead ? "HEAD" : method == Method::kConnect ? "CONNECT" : "GET");
  head.authority = method == Method::kConnect ? "a:443" : "a";
  head.path = method == Method::kConnect ? "" : "/";
  head.upgrade = method == Method::kConnect ? "connect" : upgrade;
  head.headers.Add(HeaderId::kHost, "a");
  if (!upgrade.empty()) head.headers.Add(HeaderId::kUpgrade, upgrade);
  const bool open = method == Method::kConnect || !upgrade.empty();
  const StreamId id = codec->EncodeHead(head, !open, out);
  if (!open) codec->EncodeEnd(id, nullptr, out);
  return id;
}

inline void ClientRecorder::Run(std::string_view bytes, Cut cut, bool end) {
  recorder::Arrive(in, bytes, cut, [&] {
    if (const Result<void> result = codec->Feed(in); !result) Fail(result.error());
    return !failed_ && !codec->Finished();
  });
  if (!failed_ && end) {
    if (const Result<void> result = codec->FeedEnd(); !result) Fail(result.error());
  }
  EndBody();
}

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_CODEC_RECORDER_H_
