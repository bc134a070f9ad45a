// Buffer: bytes as a chain of slices that move between buffers without being copied. Slice: a view
// of a part of a Block that keeps the block alive. Share() gives a second owner of the same bytes,
// for a replay or a mirror. Of one thread, like the blocks.
//
// Bytes that can be reached through two slices are never written to; a slice grows in place only
// into room that nobody else has seen (block.h).
#ifndef SLUICE_CORE_BASE_BUFFER_H_
#define SLUICE_CORE_BASE_BUFFER_H_

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/block.h"

namespace sluice {

class Slice {
 public:
  Slice() = default;
  // Takes over the caller's reference to `block`.
  Slice(Block* block, uint32_t begin, uint32_t end) : block_(block), begin_(begin), end_(end) {}
  Slice(Slice&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)), begin_(other.begin_), end_(other.end_) {}
  Slice& operator=(Slice&& other) noexcept {
    if (this != &other) {
      Reset();
      block_ = std::exchange(other.block_, nullptr);
      begin_ = other.begin_;
      end_ = other.end_;
    }
    return *this;
  }
  ~Slice() { Reset(); }

  // A slice of a new block that holds a copy of `bytes`; without a block if there are none.
  static Slice Copy(std::string_view bytes);

  // A second owner of the same bytes.
  Slice Share() const {
    if (block_ != nullptr) block_->Ref();
    return Slice(block_, begin_, end_);
  }
  // A second owner of `size` bytes from `offset` on. REQUIRES: they lie within.
  Slice Share(size_t offset, size_t size) const {
    if (block_ != nullptr) block_->Ref();
    const uint32_t begin = begin_ + static_cast<uint32_t>(offset);
    return Slice(block_, begin, begin + static_cast<uint32_t>(size));
  }

  char* data() { return block_->data() + begin_; }
  const char* data() const { return block_->data() + begin_; }
  size_t size() const { return block_ == nullptr ? 0 : end_ - begin_; }
  bool empty() const { return size() == 0; }
  std::string_view view() const {
    return block_ == nullptr ? std::string_view() : std::string_view(data(), size());
  }

  void RemovePrefix(size_t n) { begin_ += static_cast<uint32_t>(n); }
  void RemoveSuffix(size_t n) { end_ -= static_cast<uint32_t>(n); }

  // Room behind the last byte that this slice may grow into.
  size_t tail_room() const {
    return block_ != nullptr && end_ == block_->used() ? block_->capacity() - end_ : 0;
  }
  // Grows by `n` bytes already written behind the last. REQUIRES: n <= tail_room().
  void Grow(size_t n) {
    if (n == 0) return;  // without room, others may have the bytes behind
    end_ += static_cast<uint32_t>(n);
    block_->set_used(end_);
  }

  void Reset() {
    if (block_ != nullptr) std::exchange(block_, nullptr)->Unref();
  }
  Block* block() const { return block_; }
  // The slice behind this one in the same block, so that both are one run of bytes?
  bool Precedes(const Slice& next) const {
    return block_ != nullptr && block_ == next.block_ && end_ == next.begin_;
  }
  // Joins `next` to this slice. REQUIRES: Precedes(next).
  void Join(Slice next) { end_ = next.end_; }

 private:
  Block* block_ = nullptr;
  uint32_t begin_ = 0;
  uint32_t end_ = 0;
};

class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::string_view bytes) { Append(bytes); }
  explicit Buffer(Slice slice) { Append(std::move(slice)); }
  Buffer(Buffer&& other) noexcept { Steal(other); }
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) {
      Drop();
      Steal(other);
    }
    return *this;
  }
  ~Buffer() { Drop(); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // Copies `bytes` in, behind the last byte.
  void Append(std::string_view bytes);
  // Takes the slice over, without a copy; a small one may be copied to the last block's room.
  void Append(Slice slice);
  // Takes everything that `other` holds, without a copy; `other` is empty afterwards.
  void Append(Buffer&& other);
  // Takes the first `n` bytes of `other`. REQUIRES: n <= other.size().
  void MoveFrom(Buffer& other, size_t n);
  // Puts the slice before the first byte.
  void Prepend(Slice slice);
  // Drops the first `n` bytes. REQUIRES: n <= size().
  void Consume(size_t n);
  void Clear() {
    if (count_ > 0) DropSlices();
  }

  // A second owner of the same bytes.
  Buffer Share() const;

  // A writable run of at least `min` bytes behind the last byte, in the last block or in a new one
  // of at least `preferred` bytes. What was written there is added with Commit. Nothing else may be
  // done with the buffer in between.
  struct Room {
    char* data;
    size_t size;
  };
  Room Reserve(size_t min, size_t preferred = Block::kSmall);
  void Commit(size_t n);
  // Gives an unused block of Reserve back, if nothing was committed to it.
  void DropReserve();

  // The slices, first to last.
  size_t slice_count() const { return count_; }
  Slice& slice(size_t i) { return slices()[first_ + i]; }
  const Slice& slice(size_t i) const { return slices()[first_ + i]; }
  Slice& front() { return slice(0); }
  Slice PopFront();

  // Fills `vectors` with up to `max` runs from the first byte on; returns how many.
  int FillVectors(struct iovec* vectors, int max) const;
  // All bytes as one run; copies into one block if they are in several.
  std::string_view Flatten();
  std::string ToString() const;

 private:
  static constexpr uint32_t kInline = 3;

  Slice* slices() { return spill_ != nullptr ? spill_ : inline_; }
  const Slice* slices() const { return spill_ != nullptr ? spill_ : inline_; }
  void MakeRoomAtEnd();
  void Steal(Buffer& other) noexcept;
  // A request meets a dozen that end empty: those cost two tests.
  void Drop() {
    Clear();
    if (spill_ != nullptr) FreeSpill();
  }
  void FreeSpill();
  void DropSlices();
  void DropFront();

  size_t size_ = 0;
  uint32_t first_ = 0;
  uint32_t count_ = 0;
  uint32_t capacity_ = kInline;
  Slice* spill_ = nullptr;  // an array of capacity_ slices, when more than kInline were needed
  Slice inline_[kInline];
};

}  // namespace sluice

#endif  // SLUICE_CORE_BASE_BUFFER_H_
