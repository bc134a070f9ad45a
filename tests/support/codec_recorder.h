// Recorders: the owners of a server's and of a client's codec in tests. They write down what the
// codec reports as text that two runs over the same bytes, cut up in different ways, must agree on.
#ifndef SLUICE_TESTS_SUPPORT_CODEC_RECORDER_H_
#define SLUICE_TESTS_SUPPORT_CODEC_RECORDER_H_

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/http/codec.h"

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

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_CODEC_RECORDER_H_
