// Random: xoshiro256++ (Blackman and Vigna, https://prng.di.unimi.it), seeded from the kernel or by
// a test. For balancing, jitter and ids that need to be unique; never for secrets.
#ifndef SLUICE_CORE_BASE_RANDOM_H_
#define SLUICE_CORE_BASE_RANDOM_H_

#include <cstdint>

namespace sluice {

class Random {
 public:
  using result_type = uint64_t;

  Random();                        // seeded by getrandom(2)
  explicit Random(uint64_t seed);  // the same sequence each time

  uint64_t Next() {
    const uint64_t result = Rotate(state_[0] + state_[3], 23) + state_[0];
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = Rotate(state_[3], 45);
    return result;
  }
  // Uniform in [0, bound); Lemire's multiply-shift, whose bias is below bound / 2^64.
  uint64_t Below(uint64_t bound) {
    __extension__ using Wide = unsigned __int128;
    return static_cast<uint64_t>((static_cast<Wide>(Next()) * bound) >> 64);
  }
  // Uniform in [0, 1).
  double Fraction() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

 private:
  static uint64_t Rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }
  uint64_t state_[4];
};

// Writes a version 4 UUID (RFC 9562) in its 36-character form to `out`.
void WriteUuid4(Random& random, char* out);

}  // namespace sluice

#endif  // SLUICE_CORE_BASE_RANDOM_H_
