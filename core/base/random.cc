#include "core/base/random.h"

#include <sys/random.h>

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
  uint64_t words[2] = {random.Next(), random.Next()};
  unsigned char bytes[16];
  for (int i = 0; i < 16; ++i) bytes[i] = static_cast<unsigned char>(words[i / 8] >> (8 * (i % 8)));
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  for (int i = 0; i < 16; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
    *out++ = kHex.pair[bytes[i]][0];
    *out++ = kHex.pair[bytes[i]][1];
  }
}

}  // namespace sluice
