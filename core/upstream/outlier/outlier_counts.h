// OutlierCounts: what outlier detection knows of an endpoint, in words that all workers and the
// next process share: failures in a row, the requests of the current interval, the ejection. A
// handle, copied freely; it borrows the words.
//
// Workers count; the main thread judges, ejects and takes back. Where two processes, or two
// configurations, have the endpoint during a restart or reload, both judge by the same words, and a
// compare-and-swap says whose ejection it was.
#ifndef SLUICE_CORE_UPSTREAM_OUTLIER_OUTLIER_COUNTS_H_
#define SLUICE_CORE_UPSTREAM_OUTLIER_OUTLIER_COUNTS_H_

#include <cstdint>

#include "core/base/clock.h"
#include "core/stats/shared_word.h"
#include "core/upstream/outlier/ejection_cause.h"
#include "core/upstream/outlier/outlier_settings.h"

namespace sluice {

// Of requests that are over.
struct OutlierInterval {
  uint64_t requests = 0;
  uint64_t successes = 0;
  uint64_t latencies = 0;  // how many were measured
  uint64_t latency = 0;    // their sum, in nanoseconds
};

enum class EndpointFailure : uint8_t {
  kServer,       // 5xx, but for
  kGateway,      // 502, 503, 504
  kLocalOrigin,  // connects that fail, connections that break, our time-outs
};

class OutlierCounts {
 public:
  OutlierCounts() = default;  // may only be assigned to
  // `words` are the endpoint's, of which it uses those from the fifth on.
  explicit OutlierCounts(SharedWords words) : words_(words) {}

  // Any worker's thread.

  // An endpoint that is well is only read.
  void AddSuccess();
  // Says whether it was the one too many in a row, or a multiple of that: the main thread is to
  // hear of it.
  bool AddFailure(EndpointFailure failure, const OutlierSettings& settings);
  // Of latencies no more than fits between two sweeps: 16 million, or 12 days together.
  void AddInterval(const OutlierInterval& interval);

  // Main thread.

  // What became too much in a row since the last call.
  EjectionCauses TakeTriggered();
  // What was counted since the last call.
  OutlierInterval TakeInterval();

  // 0: it is not ejected.
  Nanos ejected_until() const { return static_cast<Nanos>(words_[kEjectedUntil].Load()); }
  bool ejected() const { return ejected_until() != 0; }
  // How many ejections it has against it.
  uint64_t ejections() const { return words_[kEjections].Load(); }
  // When the last ejection was over; 0: there was none.
  Nanos returned_at() const { return static_cast<Nanos>(words_[kReturnedAt].Load()); }
  Nanos average_latency() const { return static_cast<Nanos>(words_[kLatencyAverage].Load()); }

  // False: it is ejected already.
  bool Eject(Nanos until, uint64_t ejections);
  // It begins anew, but for the number of ejections. False: it is not ejected.
  bool Return(Nanos now);
  // The ejection is void: nobody was there to see it end.
  void ForgetEjection() { words_[kEjectedUntil].Store(0); }
  void set_ejections(uint64_t ejections) { words_[kEjections].Store(ejections); }
  void set_average_latency(Nanos latency) {
    words_[kLatencyAverage].Store(static_cast<uint64_t>(latency));
  }

 private:
  // What the main thread writes lies on the first cache line, behind the endpoint's health; what
  // workers write on the second.
  enum Place : size_t {
    kEjectedUntil = 4,
    kEjections = 5,
    kReturnedAt = 6,
    kLatencyAverage = 7,
    kTriggered = 8,
    kConsecutive5xx = 9,
    kConsecutiveGateway = 10,
    kConsecutiveLocalOrigin = 11,
    kAnswers = 12,  // requests (32 bits), successes (32 bits)
    kLatency = 13,  // the sum in microseconds (40 bits), how many (24 bits)
  };

  void Reset(Place place);
  bool Step(Place place, uint32_t threshold, EjectionCause cause);
  uint64_t Take(Place place);

  SharedWords words_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_OUTLIER_OUTLIER_COUNTS_H_
