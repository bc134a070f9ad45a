#include "core/server/echo.h"

#include <algorithm>
#include <utility>

#include "core/base/check.h"
#include "core/base/strings.h"
#include "core/event/loop.h"
#include "core/event/timer.h"
#include "core/server/echo_report.h"
#include "core/server/echo_target.h"

namespace sluice {
namespace {

using Kind = EchoTarget::Kind;

constexpr std::string_view kLine =
    "abcdefghijklmnopqrstuvwxyz ABCDEFGHIJKLMNOPQRSTUVWXYZ 012345678\n";
static_assert(kLine.size() == 64);

// Of a body that is sent as fast as it is taken: what a Buffer holds without an array of its own.
constexpr uint64_t kPiece = 3 * Block::kLarge;
constexpr uint64_t kResetLength = 1024;  // half of it is sent
constexpr std::string_view kCloseBody = "closing\n";
// Then it is the turn of other streams, however fast the client is.
constexpr int kPiecesATurn = 16;
// A drip is not cut finer than this.
constexpr Nanos kDripStep = 10 * kMillisecond;

class Echo final : public LastFilter {
 public:
  Echo(EchoFactory& factory, Responder& responder)
      : factory_(factory),
        responder_(responder),
        timer_(responder.stream_loop(), Callback::To<&Echo::OnTimer>(this)),
        next_turn_(Callback::To<&Echo::SendMore>(this)) {}

  void OnRequestHeaders(RequestHead& head, bool end) override {
    target_ = ParseEchoTarget(head.path);
    if (!end) return responder_.PullRequestBody();
    Begin();
  }

  void OnRequestBody(Buffer& data, bool end, Headers* trailers) override {
    request_size_ += data.size();
    if (target_.kind == Kind::kReport) Keep(data);
    data.Clear();
    if (!end) return responder_.PullRequestBody();
    trailers_ = trailers;
    Begin();
  }

  void OnResponseWanted() override { SendMore(); }

  void OnAbandoned() override {
    over_ = true;
    timer_.Cancel();
    next_turn_.Cancel();
  }

 private:
  void Keep(Buffer& data) {
    for (size_t i = 0; i < data.slice_count(); ++i) {
      body_ += data.slice(i).view().substr(0, EchoReport::kMaxBody - body_.size());
    }
  }

  // The request is here.
  void Begin() {
    if (target_.delay == 0) return Answer();
    timer_.Start(target_.delay);
  }

  void OnTimer() {
    if (drip_start_ != 0) return SendMore();
    Answer();
  }

  void Answer();
  void Reply(uint16_t status, std::string body, const char* content_type = "text/plain");
  void Start(std::string_view content_type, bool with_length, uint64_t length);
  // As long as the client takes it.
  void SendMore();
  void SendPiece();
  // The next `size` bytes of the pattern; with the last of `total` the end.
  void Send(uint64_t size, uint64_t total);
  // Is the drip's next step due? If not, the timer is set for it.
  bool DripIsDue();

