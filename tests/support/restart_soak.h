// The real binary restarted, or made to load its configuration again, many times under load, with
// what must hold then: no request lost, counters exact and never smaller than before, nothing left
// over. A few times in the suite (tests/blackbox), many in tests/soak.
#ifndef SLUICE_TESTS_SUPPORT_RESTART_SOAK_H_
#define SLUICE_TESTS_SUPPORT_RESTART_SOAK_H_

#include <cstdint>
#include <string>

namespace sluice::test {

// REQUIRES: wrk is in the path. `binary`: SLUICE_BINARY.
void SoakRestarts(const std::string& binary, int restarts);

// A download of so many bytes goes on all the while.
void SoakReloads(const std::string& binary, int reloads, uint64_t download_size);

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_RESTART_SOAK_H_
