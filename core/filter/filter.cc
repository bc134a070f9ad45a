#include "core/filter/filter.h"

#include <utility>

#include "core/filter/chain.h"

namespace sluice {

void FilterContext::Resume(Verdict verdict) { chain_->Resume(index_, std::move(verdict)); }
RequestHead& FilterContext::request() { return chain_->owner_.request_head(); }
ResponseHead& FilterContext::response() { return chain_->owner_.response_head(); }
StreamInfo& FilterContext::info() { return chain_->owner_.stream_info(); }
Arena& FilterContext::arena() { return chain_->owner_.stream_arena(); }
Loop& FilterContext::loop() { return chain_->owner_.stream_loop(); }
Random& FilterContext::random() { return chain_->owner_.stream_random(); }
const Route* FilterContext::route() { return chain_->owner_.stream_info().route; }
void FilterContext::Reroute() { chain_->owner_.Reroute(); }

void FilterContext::UnreadRequestBody(Buffer rest) {
  chain_->Unread(index_, Direction::kRequest, std::move(rest));
}

void FilterContext::UnreadResponseBody(Buffer rest) {
  chain_->Unread(index_, Direction::kResponse, std::move(rest));
}

Verdict Filter::OnRequestHeaders(RequestHead&, bool) { return Verdict::Continue(); }
Verdict Filter::OnRequestBody(Buffer&, bool) { return Verdict::Continue(); }
Verdict Filter::OnRequestTrailers(Headers&) { return Verdict::Continue(); }
Verdict Filter::OnResponseHeaders(ResponseHead&, bool) { return Verdict::Continue(); }
Verdict Filter::OnResponseBody(Buffer&, bool) { return Verdict::Continue(); }
Verdict Filter::OnResponseTrailers(Headers&) { return Verdict::Continue(); }
void Filter::OnComplete(const StreamInfo&) {}

void Verdict::Free() {
  if (kind_ == Kind::kRespond) {
    delete reply_;
  } else {
    delete error_;
  }
}

}  // namespace sluice
