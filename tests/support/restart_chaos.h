// One process of a restart killed or stopped at one step of it, with the real binary: who serves
// then, and that the next restart is as good as the first. Some in the suite (tests/blackbox), the
// others in tests/soak; tests/README.md lists what comes of each.
#ifndef SLUICE_TESTS_SUPPORT_RESTART_CHAOS_H_
#define SLUICE_TESTS_SUPPORT_RESTART_CHAOS_H_

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::test {

struct RestartChaosCase {
  int signal;  // SIGKILL or SIGSTOP
  bool old;    // the old process, or the new one
  std::string_view step;

  std::string Name() const;  // "KillOldAtOffered"
};
std::ostream& operator<<(std::ostream& out, const RestartChaosCase& value);

// Each step, in order.
std::vector<RestartChaosCase> RestartChaosCases(int signal, bool old);

// `binary`: SLUICE_BINARY.
void RunRestartChaos(const std::string& binary, const RestartChaosCase& chaos);

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_RESTART_CHAOS_H_
