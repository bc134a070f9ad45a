#include "core/base/back_off.h"

#include <algorithm>

#include "core/base/random.h"

namespace sluice {
namespace {

Nanos Between(Nanos least, Nanos most, Random& random) {
  return least + static_cast<Nanos>(random.Below(static_cast<uint64_t>(most - least) + 1));
}

// Without jitter. `n` counts from 1.
Nanos Grown(const BackOffSettings& settings, uint32_t n) {
  switch (settings.growth) {
    case BackOffSettings::Growth::kFixed:
      break;
    case BackOffSettings::Growth::kLinear:
      return settings.base > settings.most / n ? settings.most : settings.base * n;
    case BackOffSettings::Growth::kExponential: {
      const uint32_t doublings = std::min<uint32_t>(n - 1, 62);
      if (settings.base > (settings.most >> doublings)) return settings.most;
      return settings.base << doublings;
    }
  }
  return std::min(settings.base, settings.most);
}

}  // namespace

Nanos BackOff::Next(const BackOffSettings& settings, Random& random) {
  ++waits_;
  const Nanos grown = Grown(settings, waits_);
  switch (settings.jitter) {
    case BackOffSettings::Jitter::kNone:
      return grown;
    case BackOffSettings::Jitter::kEqual:
      return Between(grown / 2, grown, random);
    case BackOffSettings::Jitter::kFull:
      return Between(0, grown, random);
    case BackOffSettings::Jitter::kDecorrelated:
      break;
  }
  const Nanos base = std::min(settings.base, settings.most);
  const Nanos before = std::max(last_, base);
  const Nanos most = before > settings.most / 3 ? settings.most : before * 3;
  last_ = Between(base, most, random);
  return last_;
}

}  // namespace sluice
