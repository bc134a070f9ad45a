#include "core/base/clock.h"

#include <ctime>

namespace sluice {
namespace {

Nanos Read(clockid_t id) {
  timespec time;
  clock_gettime(id, &time);
  return Nanos{time.tv_sec} * kSecond + time.tv_nsec;
}

}  // namespace

Nanos SystemClock::Monotonic() { return Read(CLOCK_MONOTONIC); }
Nanos SystemClock::Wall() { return Read(CLOCK_REALTIME); }

}  // namespace sluice
