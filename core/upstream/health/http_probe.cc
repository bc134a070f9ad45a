#include "core/upstream/health/http_probe.h"

#include <algorithm>
#include <utility>

#include "core/base/strings.h"
#include "core/http/message.h"
#include "core/upstream/cluster.h"
#include "core/upstream/health/health_settings.h"

namespace sluice {
namespace {

constexpr std::string_view kUserAgent = "sluice-health";

tl::unexpected<Error> Failed(Code code, std::string why) {
  return Fail(code, std::move(why), Side::kUpstream);
}

// What a codec found, for people: its own words are those of the access log.
tl::unexpected<Error> Refused(const Error& error) {
  switch (error.code) {
    case Code::kClosed:
      return Failed(error.code, "closed in the middle of the answer");
    case Code::kHeadTooLarge:
      return Failed(error.code, "the answer's head is too large");
    default:
      return Failed(error.code, "the answer is not valid HTTP");
  }
}

}  // namespace

HttpProbe::HttpProbe(const ProbeContext& context, ProbeEvents& events,
                     std::unique_ptr<Transport> transport, std::string host)
    : context_(context),
      events_(events),
      host_(std::move(host)),
      connection_(context.loop, *this, std::move(transport), Side::kUpstream),
      codec_(context.cluster.new_codec(*this, context.cluster.codec)) {}

Result<void> HttpProbe::Start() { return connection_.Start(true); }

bool HttpProbe::TryAgain() {
  if (connection_.closed()) return false;
  checking_ = true;
  SendRequest();
  return true;
}

std::string_view HttpProbe::missing() const {
  if (!connected_) return "no connection";
  return response_ != nullptr && response_->has_head ? "no end of the body" : "no answer";
}

void HttpProbe::OnConnected() {
  connected_ = true;
  connection_.output().Append(ProbePreface(context_));
  codec_->TakeControl(connection_.output());
  SendRequest();
}

void HttpProbe::SendRequest() {
  const HealthSettings& settings = context_.health;
  response_.reset();
  result_.reset();
  ended_ = false;
  ++checks_;
  Arena arena;
  RequestHead head(arena);
  head.SetMethod(settings.method);
  head.scheme = "http";
  head.authority = settings.host.empty() ? host_ : settings.host;
  head.path = settings.path;
  head.headers.Set(HeaderId::kHost, head.authority);
  head.headers.Set(HeaderId::kUserAgent, kUserAgent);
  for (const auto& [name, value] : settings.headers) head.headers.Set(name, value);
  const StreamId id = codec_->EncodeHead(head, true, connection_.output());
  codec_->EncodeEnd(id, nullptr, connection_.output());
  connection_.Write();
}

void HttpProbe::OnData(Buffer& in) {
  if (!checking_) return Close();  // nobody asked: an error message before closing
  Result<void> fed = codec_->Feed(in);
  codec_->TakeControl(connection_.output());
  if (!connection_.output().empty()) connection_.Write();
  if (!fed) return Finish(Refused(fed.error()));
  if (result_) Finish(*result_);
}

ResponseHead& HttpProbe::OnResponseBegin(StreamId) {
  response_ = std::make_unique<Response>();
  return response_->head;
}

void HttpProbe::OnResponseHead(StreamId, bool) {
  response_->has_head = true;
  const std::vector<uint16_t>& statuses = context_.health.statuses;
  const uint16_t status = response_->head.status;
  if (std::find(statuses.begin(), statuses.end(), status) != statuses.end()) return;
  result_ = Failed(Code::kUnavailable, StrCat({"status ", Decimal(status)}));
}

void HttpProbe::OnBody(StreamId id, Slice data) {
  codec_->Consumed(id, data.size(), connection_.output());
  if (result_) return;
  const size_t room = HealthSettings::kMostAnswer - response_->size;
  if (!context_.health.body.empty()) response_->body += data.view().substr(0, room);
  response_->size += std::min(data.size(), room);
  if (response_->size == HealthSettings::kMostAnswer) result_ = JudgeBody();
}

void HttpProbe::OnEnd(StreamId) {
  ended_ = true;
  if (!result_) result_ = JudgeBody();
}

void HttpProbe::OnReset(StreamId, const Error& error) {
  if (!result_) result_ = Refused(error);
}

Result<void> HttpProbe::JudgeBody() const {
  if (response_->body.find(context_.health.body) != std::string::npos) return {};
  return Failed(Code::kUnavailable, "the body lacks what is expected");
}

void HttpProbe::OnPeerClosed() {
  if (!checking_) return Close();
  const Result<void> end = codec_->FeedEnd();
  if (result_) return Finish(*result_);
  if (response_ != nullptr && !end) return Finish(Refused(end.error()));
  FinishBroken(Code::kClosed, "closed without an answer");
}

void HttpProbe::OnFailed(const Error& error) {
  if (!checking_) return Close();
  // As TcpProbe.
  if (connected_ && connection_.write_failed() && !connection_.peer_closed()) return;
  FinishBroken(error.code, error.detail);
}

void HttpProbe::FinishBroken(Code code, std::string why) {
  const bool stale = checks_ > 1 && response_ == nullptr;
  Finish(Fail(code, std::move(why), Side::kUpstream, stale ? Retry::kIfReused : Retry::kNever));
}

void HttpProbe::Finish(Result<void> result) {
  checking_ = false;
  const bool keep = result && ended_ && !draining_ && codec_->CanOpen() && checks_ < kMostChecks &&
                    connection_.input().empty() && !connection_.peer_closed();
  if (!keep) Close();
  events_.OnProbed(std::move(result));
}

}  // namespace sluice
