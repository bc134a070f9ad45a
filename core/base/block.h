// Block: a reference-counted run of bytes; the memory behind every Slice. Blocks come from free
// lists of the thread that uses them and never cross threads, so the count is not atomic.
//
// Invariant: bytes [0, used) have been handed out to slices; [used, capacity) belong to whoever
// holds the slice that ends at `used`, and to nobody else.
#ifndef SLUICE_CORE_BASE_BLOCK_H_
#define SLUICE_CORE_BASE_BLOCK_H_

#include <cstddef>
#include <cstdint>

namespace sluice {

class Block {
 public:
  // The sizes that are pooled. kSmall is what an ordinary read takes: a body of 16 KiB comes in one
  // piece with its head. kLarge is what a long body takes: what one segment carries over loopback,
  // whose MTU is 64 KiB. A little more, and each piece leaves as two segments: a fifth more CPU.
  static constexpr uint32_t kSmall = 20 * 1024;
  static constexpr uint32_t kLarge = 64 * 1024 - 128;

  // A block with one reference and at least `capacity` bytes; pooled when capacity fits a pooled
  // size, from malloc when larger.
  static Block* New(uint32_t capacity);

  void Ref() { ++refs_; }
  void Unref() {
    if (--refs_ == 0) Free(this);
  }
  bool shared() const { return refs_ > 1; }

  char* data() { return reinterpret_cast<char*>(this + 1); }
  uint32_t capacity() const { return capacity_; }
  uint32_t used() const { return used_; }
  void set_used(uint32_t used) { used_ = used; }

  // Bytes that this thread's free lists hold, until it ends.
  static size_t PooledBytes();

 private:
  friend struct BlockPool;
  static void Free(Block* block);

  uint32_t refs_ = 1;
  uint32_t capacity_ = 0;
  uint32_t used_ = 0;
  uint32_t size_class_ = 0;
  Block* next_ = nullptr;                  // in a free list
  [[maybe_unused]] uint64_t padding_ = 0;  // keeps data() at a multiple of 16
};

}  // namespace sluice

#endif  // SLUICE_CORE_BASE_BLOCK_H_
