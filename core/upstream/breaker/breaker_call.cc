#include "core/upstream/breaker/breaker_call.h"

#include <optional>
#include <string_view>

#include "core/base/check.h"
#include "core/base/strings.h"
#include "core/http/retry_after.h"

namespace sluice {
namespace {

bool IsSlow(const BreakerSettings& settings, Nanos latency) {
  return settings.slow_after > 0 && latency > settings.slow_after;
}

bool IsGrpc(const Headers& headers) {
  const auto type = headers.Get(HeaderId::kContentType);
  return type && type->starts_with("application/grpc");
}

}  // namespace

bool BreakerCall::EnterBreaker(Breaker& breaker, Random& random) {
  const Breaker::Admission admission = breaker.TryEnter(loop_.now(), random);
  if (!admission.admitted) {
    refusal_ = {&breaker, admission.state, admission.retry_after};
    return false;
  }
  if (admission.token.kind == BreakerToken::Kind::kNone) return true;
  CHECK(count_ < kBreakers);
  random_ = &random;
  has_head_ = false;
  entries_[count_++] = {&breaker, admission.token, {}};
  return true;
}

void BreakerCall::ReadHead(uint16_t status, const Headers& headers, Nanos latency) {
  has_head_ = true;
  if (IsGrpc(headers)) ReadGrpcStatus(headers);
  for (size_t i = count_; i > 0; --i) {
    Entry& entry = entries_[i - 1];
    const BreakerSettings& settings = entry.breaker->settings();
    BreakerOutcome& outcome = entry.outcome;
    outcome.slow = IsSlow(settings, latency);
    if (status < BreakerSettings::kStatuses && settings.statuses[status]) {
      outcome.failure = true;
      outcome.in_a_row = status != 429;
      if (status == 429 || status == 503) {
        outcome.retry_after = RetryAfter(headers, loop_.wall()).value_or(0);
      }
    }
    if (!outcome.failure) continue;
    Leave(entry);
    Remove(i - 1);
  }
}

void BreakerCall::ReadGrpcStatus(const Headers& headers) {
  const auto text = headers.Get("grpc-status");
  if (!text) return;
  const std::optional<uint64_t> status = ParseDecimal(*text);
  for (size_t i = 0; i < count_; ++i) {
    const BreakerSettings& settings = entries_[i].breaker->settings();
    if (status && *status < BreakerSettings::kGrpcStatuses && settings.grpc_statuses[*status]) {
      entries_[i].outcome.failure = true;
    }
  }
}

void BreakerCall::EndAll(TryOutcome verdict, Nanos latency) {
  while (count_ > 0) {
    Entry& entry = entries_[count_ - 1];
    const BreakerSettings& settings = entry.breaker->settings();
    if (!has_head_) entry.outcome.slow = IsSlow(settings, latency);
    bool says_something = entry.outcome.slow;
    switch (verdict) {
      case TryOutcome::kAnswered:
      case TryOutcome::kServerError:
        says_something = true;
        break;
      case TryOutcome::kNotConnected:
      case TryOutcome::kReset:
        entry.outcome.failure |= settings.resets;
        break;
      case TryOutcome::kTimedOut:
        entry.outcome.failure |= settings.timeouts;
        break;
      case TryOutcome::kCancelled:
        break;
    }
    if (says_something || entry.outcome.failure) {
      Leave(entry);
    } else {
      entry.breaker->Cancel(entry.token);
    }
    --count_;
  }
}

void BreakerCall::CancelAll() {
  while (count_ > 0) {
    const Entry& entry = entries_[--count_];
    entry.breaker->Cancel(entry.token);
  }
}

void BreakerCall::Leave(const Entry& entry) {
  entry.breaker->Leave(entry.token, entry.outcome, loop_.now(), *random_);
}

void BreakerCall::Remove(size_t index) { entries_[index] = entries_[--count_]; }

}  // namespace sluice
