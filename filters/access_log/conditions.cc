#include "filters/access_log/conditions.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/strings.h"
#include "core/config/text.h"
#include "filters/access_log/access_log.pb.h"

namespace sluice::access_log {
namespace {

constexpr uint16_t kMaxStatus = 599;

std::optional<uint16_t> ParseStatus(std::string_view text) {
  const auto status = ParseDecimal(text);
  if (!status || *status > kMaxStatus) return {};
  return static_cast<uint16_t>(*status);
}

// "404", "400-499", "5xx".
std::optional<std::pair<uint16_t, uint16_t>> ParseStatuses(std::string_view text) {
  if (text.size() == 3 && text.substr(1) == "xx" && text[0] >= '1' && text[0] <= '5') {
    const auto from = static_cast<uint16_t>((text[0] - '0') * 100);
    return {{from, static_cast<uint16_t>(from + 99)}};
  }
  const size_t dash = text.find('-');
  const auto from = ParseStatus(text.substr(0, dash));
  const auto to = dash == std::string_view::npos ? from : ParseStatus(text.substr(dash + 1));
  if (!from || !to || *from > *to) return {};
  return {{*from, *to}};
}

Result<uint32_t> ParseFlag(std::string_view text) {
  constexpr auto kCount = static_cast<uint32_t>(ResponseFlag::kCount);
  if (text == "any") return (uint32_t{1} << kCount) - 1;
  const ResponseFlag flag = FindResponseFlag(text);
  if (flag != ResponseFlag::kNone) {
    ResponseFlags flags;
    flags.Set(flag);
    return flags.bits();
  }
  std::vector<std::string> names = {"any"};
  for (uint32_t i = 1; i < kCount; ++i) {
    names.emplace_back(ResponseFlagName(static_cast<ResponseFlag>(i)));
  }
  return Fail(Code::kInvalidArgument,
              StrCat({"no response flag ", Quoted(text), DidYouMean(text, names)}));
}

// Spreads ids, whatever they look like, evenly over 2^64: FNV-1a, then the finaliser of
// MurmurHash3. The same in every process and release: logs of several instances choose the same
// requests.
uint64_t HashId(std::string_view id) {
  uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : id) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdU;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53U;
  return hash ^ (hash >> 33);
}

std::string Numbered(const char* field, int index) {
  return StrCat({field, "[", Decimal(static_cast<uint64_t>(index)), "]: "});
}

}  // namespace

Result<Conditions> Conditions::Compile(const When& when) {
  Conditions conditions;
  for (int i = 0; i < when.statuses_size(); ++i) {
    const auto range = ParseStatuses(when.statuses(i));
    if (!range) {
      return Fail(Code::kInvalidArgument,
                  StrCat({Numbered("statuses", i), "expected 404, 400-499 or 5xx, got ",
                          Quoted(when.statuses(i))}));
    }
    conditions.statuses_.push_back({range->first, range->second});
  }
  for (int i = 0; i < when.flags_size(); ++i) {
    const auto flag = ParseFlag(when.flags(i));
    if (!flag) return Fail(Code::kInvalidArgument, Numbered("flags", i) + flag.error().detail);
    conditions.flags_ |= *flag;
  }
  for (int i = 0; i < when.headers_size(); ++i) {
    auto test = RouteValueTest::Compile(when.headers(i));
    if (!test) return Fail(Code::kInvalidArgument, Numbered("headers", i) + test.error().detail);
    conditions.headers_.push_back(std::move(*test));
  }
  conditions.min_duration_ = when.min_duration();
  if (when.has_sample()) {
    // 100% is every hash: 2^64 itself does not fit.
    conditions.sample_ =
        when.sample() >= 100 ? UINT64_MAX : static_cast<uint64_t>(when.sample() / 100 * 0x1p64);
  }
  conditions.any_ = when.any();
  conditions.count_ = (conditions.statuses_.empty() ? 0 : 1) + (conditions.flags_ == 0 ? 0 : 1) +
                      (conditions.headers_.empty() ? 0 : 1) +
                      (conditions.min_duration_ == 0 ? 0 : 1) + (conditions.sample_ ? 1 : 0);
  if (conditions.any_ && conditions.count_ == 0) {
    return Fail(Code::kInvalidArgument, "any: there is no condition");
  }
  return conditions;
}

bool Conditions::Hold(const StreamInfo& info, Random& random) const {
  // With `any` the first that holds decides, else the first that does not.
  if (!statuses_.empty() && StatusFits(info.status) == any_) return any_;
  if (flags_ != 0 && ((info.flags.bits() & flags_) != 0) == any_) return any_;
  if (min_duration_ != 0 && (info.end - info.start >= min_duration_) == any_) return any_;
  if (!headers_.empty() && HeadersFit(info) == any_) return any_;
  if (sample_ && Sampled(info, random) == any_) return any_;
  return !any_;
}

bool Conditions::StatusFits(uint16_t status) const {
  return std::any_of(statuses_.begin(), statuses_.end(), [status](const StatusRange& range) {
    return status >= range.from && status <= range.to;
  });
}

bool Conditions::HeadersFit(const StreamInfo& info) const {
  return std::all_of(headers_.begin(), headers_.end(), [&info](const RouteValueTest& test) {
    return test.Holds(info.request == nullptr ? std::nullopt
                                              : info.request->headers.GetJoined(test.name()));
  });
}

bool Conditions::Sampled(const StreamInfo& info, Random& random) const {
  if (*sample_ == UINT64_MAX) return true;
  return (info.request_id.empty() ? random.Next() : HashId(info.request_id)) < *sample_;
}

}  // namespace sluice::access_log
