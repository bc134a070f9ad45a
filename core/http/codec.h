// Codec: bytes to messages and back; no sockets, no time. One codec a connection, owned by it.
// HTTP/1 carries one exchange at a time, HTTP/2 many: whoever uses a codec writes for many, told
// apart by StreamId.
//
// Events are called inside Feed (the one place where a callback runs inside the call that caused
// it). Inside an event the owner may encode, reset and change heads; it must not destroy the codec.
//
// What the owner may rely on, for each stream: Begin, Head, Body*, at most one Trailers, End; or
// Reset at any point after Begin, and nothing after that. A Head with end=true is followed by End
// at once.
//
// A request that asks for CONNECT or an upgrade has its End with its head; the tunnel then ends
// with another. What is encoded for a stream that is over is dropped. A stream that ends or is
// given up takes its unread bytes along: the codec itself gives them back to a window of the
// connection.
//
// HTTP/1's server: an error of Feed always finds a stream begun, to answer on. Each Feed takes one
// request at most: the owner calls it again after the EncodeEnd that answers it and after Tunnel,
// also when it has read nothing new.
#ifndef SLUICE_CORE_HTTP_CODEC_H_
#define SLUICE_CORE_HTTP_CODEC_H_

#include <cstdint>
#include <memory>

#include "core/base/buffer.h"
#include "core/base/result.h"
#include "core/http/message.h"

namespace sluice {

using StreamId = uint32_t;

// Limits of what a codec takes from its peer.
struct CodecLimits {
  uint32_t head_size = 60 * 1024;   // start line and fields, bytes on the wire
  uint32_t header_count = 100;      // fields
  uint32_t target_size = 8 * 1024;  // bytes of the request target
  bool http10 = true;               // take HTTP/1.0 requests; else kUpgradeRequired
};

class CodecEvents {
 public:
  virtual void OnBody(StreamId id, Slice data) = 0;
  // The fields live in the arena of the message's head.
  virtual void OnTrailers(StreamId id, Headers& trailers) = 0;
  virtual void OnEnd(StreamId id) = 0;
  // The peer ended this stream alone (RST_STREAM, a GOAWAY that left it out), or broke the rules on
  // it alone. HTTP/1 never calls it.
  virtual void OnReset(StreamId id, const Error& error) = 0;
  // HTTP/2's windows: more of a body that waited may be encoded now. HTTP/1 never calls it.
  virtual void OnEncodeMore(StreamId id) = 0;

 protected:
  ~CodecEvents() = default;
};

class ServerEvents : public CodecEvents {
 public:
  // A request begins: the codec fills the head that this returns, which lives until the owner has
  // seen End or Reset and answered. Not called before the first byte of the request.
  virtual RequestHead& OnRequestBegin(StreamId id) = 0;
  // The head is complete.
  virtual void OnRequestHead(StreamId id, bool end) = 0;

 protected:
  ~ServerEvents() = default;
};

class ClientEvents : public CodecEvents {
 public:
  // A response (also each informational one) begins: as OnRequestBegin.
  virtual ResponseHead& OnResponseBegin(StreamId id) = 0;
  // 1xx other than 101. The head may be reused for the next one that begins.
  virtual void OnInformational(StreamId id) = 0;
  // The final head, or 101 when the request asked for an upgrade: then the owner either calls
  // Tunnel before it returns or gives the stream up.
  virtual void OnResponseHead(StreamId id, bool end) = 0;
  // The connection takes no further streams (Connection: close, GOAWAY).
  virtual void OnDraining() = 0;

 protected:
  ~ClientEvents() = default;
};

// What both roles have in common.
class Codec {
 public:
  virtual ~Codec() = default;

  // Takes bytes from the front of `in` and calls the events. What is left in `in` is an incomplete
  // head, or bytes behind the end of the current exchange: the next Feed sees them again, with more
  // behind them. An error ends the connection; its code tells a server's owner what to answer
  // (status.h). REQUIRES: not called again after an error, nor inside an event.
  virtual Result<void> Feed(Buffer& in) = 0;
  // The peer sent its last byte. An error if a message was cut off by it (kClosed where nothing of
  // the answer had come, kProtocol else); a response that is delimited by the close ends well.
  virtual Result<void> FeedEnd() = 0;
  // False while more input would only have to wait: the owner stops reading. HTTP/1 between the end
  // of a request and the end of its response, HTTP/2 never.
  virtual bool WantsInput() const = 0;

  // Moves to `out` what the protocol has to say by itself (HTTP/2: its preface and settings,
  // acknowledgements, why it gives the connection up). The owner asks before anything else is
  // encoded, and after each Feed, a failed one too. HTTP/1 has nothing.
  virtual void TakeControl(Buffer& /*out*/) {}

  // Encoding, into the end of `out`: the head, the body, and always EncodeEnd. A head's `end` says
  // that neither body nor trailers come in between.
  // Moves as much of `data` to `out` as the peer's window allows (HTTP/1: all). If some is left,
  // OnEncodeMore follows when more may be encoded; EncodeEnd only when all of it was.
  virtual void EncodeBody(StreamId id, Buffer& data, Buffer& out) = 0;
  // Ends the message; `trailers` may be null. HTTP/1 drops trailers where the framing cannot carry
  // them.
  virtual void EncodeEnd(StreamId id, const Headers* trailers, Buffer& out) = 0;
  // Gives up one stream. HTTP/1 cannot: CanReset() is false and the owner closes the connection.
  virtual void EncodeReset(StreamId id, Code code, Buffer& out) = 0;
  virtual bool CanReset() const = 0;
  // `bytes` of the stream's body were consumed: the peer may send as many again (HTTP/2 windows).
  virtual void Consumed(StreamId id, size_t bytes, Buffer& out) = 0;
  // From here on the stream is an opaque run of bytes both ways: OnBody and EncodeBody, ended by
  // OnEnd and EncodeEnd. After CONNECT's 2xx or a 101.
  virtual void Tunnel(StreamId id) = 0;

  // No stream begins any more (HTTP/1: the current response says Connection: close).
  virtual void Drain(Buffer& out) = 0;
  // All exchanges are over and no other can begin: the owner closes when `out` is written.
  virtual bool Finished() const = 0;
};

class ServerCodec : public Codec {
 public:
  // 100 and 103. Not to an HTTP/1.0 client, where it does nothing.
  virtual void EncodeInformational(StreamId id, uint16_t status, const Headers* headers,
                                   Buffer& out) = 0;
  // Writes the head. Adds the framing and Connection; head.headers has content-length if the size
  // is known. The codec knows which request it answers (HEAD, HTTP/1.0).
  virtual void EncodeHead(StreamId id, const ResponseHead& head, bool end, Buffer& out) = 0;
};

class ClientCodec : public Codec {
 public:
  // May another stream be opened now? HTTP/1: one at a time.
  virtual bool CanOpen() const = 0;
  // Opens a stream and writes the head. REQUIRES: CanOpen().
  virtual StreamId EncodeHead(const RequestHead& head, bool end, Buffer& out) = 0;
  // For how long the peer keeps an idle connection, as it last said (Keep-Alive: timeout), in
  // seconds; 0: it did not say.
  virtual uint32_t PeerIdleSeconds() const = 0;
};

std::unique_ptr<ServerCodec> NewHttp1ServerCodec(ServerEvents& events, const CodecLimits& limits);
std::unique_ptr<ClientCodec> NewHttp1ClientCodec(ClientEvents& events, const CodecLimits& limits);

}  // namespace sluice

#endif  // SLUICE_CORE_HTTP_CODEC_H_
