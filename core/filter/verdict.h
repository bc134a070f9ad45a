// Verdict: what a filter answers to every hook, at once or later through FilterContext::Resume. Two
// words; nothing is allocated on the way that goes on.
#ifndef SLUICE_CORE_FILTER_VERDICT_H_
#define SLUICE_CORE_FILTER_VERDICT_H_

#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/base/result.h"
#include "core/filter/local_reply.h"

namespace sluice {

class [[nodiscard]] Verdict {
 public:
  enum class Kind : uint8_t { kContinue, kPause, kCollectBody, kRespond, kAbort };

  // Go on to the next filter.
  static Verdict Continue() { return Verdict(Kind::kContinue); }
  // Hold it here; Resume(verdict) follows.
  static Verdict Pause() { return Verdict(Kind::kPause); }
  // Show me the whole body once, in one body hook with end=true, then I decide. A body of more than
  // `limit` bytes is answered with 413; on a response with 500. Only from a headers hook.
  static Verdict CollectBody(size_t limit) {
    Verdict verdict(Kind::kCollectBody);
    verdict.limit_ = limit;
    return verdict;
  }
  // Answer here. The filters before this one still see the response. After the response's headers
  // left, the same as Abort.
  static Verdict Respond(LocalReply reply) {
    Verdict verdict(Kind::kRespond);
    verdict.reply_ = new LocalReply(std::move(reply));
    return verdict;
  }
  // Reset both sides.
  static Verdict Abort(Error error) {
    Verdict verdict(Kind::kAbort);
    verdict.error_ = new Error(std::move(error));
    return verdict;
  }

  Verdict(Verdict&& other) noexcept
      : kind_(std::exchange(other.kind_, Kind::kContinue)), limit_(other.limit_) {}
  Verdict& operator=(Verdict&& other) noexcept {
    std::swap(kind_, other.kind_);
    std::swap(limit_, other.limit_);
    return *this;
  }
  ~Verdict() {
    if (kind_ >= Kind::kRespond) [[unlikely]]
      Free();
  }

  Kind kind() const { return kind_; }
  bool goes_on() const { return kind_ == Kind::kContinue; }
  // Each REQUIRES the kind it is for.
  size_t limit() const { return limit_; }
  LocalReply& reply() { return *reply_; }
  Error& error() { return *error_; }

 private:
  explicit Verdict(Kind kind) : kind_(kind), limit_(0) {}
  void Free();

  Kind kind_;
  union {
    size_t limit_;
    LocalReply* reply_;
    Error* error_;
  };
};
static_assert(sizeof(size_t) == sizeof(void*), "the union moves as one word");

}  // namespace sluice

#endif  // SLUICE_CORE_FILTER_VERDICT_H_
