// ServerConnection: a client's connection: its codec, its streams, its time-outs, its end. Owned by
// its acceptor's list; retires itself. Of the worker's thread.
//
// One timer serves all: it fires at the earliest moment that was of interest when it was armed,
// looks at what is due, and is armed anew. An ordinary request neither arms nor cancels it.
#ifndef SLUICE_CORE_PROXY_SERVER_CONNECTION_H_
#define SLUICE_CORE_PROXY_SERVER_CONNECTION_H_

#include <cstdint>
#include <memory>
#include <string>

#include "core/base/intrusive_list.h"
#include "core/event/loop.h"
#include "core/filter/stream_info.h"
#include "core/http/codec.h"
#include "core/net/connection.h"
#include "core/net/fd.h"
#include "core/proxy/listener_runtime.h"

namespace sluice {

class ServerConnection;
class Stream;

// Whoever accepted the connection.
class ServerConnectionOwner {
 public:
  // It is closed, and out of the lists.
  virtual void OnConnectionClosed(ServerConnection& connection) = 0;

 protected:
  ~ServerConnectionOwner() = default;
};

struct AllConnectionsTag;
struct IdleConnectionsTag;

class ServerConnection final : public Retirable,
                               public ListNode<AllConnectionsTag>,
                               public ListNode<IdleConnectionsTag>,
                               private ConnectionHandler,
                               private ServerEvents {
 public:
  using AllList = List<ServerConnection, AllConnectionsTag>;
  using IdleList = List<ServerConnection, IdleConnectionsTag>;

  // Borrows what is not a value; it outlives the connection. It puts itself into `all`, and into
  // `idle` while it waits for a request (oldest in front), or before all of these, while it
  // lingers. `local`: where it was accepted.
  ServerConnection(ServerConnectionOwner& owner, ListenerRuntime& runtime, AllList& all,
                   IdleList& idle, Fd fd, const Address& peer, const Address& local);
  ~ServerConnection() override;

  // It is the process' own, to itself. REQUIRES: not started.
  void MakeProbe() { info_.probe = true; }
  // Begins to read. It may be closed, and retired, when this returns.
  void Start();
  // No further requests: closes now if idle, else after the response in flight.
  void Drain();
  // The next response, or the one under way, is the last. Unlike Drain it leaves an idle
  // HTTP/1 connection open: its client may be sending.
  void Retire();
  bool retiring() const { return draining_; }
  // Answered and over, but not closed yet: the client may be sending the rest of its request, and a
  // reset could take the answer from it.
  bool lingering() const { return state_ == State::kLingering; }
  // Closes for one that waits. REQUIRES: idle() and in the list of idle ones.
  void MakeRoom();
  // Closes at once, whatever is in flight.
  void Abort();
  // A reload: streams that begin from here on are of `runtime`; those there are keep theirs.
  void SetRuntime(ListenerRuntime& runtime);
  bool idle() const { return streams_.empty(); }
  // Since when it waits for a request, or lingers. REQUIRES: idle().
  Nanos idle_since() const { return idle_since_; }
  // Begun so far.
  uint64_t requests() const { return requests_; }
  uint64_t bytes_received() const { return connection_.bytes_read(); }
  uint64_t bytes_sent() const { return connection_.bytes_written(); }

  // For streams.
  ServerCodec& codec() { return *codec_; }
  Connection& connection() { return connection_; }
  ListenerRuntime& runtime() { return *runtime_; }
  const ConnectionInfo& info() const { return info_; }
  // The text of info().remote without the port.
  std::string_view remote_ip() const { return remote_ip_; }
  bool remote_is_trusted() const { return remote_is_trusted_; }
  void UpdateReading();
  // Gives the codec what stands unread, after the current callback: a tunnel may have begun with
  // it.
  void FeedLater() { runtime_->worker.loop.Defer(continue_task_); }
  // The stream is over: destroys it and goes on with what waits. Called from a task, never with the
  // stream on the stack.
  void OnStreamFinished(Stream& stream);
  // The response cannot be completed: the client must see that.
  void ResetStream(Stream& stream);
  // The timer looks at `deadline` at the latest.
  void WatchDeadline(Nanos deadline);

 private:
  enum class State : uint8_t { kProxyHeader, kOpen, kFlushing, kLingering, kClosed };

  static constexpr Nanos kLingerTime = 2 * kSecond;
  static constexpr uint64_t kLingerBytes = 1024 * 1024;

  // ConnectionHandler
  void OnConnected() override {}
  void OnData(Buffer& in) override;
  void OnPeerClosed() override;
  void OnWritten() override;
  void OnFailed(const Error& error) override;

  // ServerEvents
  RequestHead& OnRequestBegin(StreamId id) override;
  void OnRequestHead(StreamId id, bool end) override;
  void OnBody(StreamId id, Slice data) override;
  void OnTrailers(StreamId id, Headers& trailers) override;
  void OnEnd(StreamId id) override;
  void OnReset(StreamId id, const Error& error) override;
  void OnEncodeMore(StreamId id) override;

  bool ReadProxyHeader(Buffer& in);
  void Feed(Buffer& in);
  void Continue();
  void OnProtocolError(const Error& error);
  void TakeControl();
  void OnTimer();
  void SetIdle();
  void CloseWhenWritten();
  Nanos FlushDeadline() const;
  void StartLinger();
  void Close(bool reset = false);
  void FinishClose();
  void FailStreams(ResponseFlag flag, std::string_view details);
  void SetRemote(const Address& remote);
  Stream* Find(StreamId id);

  ServerConnectionOwner& owner_;
  ListenerRuntime* runtime_;
  AllList& all_;
  IdleList& idle_;
  Connection connection_;
  std::unique_ptr<ServerCodec> codec_;
  List<Stream> streams_;
  Stream* current_ = nullptr;  // the one the last event was for
  ConnectionInfo info_;
  std::string remote_ip_;
  Timer timer_;
  Task continue_task_;
  uint64_t requests_ = 0;
  uint64_t counted_read_ = 0;
  uint64_t counted_written_ = 0;
  uint64_t linger_from_ = 0;
  Nanos idle_since_ = 0;
  Nanos head_deadline_ = 0;  // 0: no head is under way
  Nanos linger_deadline_ = 0;
  State state_ = State::kOpen;
  bool remote_is_trusted_ = false;
  bool feeding_ = false;
  bool failed_ = false;  // the codec gave up: its input is not read any more
  bool draining_ = false;
  bool unread_request_ = false;  // the client may still be sending: linger before closing
  bool close_due_ = false;       // when feeding is over
  bool close_reset_ = false;
};

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_SERVER_CONNECTION_H_