  EchoFactory& factory_;
  Responder& responder_;
  Timer timer_;
  Task next_turn_;
  EchoTarget target_;
  uint64_t request_size_ = 0;
  std::string body_;
  Headers* trailers_ = nullptr;
  uint64_t sent_ = 0;
  // Of a drip: it goes in `steps_` steps, step i when i/steps_ of the duration has passed.
  Nanos drip_start_ = 0;
  uint64_t steps_ = 0;
  uint64_t step_ = 0;
  bool over_ = false;  // nothing more is to be sent
};

void Echo::Answer() {
  switch (target_.kind) {
    case Kind::kPlain:
      return Reply(200, "ok\n");
    case Kind::kReport: {
      const std::string client = responder_.stream_info().connection().remote.ToString();
      const EchoReport report{factory_.name(), client,        responder_.request_head(),
                              body_,           request_size_, trailers_};
      return Reply(200, report.ToJson(), "application/json");
    }
    case Kind::kStatus:
      return Reply(target_.status, StatusHasNoBody(target_.status)
                                       ? std::string()
                                       : StrCat({"status ", Decimal(target_.status), "\n"}));
    case Kind::kBad:
      return Reply(400, target_.fault);
    case Kind::kBytes:
      return Start("application/octet-stream", true, target_.bytes);
    case Kind::kChunked:
      return Start("application/octet-stream", false, target_.bytes);
    case Kind::kDrip:
      drip_start_ = responder_.stream_loop().now();
      steps_ = std::max<uint64_t>(
          1, std::min(target_.bytes, static_cast<uint64_t>(target_.duration / kDripStep)));
      return Start("application/octet-stream", true, target_.bytes);
    case Kind::kClose:
      responder_.response_head().headers.AddView(HeaderId::kConnection, "close");
      return Start("text/plain", true, kCloseBody.size());
    case Kind::kReset:
      return Start("application/octet-stream", true, kResetLength);
  }
}

void Echo::Reply(uint16_t status, std::string body, const char* content_type) {
  LocalReply reply;
  reply.status = status;
  reply.body = std::move(body);
  reply.content_type = content_type;
  reply.details = "echo";
  reply.unmapped = true;
  responder_.Reply(std::move(reply));
}

void Echo::Start(std::string_view content_type, bool with_length, uint64_t length) {
  ResponseHead& head = responder_.response_head();
  head.status = 200;
  head.headers.AddView(HeaderId::kContentType, content_type);
  if (with_length) {
    head.content_length = length;
    head.headers.Set(HeaderId::kContentLength, Decimal(length));
  }
  over_ = length == 0 || responder_.request_head().method() == Method::kHead;
  responder_.StartResponse(over_);
  SendMore();
}

void Echo::SendMore() {
  for (int pieces = 0; !over_ && responder_.response_wanted(); ++pieces) {
    if (target_.kind == Kind::kDrip && !DripIsDue()) return;
    if (pieces == kPiecesATurn) return responder_.stream_loop().DeferToNextTurn(next_turn_);
    SendPiece();
  }
}

void Echo::SendPiece() {
  switch (target_.kind) {
    case Kind::kDrip:
      ++step_;
      return Send(target_.bytes * step_ / steps_ - sent_, target_.bytes);
    case Kind::kReset:
      if (sent_ == 0) return Send(kResetLength / 2, kResetLength);
      over_ = true;
      return responder_.AbortResponse(
          Error{Code::kReset, Side::kInternal, Retry::kNever, "echo_reset"});
    case Kind::kClose:
      over_ = true;
      return responder_.SendBody(Buffer(kCloseBody), true, nullptr);
    default:
      return Send(std::min(kPiece, target_.bytes - sent_), target_.bytes);
  }
}

void Echo::Send(uint64_t size, uint64_t total) {
  Buffer data;
  factory_.AppendPattern(data, sent_, size);
  sent_ += size;
  over_ = sent_ == total;
  responder_.SendBody(std::move(data), over_, nullptr);
}

bool Echo::DripIsDue() {
  const Nanos step = target_.duration / static_cast<Nanos>(steps_);
  const Nanos due = drip_start_ + step * static_cast<Nanos>(step_ + 1);
  const Nanos now = responder_.stream_loop().now();
  if (now < due) timer_.Start(due - now);
  return now >= due;
}

}  // namespace

char EchoPattern(uint64_t offset) { return kLine[offset % kLine.size()]; }

ArenaPtr<LastFilter> EchoFactory::Create(Responder& responder) {
  return ArenaPtr<LastFilter>(responder.stream_arena().Make<Echo>(*this, responder).release());
}

void EchoFactory::AppendPattern(Buffer& out, uint64_t offset, uint64_t size) {
  if (pattern_.empty()) {
    std::string pattern;
    while (pattern.size() < Block::kLarge) pattern += kLine;
    pattern_ = Slice::Copy(pattern);
  }
  const uint64_t length = pattern_.size();
  CHECK(length > 0);
  while (size > 0) {
    const uint64_t begin = offset % length;
    const uint64_t count = std::min<uint64_t>(size, length - begin);
    out.Append(pattern_.Share(begin, count));
    offset += count;
    size -= count;
  }
}

}  // namespace sluice
