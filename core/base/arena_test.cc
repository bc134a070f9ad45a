#include "core/base/arena.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace sluice {
namespace {

struct Counted {
  explicit Counted(int& count) : alive(count) { ++alive; }
  ~Counted() { --alive; }
  int& alive;
};

TEST(Arena, AlignsAndDoesNotOverlap) {
  alignas(16) char memory[256];
  Arena arena(memory, sizeof(memory));
  std::vector<std::pair<char*, size_t>> taken;
  for (size_t i = 0; i < 200; ++i) {
    const size_t size = i * 37 % 90;
    const size_t alignment = size_t{1} << (i % 5);
    char* place = static_cast<char*>(arena.Allocate(size, alignment));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(place) % alignment, 0u);
    std::memset(place, static_cast<int>(i), size);
    taken.emplace_back(place, size);
  }
  for (size_t i = 0; i < taken.size(); ++i) {
    const std::string expected(taken[i].second, static_cast<char>(i));
    EXPECT_EQ(std::string(taken[i].first, taken[i].second), expected) << i;
  }
}

TEST(Arena, StartsWithTheCallersMemory) {
#if defined(SLUICE_SANITIZE)
  GTEST_SKIP() << "each object is a malloc of its own here";
#endif
  alignas(16) char memory[64];
  Arena arena(memory, sizeof(memory));
  EXPECT_EQ(arena.Allocate(48), memory);
  char* const chunk = static_cast<char*>(arena.Allocate(48));
  arena.Allocate(100'000);  // on its own: what the chunk has left is still used
  EXPECT_EQ(arena.Allocate(48), chunk + 48);
}

TEST(Arena, PointersRunDestructors) {
  int alive = 0;
  Arena arena;
  {
    const ArenaPtr<Counted> first = arena.Make<Counted>(alive);
    ArenaPtr<Counted> second = arena.Make<Counted>(alive);
    EXPECT_EQ(alive, 2);
    second.reset();
    EXPECT_EQ(alive, 1);
  }
  EXPECT_EQ(alive, 0);
}

TEST(Arena, TextAndArrays) {
  Arena arena;
  std::string text = "header value";
  const std::string_view copy = arena.Copy(text);
  text = "changed";
  EXPECT_EQ(copy, "header value");
  EXPECT_EQ(arena.Copy(""), "");
  EXPECT_EQ(arena.Join({"a", "", "bc", std::string_view()}), "abc");
  EXPECT_EQ(arena.Join({}), "");
  uint64_t* numbers = arena.AllocateArray<uint64_t>(1000);
  for (size_t i = 0; i < 1000; ++i) numbers[i] = i;
  EXPECT_EQ(numbers[999], 999u);
}

}  // namespace
}  // namespace sluice
