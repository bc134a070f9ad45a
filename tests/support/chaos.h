// Chaos: upstreams that close, stall, truncate and reset at every stage, clients that leave,
// dribble and do not read, all drawn from a seed; the proxy between them. Every body carries its
// request's id, so that a wrong one shows; at the end the counters must add up and nothing may be
// left.
#ifndef SLUICE_TESTS_SUPPORT_CHAOS_H_
#define SLUICE_TESTS_SUPPORT_CHAOS_H_

#include <cstddef>
#include <cstdint>

namespace sluice::test {

struct ChaosResult {
  size_t whole = 0;      // answers of an upstream, and right
  size_t refused = 0;    // our own answers: 4xx, 5xx
  size_t cut = 0;        // answers that ended early, and showed it
  size_t abandoned = 0;  // the client left
};

// Sends so many requests. Faults fail the test.
ChaosResult RunChaos(uint64_t seed, size_t requests);

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_CHAOS_H_
