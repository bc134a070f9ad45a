// The admin API's text form, for socat, nc and scripts on its unix socket: a command a line, the
// answer as text, ended by an empty line.
//
//   clusters                                      GET /clusters
//   endpoints drain cluster=api address=[::1]:80  POST /endpoints/drain?cluster=api&address=...
//   stats filter="upstream|downstream" used=      a value with blanks stands in quotes
//
// Words up to the first name=value are the path; the table says whether it is a page or an action.
// Lines may be sent ahead; they are answered one after the other. An error is a line that begins
// with "error: ". Empty lines in a body are left out. One a connection, owned by it.
#ifndef SLUICE_CORE_SERVER_ADMIN_TEXT_CODEC_H_
#define SLUICE_CORE_SERVER_ADMIN_TEXT_CODEC_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "core/http/codec.h"

namespace sluice {

// The method of requests that came as a line: no client of HTTP/1 can send it.
inline constexpr std::string_view kAdminCommand = "COMMAND";

// "/endpoints/drain?cluster=api" of a line; what may not stand in a path is escaped.
std::string AdminTargetOf(std::string_view line);

class AdminTextCodec final : public ServerCodec {
 public:
  static constexpr size_t kMostLine = 4096;

  explicit AdminTextCodec(ServerEvents& events) : events_(events) {}

  Result<void> Feed(Buffer& in) override;
  Result<void> FeedEnd() override;
  bool WantsInput() const override { return !finished_ && state_ != State::kWait; }
  void EncodeInformational(StreamId, uint16_t, const Headers*, Buffer&) override {}
  void EncodeHead(StreamId id, const ResponseHead& head, bool end, Buffer& out) override;
  void EncodeBody(StreamId id, Buffer& data, Buffer& out) override;
  void EncodeEnd(StreamId id, const Headers* trailers, Buffer& out) override;
  void EncodeReset(StreamId id, Code code, Buffer& out) override;
  bool CanReset() const override { return false; }
  void Consumed(StreamId, size_t, Buffer&) override {}
  void Tunnel(StreamId) override {}
  void Drain(Buffer& out) override;
  bool Finished() const override { return finished_; }

 private:
  enum class State : uint8_t {
    kIdle,
    kLine,  // some of it is here
    kWait,  // for the answer
  };

  void FinishLine();

  ServerEvents& events_;
  State state_ = State::kIdle;
  StreamId id_ = 0;
  RequestHead* head_ = nullptr;
  std::string line_;
  uint16_t status_ = 0;
  bool body_begun_ = false;
  bool line_begins_ = true;  // of the answer
  bool peer_ended_ = false;
  bool draining_ = false;
  bool finished_ = false;
};

// What a connection to the admin API's unix socket speaks: HTTP/1 if it begins with a capital
// letter, as every method does, else text.
std::unique_ptr<ServerCodec> NewAdminCodec(ServerEvents& events, const CodecLimits& limits);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ADMIN_TEXT_CODEC_H_
