// A filter made of lambdas, for tests of the chain and of whatever surrounds one. It notes each
// hook in a log as "name:hook(data)", with a full stop at the end of the message, and then does
// what its script says; without a script it lets everything pass.
#ifndef SLUICE_TESTS_SUPPORT_SCRIPTED_FILTER_H_
#define SLUICE_TESTS_SUPPORT_SCRIPTED_FILTER_H_

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/filter/factory.h"
#include "core/filter/filter.h"

namespace sluice {

struct Script {
  using OnHeaders = std::function<Verdict(FilterContext&, bool end)>;
  using OnBody = std::function<Verdict(FilterContext&, Buffer&, bool end)>;
  using OnTrailers = std::function<Verdict(FilterContext&, Headers&)>;

  OnHeaders request_headers = nullptr;
  OnBody request_body = nullptr;
  OnTrailers request_trailers = nullptr;
  OnHeaders response_headers = nullptr;
  OnBody response_body = nullptr;
  OnTrailers response_trailers = nullptr;
  uint8_t hooks = 0x7f;
};

class ScriptedFactory;

class ScriptedFilter final : public Filter {
 public:
  explicit ScriptedFilter(ScriptedFactory& factory) : factory_(factory) {}
  ~ScriptedFilter() override;
  Verdict OnRequestHeaders(RequestHead& head, bool end) override;
  Verdict OnRequestBody(Buffer& data, bool end) override;
  Verdict OnRequestTrailers(Headers& trailers) override;
  Verdict OnResponseHeaders(ResponseHead& head, bool end) override;
  Verdict OnResponseBody(Buffer& data, bool end) override;
  Verdict OnResponseTrailers(Headers& trailers) override;
  void OnComplete(const StreamInfo& info) override;
  void Resume(Verdict verdict) { context().Resume(std::move(verdict)); }

 private:
  void Note(std::string_view hook, bool end, std::string_view data = {});
  ScriptedFactory& factory_;
};

class ScriptedFactory final : public FilterFactory {
 public:
  // `log` outlives the filters.
  ScriptedFactory(std::string name, Script script, std::vector<std::string>& log)
      : name_(std::move(name)), script_(std::move(script)), log_(log) {}
  ArenaPtr<Filter> Create(Arena& arena) override;
  uint8_t hooks() const override { return script_.hooks; }
  // The filter of the last stream; null when it was destroyed.
  ScriptedFilter* last() { return last_; }

 private:
  friend class ScriptedFilter;
  const std::string name_;
  const Script script_;
  std::vector<std::string>& log_;
  ScriptedFilter* last_ = nullptr;
};

}  // namespace sluice

#endif  // SLUICE_TESTS_SUPPORT_SCRIPTED_FILTER_H_
