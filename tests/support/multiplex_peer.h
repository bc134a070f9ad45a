// MultiplexPeer: the other end of a multiplexed connection (multiplex_codec.h), by hand: a test's
// client or upstream that speaks in frames over a RawSocket. It keeps to the product's windows, and
// fails the test if the product does not keep to its own.
//
//   test::RawClient socket(driver, rig.port());
//   test::MultiplexPeer client(driver, socket);
//   client.SendHead(1, "GET / a");
//   client.SendEnd(1);
//   driver.RunUntil([&] { return client.stream(1).ended; }, "an answer");
#ifndef SLUICE_TESTS_SUPPORT_MULTIPLEX_PEER_H_
#define SLUICE_TESTS_SUPPORT_MULTIPLEX_PEER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tests/support/driver.h"
#include "tests/support/multiplex_codec.h"
#include "tests/support/raw_socket.h"
#include "tests/support/scripted_upstream.h"

namespace sluice::test {

class MultiplexPeer final : public Actor {
 public:
  struct Stream {
    // What came.
    std::string head;  // the lines; empty: not yet
    std::vector<std::string> informs;
    std::string body;
    std::string trailers;
    bool ended = false;
    bool reset = false;
    // Gives the window back as bytes come. Else the test does it, by GrantAll.
    bool grants = true;
    size_t ungranted = 0;
    // What is to be sent when the window allows.
    std::string queue;
    size_t queue_sent = 0;
    bool end_queued = false;
    std::string end_trailers;
    uint32_t window = 0;

    // The status, of a response's head.
    int status() const { return head.empty() ? 0 : std::stoi(head); }
    bool over() const { return ended || reset; }
    size_t unsent() const { return queue.size() - queue_sent; }
  };

  // `socket` outlives it. Says hello.
  MultiplexPeer(Driver& driver, RawSocket& socket, uint32_t window = 1000);
  ~MultiplexPeer() override;
  MultiplexPeer(const MultiplexPeer&) = delete;
  MultiplexPeer& operator=(const MultiplexPeer&) = delete;

  // "GET /path host\nname: value\n", or "200\nname: value\n".
  void SendHead(StreamId id, std::string_view lines);
  void SendInform(StreamId id, std::string_view lines) { Send(id, FrameType::kInform, lines); }
  void SendBody(StreamId id, std::string_view bytes);
  void SendEnd(StreamId id, std::string_view trailers = {});
  // All in one.
  void SendMessage(StreamId id, std::string_view lines, std::string_view body);
  void SendReset(StreamId id);
  void SendDrain() { Send(0, FrameType::kDrain, {}); }
  void SendPing() { Send(0, FrameType::kPing, "?"); }
  void Send(StreamId id, FrameType type, std::string_view payload);
  void GrantAll(StreamId id);

  Stream& stream(StreamId id);
  const std::map<StreamId, Stream>& streams() const { return streams_; }
  size_t open_streams() const;
  bool drains() const { return drains_; }
  int pongs() const { return pongs_; }
  // Called when a whole message of the peer is there; and for each of its heads.
  std::function<void(StreamId)> on_message;
  std::function<void(StreamId)> on_head;

  bool Step() override;
  void AddPollFds(std::vector<pollfd>&) const override {}  // its socket does

 private:
  void OnFrame(const Frame& frame);
  bool SendQueued(StreamId id, Stream& stream);

  Driver& driver_;
  RawSocket& socket_;
  const uint32_t own_window_;
  uint32_t peer_window_ = 0;
  size_t taken_ = 0;
  bool drains_ = false;
  int pongs_ = 0;
  std::map<StreamId, Stream> streams_;
};

// An upstream that speaks so: a peer for each connection as it comes.
class MultiplexUpstream final : public Actor {
 public:
  explicit MultiplexUpstream(Driver& driver, uint32_t window = 1000);
  ~MultiplexUpstream() override;
  MultiplexUpstream(const MultiplexUpstream&) = delete;
  MultiplexUpstream& operator=(const MultiplexUpstream&) = delete;

  ScriptedUpstream& sockets() { return sockets_; }
  std::string text() const { return sockets_.text(); }
  size_t connection_count() const { return peers_.size(); }
  MultiplexPeer& peer(size_t index) { return *peers_.at(index); }
  // Answers each whole request with 200 and the request's own body.
  void EchoAlways();
  // Runs the driver until the connection has had so many requests' heads.
  MultiplexPeer& WaitForStreams(size_t connection, size_t count);

  bool Step() override;
  void AddPollFds(std::vector<pollfd>&) const override {}

 private:
  Driver& driver_;
  const uint32_t window_;
  ScriptedUpstream sockets_;
  bool echo_ = false;
  std::vector<std::unique_ptr<MultiplexPeer>> peers_;
};

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_MULTIPLEX_PEER_H_
