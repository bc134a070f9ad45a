// A multiplexed codec of the tests' own, both roles: it stands where HTTP/2 will, and proves that
// the proxy holds codec.h for many streams. Its frames:
//
//   stream (4 bytes, big-endian; 0: the connection)  type (1)  length (4)  payload
//
// Each side begins with kHello (the window that it grants to each stream). Windows count the
// payload of kBody. kPing is answered by kPong. MultiplexPeer speaks it by hand (multiplex_peer.h).
// Of one thread.
#ifndef SLUICE_TESTS_SUPPORT_MULTIPLEX_CODEC_H_
#define SLUICE_TESTS_SUPPORT_MULTIPLEX_CODEC_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/http/codec.h"

namespace sluice::test {

enum class FrameType : uint8_t {
  kHello,    // payload: the window of each stream, 4 bytes
  kHead,     // lines: the start line, then "name: value"
  kHeadEnd,  // the same, and nothing follows
  kInform,   // a 1xx head
  kBody,
  kEnd,     // payload: trailers, as lines; may be empty
  kReset,   // payload: the code, 1 byte
  kWindow,  // payload: so many bytes more, 4 bytes
  kDrain,   // no further streams
  kPing,
  kPong,
};

struct Frame {
  StreamId stream = 0;
  FrameType type = FrameType::kHello;
  std::string payload;
};

constexpr size_t kFrameHead = 9;
// Of both product roles: small, so that bodies wait.
constexpr uint32_t kMultiplexWindow = 1000;
// Streams that the client role has open at most.
constexpr size_t kMultiplexStreams = 20;

void AppendFrame(StreamId stream, FrameType type, std::string_view payload, std::string& out);
std::string FrameNumber(uint32_t number);  // 4 bytes, big-endian
// Takes one whole frame off the front; false: there is none. `size` is what it took.
bool ParseFrame(std::string_view bytes, Frame& frame, size_t& size);
uint32_t ParseFrameNumber(std::string_view bytes);

std::unique_ptr<ServerCodec> NewMultiplexServerCodec(ServerEvents& events,
                                                     const CodecLimits& limits);
std::unique_ptr<ClientCodec> NewMultiplexClientCodec(ClientEvents& events,
                                                     const CodecLimits& limits);

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_MULTIPLEX_CODEC_H_
