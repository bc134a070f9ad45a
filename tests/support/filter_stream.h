// FilterStream: one request and its response on their way through a chain under test, in place of
// the proxy's stream: the test plays the client, the upstream and both sinks. Made by
// FilterHarness.
//
//   auto stream = harness.NewStream();
//   stream->Get("/", {{"origin", "https://a.example"}});
//   ASSERT_TRUE(stream->request_out().headers);          // it reached the last filter
//   stream->Respond(200, {{"content-type", "text/plain"}}, "hello");
//   EXPECT_EQ(stream->response_out().body, "hello");     // what the client got
//
// Bodies are pulled as in the proxy: a piece goes in when the chain can take it and the sink took
// the last one; pieces that are given earlier wait. A sink takes at once unless it is held.
#ifndef SLUICE_TESTS_SUPPORT_FILTER_STREAM_H_
#define SLUICE_TESTS_SUPPORT_FILTER_STREAM_H_

#include <deque>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/arena.h"
#include "core/base/buffer.h"
#include "core/event/loop.h"
#include "core/filter/chain.h"
#include "core/filter/local_reply.h"
#include "core/filter/stream_info.h"
#include "core/http/message.h"

namespace sluice {

class FilterHarness;

using HeaderList = std::vector<std::pair<std::string, std::string>>;

class FilterStream final : private ChainOwner {
 public:
  // What came out behind the last filter of a direction.
  struct Out {
    bool headers = false;  // the head passed
    bool ended = false;    // all of it did
    std::string body;
    std::vector<std::string> pieces;  // the same, as the sink got it; a lone end is ""
    HeaderList trailers;
    int pulls = 0;  // how often a filter asked for more than the sink did
  };

  // `harness` and `plan` outlive the stream.
  FilterStream(FilterHarness& harness, const ChainPlan& plan, const ConnectionInfo& connection);
  ~FilterStream();

  // The heads and what is known, to fill in before the head goes in. info() has a client 192.0.2.1.
  RequestHead& request() { return request_; }
  ResponseHead& response() { return response_; }
  StreamInfo& info() { return info_; }
  Arena& arena() { return arena_; }

  // Fills the request's head. Host is a.example unless `headers` has one.
  void SetRequest(std::string_view method, std::string_view path, const HeaderList& headers = {});
  void RequestHeaders(bool end);
  void RequestBody(std::string_view data, bool end = false);
  // Ends the body.
  void RequestTrailers(const HeaderList& trailers);
  // A whole request.
  void Get(std::string_view path, const HeaderList& headers = {});
  void Post(std::string_view path, const HeaderList& headers, std::string_view body);

  // The upstream answers.
  void SetResponse(uint16_t status, const HeaderList& headers = {});
  void ResponseHeaders(bool end);
  void ResponseBody(std::string_view data, bool end = false);
  void ResponseTrailers(const HeaderList& trailers);
  // A whole response.
  void Respond(uint16_t status, const HeaderList& headers = {}, std::string_view body = {});

  // The sink takes nothing but what is asked for by Take.
  void Hold(Direction direction) { side(direction).held = true; }
  // Takes one more piece, when there is one.
  void Take(Direction direction);

  const Out& request_out() const { return sides_[0].out; }
  const Out& response_out() const { return sides_[1].out; }
  // The last answer that a filter gave; null if none did. It passes the response's filters by
  // itself.
  const LocalReply* reply() const { return reply_ ? &*reply_ : nullptr; }
  const Error* aborted() const { return aborted_ ? &*aborted_ : nullptr; }
  int replies() const { return replies_; }
  int reroutes() const { return reroutes_; }
  // A filter paused and was not resumed.
  bool paused(Direction direction) const { return chain_.IsPaused(direction); }

  // The stream is over: OnComplete of each filter. At the latest in the destructor.
  void Finish();
  // The client is gone: the filters are destroyed without another hook but OnComplete.
  void Cancel();

  FilterChain& chain() { return chain_; }

 private:
  struct Piece {
    Buffer data;
    bool end;
    Headers* trailers;
  };
  struct Side {
    std::deque<Piece> source;
    bool wanted = false;
    bool held = false;
    Out out;
  };

  void OnHeadersPassed(Direction direction, bool end) override;
  void OnBodyPassed(Direction direction, Buffer& data, bool end, Headers* trailers) override;
  void Pull(Direction direction) override;
  void OnFilterReply(LocalReply reply) override;
  void OnFilterAbort(Error error) override;
  RequestHead& request_head() override { return request_; }
  ResponseHead& response_head() override { return response_; }
  StreamInfo& stream_info() override { return info_; }
  Arena& stream_arena() override { return arena_; }
  Loop& stream_loop() override;
  Random& stream_random() override;
  void Reroute() override { ++reroutes_; }

  Side& side(Direction direction) { return sides_[static_cast<size_t>(direction)]; }
  void Add(Direction direction, std::string_view data, bool end, Headers* trailers);
  Headers* MakeTrailers(const HeaderList& trailers);
  void RunTasks();
  void Pump();
  bool PumpOne(Direction direction);

  FilterHarness& harness_;
  Arena arena_;
  StreamInfo info_;
  RequestHead request_;
  ResponseHead response_;
  Side sides_[2];
  std::vector<ArenaPtr<Headers>> trailers_;
  std::optional<LocalReply> reply_;
  std::optional<Error> aborted_;
  int replies_ = 0;
  int reroutes_ = 0;
  bool over_ = false;
  Task pump_;
  FilterChain chain_;
};

}  // namespace sluice

#endif  // SLUICE_TESTS_SUPPORT_FILTER_STREAM_H_
