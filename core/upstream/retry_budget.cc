#include "core/upstream/retry_budget.h"

#include <algorithm>

namespace sluice {
namespace {

// A slot is the second it counts (24 bits), the retries (16 bits) and the requests (24 bits) of it.
constexpr int kRequestBits = 24;
constexpr int kRetryBits = 16;
constexpr uint64_t kMostRequests = (uint64_t{1} << kRequestBits) - 1;
constexpr uint64_t kMostRetries = (uint64_t{1} << kRetryBits) - 1;

uint64_t StampOf(int64_t second) {
  return static_cast<uint64_t>(second) << (kRequestBits + kRetryBits);
}
bool IsOf(uint64_t slot, int64_t second) {
  return (slot ^ StampOf(second)) >> (kRequestBits + kRetryBits) == 0;
}
uint64_t RequestsOf(uint64_t slot) { return slot & kMostRequests; }
uint64_t RetriesOf(uint64_t slot) { return slot >> kRequestBits & kMostRetries; }

// Adds to the slot of `second`, as far as it has room. Nothing, where it counts a later second.
void Add(SharedWord word, int64_t second, uint64_t requests, uint64_t retries) {
  uint64_t slot = word.Load();
  while (true) {
    const bool same = IsOf(slot, second);
    const uint64_t all_requests = std::min(kMostRequests, (same ? RequestsOf(slot) : 0) + requests);
    const uint64_t all_retries = std::min(kMostRetries, (same ? RetriesOf(slot) : 0) + retries);
    if (word.CompareExchange(slot, StampOf(second) | all_retries << kRequestBits | all_requests)) {
      return;
    }
  }
}

}  // namespace

void RetryBudget::Flush(int64_t second) {
  // What was counted too long ago is worth nothing any more, and its slot is another second's.
  if (requests_ > 0 && second - second_ < kWindow) {
    Add(words_[static_cast<size_t>(second_) % SharedWords::kCount], second_, requests_, 0);
  }
  requests_ = 0;
  second_ = second;
}

bool RetryBudget::Take(Nanos now) {
  const int64_t second = now / kSecond;
  Flush(second);
  uint64_t requests = 0;
  uint64_t retries = 0;
  for (int64_t i = 0; i < kWindow; ++i) {
    const int64_t each = second - i;
    if (each < 0) break;
    const uint64_t slot = words_[static_cast<size_t>(each) % SharedWords::kCount].Load();
    if (!IsOf(slot, each)) continue;
    requests += RequestsOf(slot);
    retries += RetriesOf(slot);
  }
  const double allowed =
      settings_.share * static_cast<double>(requests) + settings_.per_second * kWindow;
  if (static_cast<double>(retries + 1) > allowed) return false;
  Add(words_[static_cast<size_t>(second) % SharedWords::kCount], second, 0, 1);
  return true;
}

}  // namespace sluice
