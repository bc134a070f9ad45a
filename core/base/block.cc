#include "core/base/block.h"

#include <cstdlib>
#include <new>

#include "core/base/check.h"

namespace sluice {
namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr bool kPooled = false;  // so that the sanitizer sees each block's end
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool kPooled = false;
#else
constexpr bool kPooled = true;
#endif
#elif defined(__SANITIZE_THREAD__)
constexpr bool kPooled = false;
#else
constexpr bool kPooled = true;
#endif

// Blocks of one size would all start on the same cache sets: each is padded by a few lines so that
// the heads of requests, which is what is hot, spread over the cache.
constexpr size_t kColour = 5 * 64;

constexpr uint32_t kClassSize[] = {Block::kSmall, Block::kLarge};
// Of each size so much is kept; the rest goes back to malloc.
constexpr uint32_t kMaxKeptBytes = 4 * 1024 * 1024;
constexpr uint32_t kMaxKept[] = {kMaxKeptBytes / Block::kSmall, kMaxKeptBytes / Block::kLarge};
constexpr uint32_t kUnpooled = 2;

}  // namespace

struct BlockPool {
  Block* free[2] = {nullptr, nullptr};
  uint32_t kept[2] = {0, 0};
  bool closed = false;  // the thread is ending: what comes back now goes to free()

  ~BlockPool() {
    for (Block*& first : free) {
      while (Block* block = first) {
        first = block->next_;
        std::free(block);
      }
    }
    closed = true;
  }

  Block* New(uint32_t capacity) {
    const uint32_t size_class = capacity <= Block::kSmall   ? 0U
                                : capacity <= Block::kLarge ? 1U
                                                            : kUnpooled;
    if (size_class != kUnpooled) {
      if (Block* block = free[size_class]) {
        free[size_class] = block->next_;
        --kept[size_class];
        block->refs_ = 1;
        block->used_ = 0;
        return block;
      }
      capacity = kClassSize[size_class];
    }
    void* memory = std::malloc(sizeof(Block) + capacity + (kPooled ? kColour : 0));
    CHECK(memory != nullptr);
    Block* block = new (memory) Block;
    block->capacity_ = capacity;
    block->size_class_ = size_class;
    return block;
  }

  void Free(Block* block) {
    const uint32_t size_class = block->size_class_;
    if (!kPooled || closed || size_class == kUnpooled || kept[size_class] >= kMaxKept[size_class]) {
      std::free(block);
      return;
    }
    block->next_ = free[size_class];
    free[size_class] = block;
    ++kept[size_class];
  }
};

namespace {
thread_local BlockPool pool;
}  // namespace

Block* Block::New(uint32_t capacity) { return pool.New(capacity); }
void Block::Free(Block* block) { pool.Free(block); }

size_t Block::PooledBytes() {
  return size_t{pool.kept[0]} * kSmall + size_t{pool.kept[1]} * kLarge;
}

}  // namespace sluice
