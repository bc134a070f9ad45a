#include "tests/support/scripted_filter.h"

namespace sluice {

ArenaPtr<Filter> ScriptedFactory::Create(Arena& arena) {
  ArenaPtr<ScriptedFilter> filter = arena.Make<ScriptedFilter>(*this);
  last_ = filter.get();
  return ArenaPtr<Filter>(filter.release());
}

ScriptedFilter::~ScriptedFilter() { factory_.last_ = nullptr; }

void ScriptedFilter::Note(std::string_view hook, bool end, std::string_view data) {
  std::string line = factory_.name_ + ":" + std::string(hook);
  if (!data.empty()) line += "(" + std::string(data) + ")";
  if (end) line += ".";
  factory_.log_.push_back(std::move(line));
}

Verdict ScriptedFilter::OnRequestHeaders(RequestHead&, bool end) {
  Note("req", end);
  const auto& script = factory_.script_.request_headers;
  return script ? script(context(), end) : Verdict::Continue();
}
Verdict ScriptedFilter::OnRequestBody(Buffer& data, bool end) {
  Note("body", end, data.ToString());
  const auto& script = factory_.script_.request_body;
  return script ? script(context(), data, end) : Verdict::Continue();
}
Verdict ScriptedFilter::OnRequestTrailers(Headers& trailers) {
  Note("trailers", false);
  const auto& script = factory_.script_.request_trailers;
  return script ? script(context(), trailers) : Verdict::Continue();
}
Verdict ScriptedFilter::OnResponseHeaders(ResponseHead& head, bool end) {
  Note("resp" + std::to_string(head.status), end);
  const auto& script = factory_.script_.response_headers;
  return script ? script(context(), end) : Verdict::Continue();
}
Verdict ScriptedFilter::OnResponseBody(Buffer& data, bool end) {
  Note("rbody", end, data.ToString());
  const auto& script = factory_.script_.response_body;
  return script ? script(context(), data, end) : Verdict::Continue();
}
Verdict ScriptedFilter::OnResponseTrailers(Headers& trailers) {
  Note("rtrailers", false);
  const auto& script = factory_.script_.response_trailers;
  return script ? script(context(), trailers) : Verdict::Continue();
}
void ScriptedFilter::OnComplete(const StreamInfo&) { Note("complete", false); }

}  // namespace sluice
