// Stream: one request and its response on their way through the filters. Owned by its connection;
// made at the request's first byte, destroyed when the response has gone to the connection's output
// and nothing of it is on the stack. Its memory comes from the thread's free list; the arena that
// everything of the stream lives in stands behind it in the same chunk.
//
//   codec -> stream -> filters -> last filter -> stream -> filters in reverse -> codec
#ifndef SLUICE_CORE_PROXY_STREAM_H_
#define SLUICE_CORE_PROXY_STREAM_H_

#include <cstddef>
#include <cstdint>

#include "core/base/arena.h"
#include "core/base/intrusive_list.h"
#include "core/event/loop.h"
#include "core/filter/chain.h"
#include "core/filter/last_filter.h"
#include "core/http/body_length.h"
#include "core/http/codec.h"
#include "core/proxy/listener_runtime.h"

namespace sluice {

class ServerConnection;
struct EdgeInput;

class Stream final : public ListNode<>, private ChainOwner, private Responder {
 public:
  // With the arena's first bytes behind the object.
  static constexpr size_t kChunk = 8192;

  Stream(ServerConnection& connection, ListenerRuntime& runtime, StreamId id);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  static void* operator new(size_t size);
  static void operator delete(void* memory);

  StreamId id() const { return id_; }
  RequestHead& head() { return request_head_; }
  const StreamInfo& info() const { return info_; }

  // From the connection's codec.
  void OnHead(bool end);
  void OnBody(Slice data);
  void OnTrailers(Headers& trailers);
  void OnEnd();
  // The head cannot be taken, or the body's framing broke: answered if it still can be. Says
  // whether an answer is on its way.
  bool OnProtocolError(const Error& error);
  // The client is gone, or reset the stream.
  void OnClientGone(ResponseFlag flag, std::string_view details);
  // The connection's output has room again.
  void OnWritable();
  // The client's window has: what waited for it may go on.
  void OnEncodeMore();

  // Time-outs that count from the last thing that moved; looked at by the connection's one timer.
  // Returns when to look again; 0: never.
  Nanos CheckTimeouts(Nanos now);
  void OnHeadTimeout();

  bool head_complete() const { return head_complete_; }
  // Body bytes wait that the filters do not want yet: an HTTP/1 connection is not read meanwhile.
  bool holds_input() const { return !request_pending_.empty() && !request_wanted_; }
  bool finished() const { return finished_; }
  // The request was not received whole.
  bool request_open() const { return request_end_ == RequestEnd::kOpen; }

 private:
  enum class ResponseState : uint8_t { kNone, kStarted, kHeadSent, kEnded };
  // Of the body, or of the client's way through a tunnel.
  enum class RequestEnd : uint8_t {
    kOpen,
    kCame,    // from the codec
    kPassed,  // to the chain
  };
  // Is the response's next piece wanted?
  enum class Demand : uint8_t {
    kNone,
    kSeen,    // yes, and the last filter knows, or is sending and looks next
    kUntold,  // yes, and the last filter is to be told
  };

  // ChainOwner
  void OnHeadersPassed(Direction direction, bool end) override;
  void OnBodyPassed(Direction direction, Buffer& data, bool end, Headers* trailers) override;
  void Pull(Direction direction) override;
  void OnFilterReply(LocalReply reply) override;
  void OnFilterAbort(Error error) override;
  RequestHead& request_head() override { return request_head_; }
  ResponseHead& response_head() override { return response_head_; }
  StreamInfo& stream_info() override { return info_; }
  Arena& stream_arena() override { return arena_; }
  Loop& stream_loop() override;
  Random& stream_random() override;
  void Reroute() override;

  // Responder
  void PullRequestBody() override;
  void SendInformational(uint16_t status, const Headers& headers) override;
  void StartResponse(bool end) override;
  bool response_wanted() const override;
  void SendBody(Buffer&& data, bool end, Headers* trailers) override;
  void Reply(LocalReply reply) override;
  void AbortResponse(Error error) override;
  void Tunnel() override;
  void EndTunnel() override;

  // How long nothing may move; 0: forever.
  Nanos IdleTimeout() const;
  void StartTunnel();
  void ShowBrokenHead();
  EdgeInput Edge() const;
  Nanos LastMoved() const;
  // Nothing moved for too long. Returns 0.
  Nanos TimeOut(uint16_t status, std::string_view body, std::string_view details);
  void MatchRoute();
  void PrepareUpgrade();
  void StartLocalReply(LocalReply reply);
  void ReplaceResponse();
  void RefuseBody();
  void AbandonLastFilter();
  void PumpRequest();
  void PumpResponse();
  bool LeavesRequestUnread() const;
  void FinishResponseHead();
  void WantResponse(bool source_looks);
  void EncodeBody(Buffer& data, bool end, Headers* trailers);
  void EncodePiece(Buffer& data);
  void ConsumedRequest(size_t bytes);
  void Touch();
  void EndResponse();
  void Abort(ResponseFlag flag, std::string_view details, bool reset);
  void Finish();
  void Leave();
  void CountResponse();

  ServerConnection& connection_;
  ListenerRuntime& runtime_;
  const StreamId id_;
  ResponseState response_ = ResponseState::kNone;
  bool head_complete_ = false;
  RequestEnd request_end_ = RequestEnd::kOpen;
  Demand demand_ = Demand::kNone;
  bool request_wanted_ = false;  // someone waits for the next piece of the body
  bool expects_continue_ = false;
  bool source_calls_ = false;  // the last filter is inside StartResponse or SendBody
  bool local_ = false;         // the response is our own
  bool local_end_due_ = false;
  bool response_piece_end_ = false;  // the piece that is encoded now is the last
  bool last_active_ = false;         // the last filter works on the request
  bool tunnel_ = false;
  bool tunnel_over_ = false;  // nothing comes from the client's side any more
  bool tunnel_due_ = false;   // when the head has gone out
  bool finished_ = false;
  Nanos last_activity_;
  const HeaderChanges* local_changes_ = nullptr;
  Headers* request_trailers_ = nullptr;
  ArenaPtr<LastFilter> last_;
  Buffer request_pending_;
  Buffer response_rest_;  // of the last piece: it waits for the client's window
  Buffer local_body_;
  BodyLength response_length_;
  Task request_task_;
  Task response_task_;
  Task finish_task_;
  Arena arena_;
  RequestHead request_head_;
  ResponseHead response_head_;
  StreamInfo info_;
  FilterChain chain_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_STREAM_H_
