#include "tests/support/multiplex_peer.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace sluice::test {

MultiplexPeer::MultiplexPeer(Driver& driver, RawSocket& socket, uint32_t window)
    : driver_(driver), socket_(socket), own_window_(window) {
  driver_.Add(*this);
  Send(0, FrameType::kHello, FrameNumber(window));
}

MultiplexPeer::~MultiplexPeer() { driver_.Remove(*this); }

void MultiplexPeer::Send(StreamId id, FrameType type, std::string_view payload) {
  std::string bytes;
  AppendFrame(id, type, payload, bytes);
  socket_.Send(bytes);
}

MultiplexPeer::Stream& MultiplexPeer::stream(StreamId id) {
  const auto [place, is_new] = streams_.try_emplace(id);
  if (is_new) place->second.window = peer_window_;
  return place->second;
}

void MultiplexPeer::SendHead(StreamId id, std::string_view lines) {
  stream(id);
  Send(id, FrameType::kHead, lines);
}

void MultiplexPeer::SendBody(StreamId id, std::string_view bytes) { stream(id).queue += bytes; }

void MultiplexPeer::SendEnd(StreamId id, std::string_view trailers) {
  stream(id).end_queued = true;
  stream(id).end_trailers = trailers;
}

void MultiplexPeer::SendMessage(StreamId id, std::string_view lines, std::string_view body) {
  SendHead(id, lines);
  SendBody(id, body);
  SendEnd(id);
}

void MultiplexPeer::SendReset(StreamId id) {
  stream(id).queue.clear();
  stream(id).queue_sent = 0;
  stream(id).end_queued = false;
  Send(id, FrameType::kReset, "c");
}

void MultiplexPeer::GrantAll(StreamId id) {
  Stream& stream = this->stream(id);
  if (stream.ungranted == 0) return;
  Send(id, FrameType::kWindow, FrameNumber(static_cast<uint32_t>(stream.ungranted)));
  stream.ungranted = 0;
}

size_t MultiplexPeer::open_streams() const {
  return static_cast<size_t>(std::count_if(streams_.begin(), streams_.end(),
                                           [](const auto& entry) { return !entry.second.over(); }));
}

bool MultiplexPeer::Step() {
  bool busy = false;
  Frame frame;
  size_t size = 0;
  while (ParseFrame(std::string_view(socket_.received()).substr(taken_), frame, size)) {
    taken_ += size;
    busy = true;
    OnFrame(frame);
  }
  for (auto& [id, stream] : streams_) busy |= SendQueued(id, stream);
  return busy;
}

bool MultiplexPeer::SendQueued(StreamId id, Stream& stream) {
  if (peer_window_ == 0) return false;  // before its hello nothing is known
  bool busy = false;
  const size_t bytes = std::min<size_t>(stream.window, stream.unsent());
  if (bytes > 0) {
    Send(id, FrameType::kBody, std::string_view(stream.queue).substr(stream.queue_sent, bytes));
    stream.queue_sent += bytes;
    stream.window -= static_cast<uint32_t>(bytes);
    busy = true;
  }
  if (stream.unsent() == 0 && stream.end_queued) {
    stream.end_queued = false;
    Send(id, FrameType::kEnd, stream.end_trailers);
    busy = true;
  }
  return busy;
}

void MultiplexPeer::OnFrame(const Frame& frame) {
  if (frame.stream == 0) {
    if (frame.type == FrameType::kHello) {
      peer_window_ = ParseFrameNumber(frame.payload);
      for (auto& [id, stream] : streams_) stream.window += peer_window_;
    }
    if (frame.type == FrameType::kPing) Send(0, FrameType::kPong, frame.payload);
    if (frame.type == FrameType::kPong) ++pongs_;
    if (frame.type == FrameType::kDrain) drains_ = true;
    return;
  }
  const StreamId id = frame.stream;
  Stream& stream = this->stream(id);
  EXPECT_FALSE(stream.over() && frame.type != FrameType::kWindow && frame.type != FrameType::kReset)
      << "a frame on stream " << id << " which is over";
  switch (frame.type) {
    case FrameType::kHead:
    case FrameType::kHeadEnd:
      EXPECT_TRUE(stream.head.empty()) << "a second head on stream " << id;
      stream.head = frame.payload;
      stream.ended = frame.type == FrameType::kHeadEnd;
      if (on_head) on_head(id);
      break;
    case FrameType::kInform:
      stream.informs.push_back(frame.payload);
      break;
    case FrameType::kBody:
      EXPECT_FALSE(stream.head.empty()) << "a body before the head on stream " << id;
      stream.body += frame.payload;
      stream.ungranted += frame.payload.size();
      EXPECT_LE(stream.ungranted, own_window_) << "more than the window on stream " << id;
      if (stream.grants) GrantAll(id);
      break;
    case FrameType::kEnd:
      stream.trailers = frame.payload;
      stream.ended = true;
      break;
    case FrameType::kReset:
      stream.reset = true;
      stream.queue.clear();
      stream.queue_sent = 0;
      stream.end_queued = false;
      break;
    case FrameType::kWindow:
      stream.window += ParseFrameNumber(frame.payload);
      break;
    default:
      ADD_FAILURE() << "an unknown frame";
  }
  if (stream.ended && on_message && frame.type != FrameType::kWindow &&
      frame.type != FrameType::kReset) {
    on_message(id);
  }
}

MultiplexUpstream::MultiplexUpstream(Driver& driver, uint32_t window)
    : driver_(driver), window_(window), sockets_(driver) {
  driver_.Add(*this);
}

MultiplexUpstream::~MultiplexUpstream() { driver_.Remove(*this); }

void MultiplexUpstream::EchoAlways() { echo_ = true; }

bool MultiplexUpstream::Step() {
  bool busy = false;
  while (peers_.size() < sockets_.connection_count()) {
    busy = true;
    peers_.push_back(
        std::make_unique<MultiplexPeer>(driver_, sockets_.connection(peers_.size()), window_));
    MultiplexPeer& peer = *peers_.back();
    if (!echo_) continue;
    peer.on_message = [&peer](StreamId id) {
      const std::string body = peer.stream(id).body;
      peer.SendMessage(id, "200\ncontent-length: " + std::to_string(body.size()), body);
    };
  }
  return busy;
}

MultiplexPeer& MultiplexUpstream::WaitForStreams(size_t connection, size_t count) {
  driver_.RunUntil(
      [&] { return peers_.size() > connection && peers_[connection]->streams().size() >= count; },
      "streams at the upstream");
  return *peers_.at(connection);
}

}  // namespace sluice::test
