#include "filters/access_log/log_ring.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>

namespace sluice::access_log {
namespace {

TEST(LogRingTest, LinesComeOutInOrderAndAcrossTheEnd) {
  LogRing ring(16);
  std::string out;
  std::string expected;
  for (int i = 0; i < 40; ++i) {
    const std::string line = "line" + std::to_string(i) + "\n";
    ASSERT_TRUE(ring.Append(line));
    expected += line;
    EXPECT_FALSE(ring.empty());
    ring.TakeAll(out);
    EXPECT_TRUE(ring.empty());
  }
  EXPECT_EQ(out, expected);
}

TEST(LogRingTest, WhatDoesNotFitIsRefusedWhole) {
  LogRing ring(16);
  EXPECT_TRUE(ring.Append("0123456789\n"));
  EXPECT_FALSE(ring.Append("012345\n"));
  EXPECT_TRUE(ring.Append("0123\n"));  // to the last byte
  EXPECT_FALSE(ring.Append("\n"));
  std::string out;
  ring.TakeAll(out);
  EXPECT_EQ(out, "0123456789\n0123\n");
  EXPECT_TRUE(ring.Append("012345678901234\n"));
  EXPECT_FALSE(LogRing(16).Append("0123456789012345\n"));
}

TEST(LogRingTest, SizesArePowersOfTwo) {
  EXPECT_EQ(LogRing(16).size(), 16U);
  EXPECT_EQ(LogRing(17).size(), 32U);
  EXPECT_EQ(LogRing(65'000).size(), 65'536U);
}

TEST(LogRingTest, HalfFull) {
  LogRing ring(16);
  EXPECT_FALSE(ring.HalfFull());
  ASSERT_TRUE(ring.Append("0123456\n"));
  EXPECT_FALSE(ring.HalfFull());
  ASSERT_TRUE(ring.Append("\n"));
  EXPECT_TRUE(ring.HalfFull());
  std::string out;
  ring.TakeAll(out);
  EXPECT_FALSE(ring.HalfFull());
}

TEST(LogRingTest, CountsAreTakenOnce) {
  LogRing ring(16);
  ring.Count({1, 10, 2, 0});
  ring.Count({1, 10, 0, 3});
  const LogCounts counts = ring.TakeCounts();
  EXPECT_EQ(counts.lines, 2U);
  EXPECT_EQ(counts.bytes, 20U);
  EXPECT_EQ(counts.lost, 2U);
  EXPECT_EQ(counts.errors, 3U);
  EXPECT_EQ(ring.TakeCounts().lines, 0U);
  ring.Count({5, 0, 0, 0});
  EXPECT_EQ(ring.TakeCounts().lines, 5U);
}

TEST(LogRingTest, OneThreadFillsWhileAnotherEmpties) {
  constexpr int kLines = 50'000;
  LogRing ring(256);
  std::string expected;
  for (int i = 0; i < kLines; ++i) expected += std::to_string(i) + "\n";
  std::thread producer([&ring] {
    for (int i = 0; i < kLines; ++i) {
      const std::string line = std::to_string(i) + "\n";
      while (!ring.Append(line)) std::this_thread::yield();
    }
  });
  std::string out;
  while (out.size() < expected.size()) {
    if (ring.empty()) std::this_thread::yield();
    ring.TakeAll(out);
    ring.Count({1, 0, 0, 0});
  }
  producer.join();
  EXPECT_EQ(out, expected);
  EXPECT_TRUE(ring.empty());
}

}  // namespace
}  // namespace sluice::access_log
