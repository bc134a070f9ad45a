#include "core/filter/chain.h"

#include <utility>

#include "core/base/check.h"

namespace sluice {

void FilterChain::Create(const ChainPlan& plan) {
  CHECK(slots_ == nullptr && plan.entries.size() < UINT8_MAX);
  if (plan.entries.empty()) return;
  Arena& arena = owner_.stream_arena();
  slots_ = arena.AllocateArray<Slot>(plan.entries.size());
  hooks_ = plan.hooks;
  for (const ChainPlan::Entry& entry : plan.entries) {
    Filter* filter = entry.factory->Create(arena).release();
    filter->context_.chain_ = this;
    filter->context_.index_ = count_;
    slots_[count_++] = Slot{filter, entry.hooks, {}, {}, {}, {}};
  }
}

void FilterChain::DestroyFilters() {
  for (uint8_t i = count_; i > 0; --i) {
    Slot& slot = slots_[i - 1];
    slot.filter->~Filter();
    for (Buffer* rest : slot.rest) {
      if (rest != nullptr) rest->~Buffer();
    }
  }
  count_ = 0;
}

void FilterChain::Stop() {
  for (Flow& flow : flows_) {
    flow.stage = Stage::kDone;
    flow.data.Clear();
    flow.gathered.Clear();
  }
  DropRests(Direction::kRequest);
  DropRests(Direction::kResponse);
}

void FilterChain::Complete(const StreamInfo& info) {
  if (std::exchange(completed_, true)) return;
  Stop();
  if (!HasHook(kCompleteHook)) return;
  for (uint8_t i = 0; i < count_; ++i) {
    if ((slots_[i].hooks & kCompleteHook) != 0) slots_[i].filter->OnComplete(info);
  }
}

uint8_t FilterChain::IndexAt(Direction direction, uint8_t position) const {
  if (direction == Direction::kRequest) return position;
  return static_cast<uint8_t>(flow(direction).count - 1 - position);
}

FilterChain::Slot& FilterChain::SlotAt(Direction direction, uint8_t position) {
  return slots_[IndexAt(direction, position)];
}

void FilterChain::HeadersArrived(Direction direction, bool end) {
  Flow& flow = this->flow(direction);
  if (flow.stage != Stage::kIdle) return;
  if (direction == Direction::kRequest) {
    flow.count = count_;
  } else if (!flow.count_is_set) {
    // Those that saw the request's head; a filter that answers set the count itself (Obey).
    const Flow& request = this->flow(Direction::kRequest);
    flow.count = request.stage == Stage::kIdle ? uint8_t{0} : request.head_position;
    if (request.head_waits || request.collecting) ++flow.count;
  }
  flow.stage = Stage::kHeaders;
  flow.head_end = end;
  RunHeaders(direction);
}

void FilterChain::RunHeaders(Direction direction) {
  Flow& flow = this->flow(direction);
  const uint8_t hook =
      direction == Direction::kRequest ? kRequestHeadersHook : kResponseHeadersHook;
  if (!HasHook(static_cast<FilterHook>(hook))) flow.head_position = flow.count;
  while (flow.head_position < flow.count) {
    Slot& slot = SlotAt(direction, flow.head_position);
    if ((slot.hooks & hook) != 0) {
      Verdict verdict = CallHeaders(direction, slot, flow.head_end);
      if (!Obey(direction, flow.head_position, verdict, true)) return;
    }
    ++flow.head_position;
  }
  flow.stage = Stage::kBody;
  owner_.OnHeadersPassed(direction, flow.head_end);
}

bool FilterChain::CanTake(Direction direction) const {
  const Flow& flow = this->flow(direction);
  if (flow.piece_on_way || flow.collected || HasRest(direction)) return false;
  return flow.stage == Stage::kBody || (flow.stage == Stage::kHeaders && flow.collecting);
}

void FilterChain::BodyArrived(Direction direction, Buffer&& data, bool end, Headers* trailers) {
  Flow& flow = this->flow(direction);
  CHECK(CanTake(direction));
  flow.data = std::move(data);
  flow.data_end = end;
  flow.trailers = trailers;
  flow.piece_on_way = true;
  flow.at_trailers = false;
  flow.body_position = 0;
  RunBody(direction);
}

void FilterChain::RunBody(Direction direction) {
  Flow& flow = this->flow(direction);
  const uint8_t hook = direction == Direction::kRequest ? kRequestBodyHook : kResponseBodyHook;
  if (!HasHook(static_cast<FilterHook>(hook)) && !flow.collecting) flow.body_position = flow.count;
  while (flow.body_position < flow.count) {
    if (flow.collecting && flow.body_position == flow.head_position) return Collect(direction);
    Slot& slot = SlotAt(direction, flow.body_position);
    if ((slot.hooks & hook) != 0) {
      Verdict verdict = CallBody(direction, slot, flow.data, flow.data_end);
      if (flow.stage == Stage::kDone) return;
      KeepRest(direction, slot);
      if (!Obey(direction, flow.body_position, verdict, false)) return;
      if (flow.data.empty() && !flow.data_end) {
        flow.piece_on_way = false;
        owner_.Pull(direction);
        return;
      }
    }
    ++flow.body_position;
  }
  if (flow.data_end && flow.trailers != nullptr) {
    flow.at_trailers = true;
    flow.body_position = 0;
    return RunTrailers(direction);
  }
  PassBody(direction);
}

void FilterChain::RunTrailers(Direction direction) {
  Flow& flow = this->flow(direction);
  const uint8_t hook =
      direction == Direction::kRequest ? kRequestTrailersHook : kResponseTrailersHook;
  while (flow.body_position < flow.count) {
    Slot& slot = SlotAt(direction, flow.body_position);
    if ((slot.hooks & hook) != 0) {
      Verdict verdict = CallTrailers(direction, slot, *flow.trailers);
      if (!Obey(direction, flow.body_position, verdict, false)) return;
    }
    ++flow.body_position;
  }
  PassBody(direction);
}

void FilterChain::PassBody(Direction direction) {
  Flow& flow = this->flow(direction);
  flow.piece_on_way = false;
  if (flow.data_end) flow.stage = Stage::kDone;
  Buffer data = std::move(flow.data);
  owner_.OnBodyPassed(direction, data, flow.data_end, flow.trailers);
}

void FilterChain::Collect(Direction direction) {
  Flow& flow = this->flow(direction);
  flow.gathered.Append(std::move(flow.data));
  flow.piece_on_way = false;
  if (flow.gathered.size() > flow.collect_limit) return RefuseBody(direction);
  if (!flow.data_end) return owner_.Pull(direction);
  flow.collecting = false;
  flow.collected = true;
  flow.data = std::move(flow.gathered);
  Slot& slot = SlotAt(direction, flow.head_position);
  Verdict verdict = CallBody(direction, slot, flow.data, true);
  if (flow.stage == Stage::kDone) return;
  KeepRest(direction, slot);
  flow.body_position = static_cast<uint8_t>(flow.head_position + 1);
  if (!Obey(direction, flow.head_position, verdict, true)) return;
  ++flow.head_position;
  RunHeaders(direction);
}

void FilterChain::RefuseBody(Direction direction) {
  Flow& flow = this->flow(direction);
  flow.collecting = false;
  LocalReply reply;
  const bool request = direction == Direction::kRequest;
  reply.status = request ? 413 : 500;
  reply.details = request ? "request_payload_too_large" : "response_payload_too_large";
  reply.body = request ? "payload too large\n" : "response too large\n";
  Verdict verdict = Verdict::Respond(std::move(reply));
  // The collector of a request saw its head, so it sees the answer too.
  Obey(direction, static_cast<uint8_t>(flow.head_position + (request ? 1 : 0)), verdict, true);
}

bool FilterChain::Holds(Direction direction) const {
  const Flow& flow = this->flow(direction);
  if (flow.piece_on_way) return false;
  // What was put back before a collector goes on while the head stands there.
  if (flow.stage == Stage::kHeaders) return flow.collecting && HasRest(direction);
  return flow.stage == Stage::kBody && (flow.collected || HasRest(direction));
}

bool FilterChain::HasRest(Direction direction) const {
  if (!rests_) [[likely]]
    return false;
  for (uint8_t i = 0; i < count_; ++i) {
    if (slots_[i].has_rest[static_cast<size_t>(direction)]) return true;
  }
  return false;
}

void FilterChain::ReleaseHeld(Direction direction) {
  Flow& flow = this->flow(direction);
  flow.piece_on_way = true;
  flow.at_trailers = false;
  // With the head on its way no filter but the collector's predecessors has anything.
  if (std::exchange(flow.collected, false) && (!flow.data.empty() || flow.data_end)) {
    return RunBody(direction);
  }
  // The rest nearest to the sink goes first: it is the oldest part of the body.
  const size_t side = static_cast<size_t>(direction);
  for (uint8_t position = flow.count; position > 0; --position) {
    Slot& slot = SlotAt(direction, static_cast<uint8_t>(position - 1));
    if (!slot.has_rest[side]) continue;
    slot.has_rest[side] = false;
    flow.data = std::move(*slot.rest[side]);
    flow.data_end = slot.rest_end[side];
    flow.trailers = slot.rest_trailers[side];
    flow.body_position = static_cast<uint8_t>(position - 1);
    return RunBody(direction);
  }
  CHECK(false);
}

bool FilterChain::Obey(Direction direction, uint8_t position, Verdict& verdict, bool in_headers) {
  Flow& flow = this->flow(direction);
  if (flow.stage == Stage::kDone) return false;
  switch (verdict.kind()) {
    case Verdict::Kind::kContinue:
      return true;
    case Verdict::Kind::kPause:
      (in_headers ? flow.head_waits : flow.piece_waits) = true;
      return false;
    case Verdict::Kind::kCollectBody:
      CHECK(in_headers);
      if (flow.head_end) return true;
      flow.collect_limit = verdict.limit();
      if (DeclaredLength(direction) > verdict.limit()) {
        RefuseBody(direction);
        return false;
      }
      flow.collecting = true;
      // What an earlier filter collected passes the filters between it and this one first.
      if (std::exchange(flow.collected, false) && (!flow.data.empty() || flow.data_end)) {
        flow.piece_on_way = true;
        flow.at_trailers = false;
        RunBody(direction);
      } else {
        owner_.Pull(direction);
      }
      return false;
    case Verdict::Kind::kRespond: {
      Flow& response = this->flow(Direction::kResponse);
      if (response.stage == Stage::kBody || response.stage == Stage::kDone) {
        Stop();
        owner_.OnFilterAbort(
            Error{Code::kInternal, Side::kInternal, Retry::kNever, verdict.reply().details});
        return false;
      }
      // Filters between this one and the client see the answer, this one does not.
      const uint8_t count = IndexAt(direction, position);
      response = Flow{};
      DropRests(Direction::kResponse);
      response.count = count;
      response.count_is_set = true;
      StopRequest();
      owner_.OnFilterReply(std::move(verdict.reply()));
      return false;
    }
    case Verdict::Kind::kAbort:
      Stop();
      owner_.OnFilterAbort(std::move(verdict.error()));
      return false;
  }
  return false;
}

bool FilterChain::Waits(Direction direction, uint8_t index) const {
  const Flow& flow = this->flow(direction);
  if (flow.stage == Stage::kDone) return false;
  return (flow.head_waits && IndexAt(direction, flow.head_position) == index) ||
         (flow.piece_waits && IndexAt(direction, flow.body_position) == index);
}

void FilterChain::Resume(uint8_t index, Verdict verdict) {
  const Direction direction =
      Waits(Direction::kResponse, index) ? Direction::kResponse : Direction::kRequest;
  ResumeIn(direction, index, std::move(verdict));
}

void FilterChain::ResumeIn(Direction direction, uint8_t index, Verdict verdict) {
  if (!Waits(direction, index)) return;
  Flow& flow = this->flow(direction);
  if (flow.head_waits) {
    flow.head_waits = false;
    if (!Obey(direction, flow.head_position, verdict, true)) return;
    ++flow.head_position;
    return RunHeaders(direction);
  }
  flow.piece_waits = false;
  if (!Obey(direction, flow.body_position, verdict, false)) return;
  if (!flow.at_trailers && flow.data.empty() && !flow.data_end) {
    flow.piece_on_way = false;
    return owner_.Pull(direction);
  }
  ++flow.body_position;
  if (flow.at_trailers) return RunTrailers(direction);
  RunBody(direction);
}

void FilterChain::Unread(uint8_t index, Direction direction, Buffer&& rest) {
  if (rest.empty()) return;
  const size_t side = static_cast<size_t>(direction);
  Slot& slot = slots_[index];
  if (slot.rest[side] == nullptr) {
    slot.rest[side] = owner_.stream_arena().Make<Buffer>().release();
  }
  // A second part of the same hook's comes before the first.
  if (slot.has_rest[side]) rest.Append(std::move(*slot.rest[side]));
  *slot.rest[side] = std::move(rest);
  slot.has_rest[side] = rests_ = true;
}

void FilterChain::KeepRest(Direction direction, Slot& slot) {
  const size_t side = static_cast<size_t>(direction);
  if (!slot.has_rest[side]) return;
  Flow& flow = this->flow(direction);
  slot.rest_end[side] = std::exchange(flow.data_end, false);
  slot.rest_trailers[side] = std::exchange(flow.trailers, nullptr);
}

void FilterChain::DropRests(Direction direction) {
  if (!rests_) return;
  const size_t side = static_cast<size_t>(direction);
  for (uint8_t i = 0; i < count_; ++i) {
    if (std::exchange(slots_[i].has_rest[side], false)) slots_[i].rest[side]->Clear();
  }
}

uint64_t FilterChain::DeclaredLength(Direction direction) const {
  return (direction == Direction::kRequest ? owner_.request_head().content_length
                                           : owner_.response_head().content_length)
      .value_or(0);
}

Verdict FilterChain::CallHeaders(Direction direction, Slot& slot, bool end) {
  return direction == Direction::kRequest
             ? slot.filter->OnRequestHeaders(owner_.request_head(), end)
             : slot.filter->OnResponseHeaders(owner_.response_head(), end);
}

Verdict FilterChain::CallBody(Direction direction, Slot& slot, Buffer& data, bool end) {
  return direction == Direction::kRequest ? slot.filter->OnRequestBody(data, end)
                                          : slot.filter->OnResponseBody(data, end);
}

Verdict FilterChain::CallTrailers(Direction direction, Slot& slot, Headers& trailers) {
  return direction == Direction::kRequest ? slot.filter->OnRequestTrailers(trailers)
                                          : slot.filter->OnResponseTrailers(trailers);
}

}  // namespace sluice
