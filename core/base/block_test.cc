#include "core/base/block.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <thread>
#include <vector>

namespace sluice {
namespace {

TEST(Block, HasRoomAndIsAligned) {
  for (const uint32_t size :
       {0u, 1u, Block::kSmall, Block::kSmall + 1, Block::kLarge, Block::kLarge + 1, 1'000'000u}) {
    Block* block = Block::New(size);
    EXPECT_GE(block->capacity(), size);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block->data()) % 16, 0u);
    EXPECT_EQ(block->used(), 0u);
    std::memset(block->data(), 0xab, block->capacity());
    EXPECT_FALSE(block->shared());
    block->Ref();
    EXPECT_TRUE(block->shared());
    block->Unref();
    block->Unref();
  }
}

TEST(Block, TheFreeListsAreBounded) {
  std::vector<Block*> blocks;
  for (int i = 0; i < 1000; ++i) blocks.push_back(Block::New(i % 2 == 0 ? 1 : Block::kLarge));
  for (Block* block : blocks) block->Unref();
  EXPECT_LE(Block::PooledBytes(), 8u * 1024 * 1024);
  Block* block = Block::New(1);
  block->set_used(10);
  block->Unref();
  block = Block::New(1);
  EXPECT_EQ(block->used(), 0u);  // whether it comes from a list or not
  block->Unref();
}

TEST(Block, AThreadsListsEndWithIt) {
  const size_t before = Block::PooledBytes();
  std::thread([] { Block::New(1)->Unref(); }).join();  // LeakSanitizer would say otherwise
  EXPECT_EQ(Block::PooledBytes(), before);
}

}  // namespace
}  // namespace sluice
