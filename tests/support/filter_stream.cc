#include "tests/support/filter_stream.h"

#include <charconv>

#include "core/base/check.h"
#include "core/base/strings.h"
#include "tests/support/filter_harness.h"

namespace sluice {
namespace {

HeaderList ToList(const Headers& headers) {
  HeaderList list;
  headers.ForEach([&](const Headers::Entry& entry) { list.emplace_back(entry.name, entry.value); });
  return list;
}

}  // namespace

FilterStream::FilterStream(FilterHarness& harness, const ChainPlan& plan,
                           const ConnectionInfo& connection)
    : harness_(harness),
      info_(arena_, connection),
      request_(arena_),
      response_(arena_),
      pump_(Callback::To<&FilterStream::Pump>(this)),
      chain_(*this) {
  info_.start = harness.loop().now();
  info_.wall_start = harness.loop().wall();
  info_.client_ip = "192.0.2.1";
  chain_.Create(plan);
}

FilterStream::~FilterStream() { Finish(); }

Loop& FilterStream::stream_loop() { return harness_.loop(); }
Random& FilterStream::stream_random() { return harness_.random(); }

void FilterStream::SetRequest(std::string_view method, std::string_view path,
                              const HeaderList& headers) {
  request_.SetMethod(arena_.Copy(method));
  request_.scheme = "http";
  request_.path = arena_.Copy(path);
  request_.headers.Clear();
  request_.content_length.reset();
  for (const auto& [name, value] : headers) request_.headers.Add(name, value);
  if (!request_.headers.Has(HeaderId::kHost)) request_.headers.Add(HeaderId::kHost, "a.example");
  request_.authority = *request_.headers.Get(HeaderId::kHost);
  if (const auto length = request_.headers.Get(HeaderId::kContentLength)) {
    request_.content_length = ParseDecimal(*length);
  }
  info_.original_path = request_.path;
}

void FilterStream::RequestHeaders(bool end) {
  info_.request = &request_;
  if (end) info_.request_end = harness_.loop().now();
  chain_.HeadersArrived(Direction::kRequest, end);
  RunTasks();
}

void FilterStream::RequestBody(std::string_view data, bool end) {
  info_.request_body_bytes += data.size();
  if (end) info_.request_end = harness_.loop().now();
  Add(Direction::kRequest, data, end, nullptr);
}

void FilterStream::RequestTrailers(const HeaderList& trailers) {
  info_.request_end = harness_.loop().now();
  Add(Direction::kRequest, {}, true, MakeTrailers(trailers));
}

void FilterStream::Get(std::string_view path, const HeaderList& headers) {
  SetRequest("GET", path, headers);
  RequestHeaders(true);
}

void FilterStream::Post(std::string_view path, const HeaderList& headers, std::string_view body) {
  SetRequest("POST", path, headers);
  request_.headers.Set(HeaderId::kContentLength, Decimal(body.size()));
  request_.content_length = body.size();
  RequestHeaders(body.empty());
  if (!body.empty()) RequestBody(body, true);
}

void FilterStream::SetResponse(uint16_t status, const HeaderList& headers) {
  response_.status = status;
  response_.headers.Clear();
  response_.content_length.reset();
  for (const auto& [name, value] : headers) response_.headers.Add(name, value);
  if (const auto length = response_.headers.Get(HeaderId::kContentLength)) {
    response_.content_length = ParseDecimal(*length);
  }
}

void FilterStream::ResponseHeaders(bool end) {
  info_.response = &response_;
  info_.response_start = harness_.loop().now();
  if (end) info_.response_end = harness_.loop().now();
  if (info_.details.empty()) info_.details = "via_upstream";
  chain_.HeadersArrived(Direction::kResponse, end);
  RunTasks();
}

void FilterStream::ResponseBody(std::string_view data, bool end) {
  if (end) info_.response_end = harness_.loop().now();
  Add(Direction::kResponse, data, end, nullptr);
}

void FilterStream::ResponseTrailers(const HeaderList& trailers) {
  Headers* made = MakeTrailers(trailers);
  info_.response_trailers = made;
  info_.response_end = harness_.loop().now();
  Add(Direction::kResponse, {}, true, made);
}

void FilterStream::Respond(uint16_t status, const HeaderList& headers, std::string_view body) {
  SetResponse(status, headers);
  ResponseHeaders(body.empty());
  if (!body.empty()) ResponseBody(body, true);
}

Headers* FilterStream::MakeTrailers(const HeaderList& trailers) {
  trailers_.push_back(arena_.Make<Headers>(arena_));
  for (const auto& [name, value] : trailers) trailers_.back()->Add(name, value);
  return trailers_.back().get();
}

void FilterStream::Add(Direction direction, std::string_view data, bool end, Headers* trailers) {
  side(direction).source.push_back({Buffer(data), end, trailers});
  Pump();
  RunTasks();
}

void FilterStream::Take(Direction direction) {
  side(direction).wanted = true;
  Pump();
  RunTasks();
}

void FilterStream::RunTasks() { harness_.loop().RunDeferred(); }

void FilterStream::Pump() {
  while (PumpOne(Direction::kRequest) || PumpOne(Direction::kResponse)) {
  }
}

bool FilterStream::PumpOne(Direction direction) {
  Side& side = this->side(direction);
  if (over_ || !side.wanted) return false;
  if (chain_.Holds(direction)) {
    side.wanted = false;
    chain_.ReleaseHeld(direction);
    return true;
  }
  if (side.source.empty() || !chain_.CanTake(direction)) return false;
  side.wanted = false;
  Piece piece = std::move(side.source.front());
  side.source.pop_front();
  chain_.BodyArrived(direction, std::move(piece.data), piece.end, piece.trailers);
  return true;
}

void FilterStream::OnHeadersPassed(Direction direction, bool end) {
  Side& side = this->side(direction);
  CHECK(!side.out.headers && !over_);
  side.out.headers = true;
  side.out.ended = end;
  side.wanted = !end && !side.held;
  if (direction == Direction::kResponse) info_.status = response_.status;
  harness_.loop().Defer(pump_);
}

void FilterStream::OnBodyPassed(Direction direction, Buffer& data, bool end, Headers* trailers) {
  Side& side = this->side(direction);
  CHECK(side.out.headers && !side.out.ended && !over_);
  CHECK(end || (!data.empty() && trailers == nullptr));
  side.out.pieces.push_back(data.ToString());
  side.out.body += side.out.pieces.back();
  data.Clear();
  side.out.ended = end;
  if (trailers != nullptr) side.out.trailers = ToList(*trailers);
  if (direction == Direction::kResponse) info_.response_body_bytes = side.out.body.size();
  side.wanted = !end && !side.held;
  harness_.loop().Defer(pump_);
}

void FilterStream::Pull(Direction direction) {
  side(direction).wanted = true;
  ++side(direction).out.pulls;
  harness_.loop().Defer(pump_);
}

void FilterStream::OnFilterReply(LocalReply reply) {
  CHECK(!side(Direction::kResponse).out.headers && !over_);
  ++replies_;
  reply_ = std::move(reply);
  info_.flags.Set(reply_->flag);
  info_.details = reply_->details;
  info_.local_reply_body = reply_->body;
  info_.response = &response_;
  side(Direction::kRequest).source.clear();
  side(Direction::kResponse) = Side{{}, false, side(Direction::kResponse).held, {}};
  HeaderList headers = reply_->headers;
  if (!reply_->body.empty()) {
    headers.emplace_back("content-type", reply_->content_type);
    headers.emplace_back("content-length", Decimal(reply_->body.size()).view());
    side(Direction::kResponse).source.push_back({Buffer(reply_->body), true, nullptr});
  }
  SetResponse(reply_->status, headers);
  chain_.HeadersArrived(Direction::kResponse, reply_->body.empty());
}

void FilterStream::OnFilterAbort(Error error) {
  CHECK(!aborted_);
  aborted_ = std::move(error);
}

void FilterStream::Finish() {
  if (std::exchange(over_, true)) return;
  info_.end = harness_.loop().now();
  chain_.Complete(info_);
  chain_.DestroyFilters();
}

void FilterStream::Cancel() {
  info_.flags.Set(ResponseFlag::kDownstreamConnectionTermination);
  info_.details = "downstream_remote_disconnect";
  Finish();
}

}  // namespace sluice
