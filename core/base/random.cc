#include "core/base/random.h"

#include <sys/random.h>

#include <cstring>

#include "core/base/check.h"

namespace sluice {
namespace {

// splitmix64, the seeding that xoshiro's authors recommend.
uint64_t SplitMix(uint64_t& x) {
  uint64_t z = (x += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

struct HexPairs {
  char pair[256][2];
  constexpr HexPairs() : pair() {
    constexpr char kDigits[] = "0123456789abcdef";
    for (int i = 0; i < 256; ++i) {
      pair[i][0] = kDigits[i >> 4];
      pair[i][1] = kDigits[i & 15];
    }
  }
};
constexpr HexPairs kHex;

}  // namespace

Random::Random() : Random(0) {
  uint64_t seed[4];
  if (getrandom(seed, sizeof(seed), 0) == static_cast<ssize_t>(sizeof(seed))) {
    for (int i = 0; i < 4; ++i) state_[i] ^= seed[i];
  }
}

Random::Random(uint64_t seed) {
  for (uint64_t& word : state_) word = SplitMix(seed);
}

void WriteUuid4(Random& random, char* out) {
  // RFC 9562 5.4: the version and the variant, in bytes 6 and 8 from the left.
  const uint64_t high = (random.Next() & ~uint64_t{0xf000}) | 0x4000;
  const uint64_t low = (random.Next() & ~(uint64_t{3} << 62)) | uint64_t{1} << 63;
  const auto put = [](char* at, uint64_t word, int shift) {
    std::memcpy(at, kHex.pair[word >> shift & 0xff], 2);
  };
  for (int i = 0; i < 4; ++i) put(out + 2 * i, high, 56 - 8 * i);
  for (int i = 0; i < 2; ++i) put(out + 9 + 2 * i, high, 24 - 8 * i);
  for (int i = 0; i < 2; ++i) put(out + 14 + 2 * i, high, 8 - 8 * i);
  for (int i = 0; i < 2; ++i) put(out + 19 + 2 * i, low, 56 - 8 * i);
  for (int i = 0; i < 6; ++i) put(out + 24 + 2 * i, low, 40 - 8 * i);
  out[8] = out[13] = out[18] = out[23] = '-';
}

}  // namespace sluice
