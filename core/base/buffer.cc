#include "core/base/buffer.h"

#include <algorithm>

namespace sluice {
namespace {
constexpr size_t kCopied = 1024;
}  // namespace

Slice Slice::Copy(std::string_view bytes) {
  if (bytes.empty()) return {};
  Block* block = Block::New(static_cast<uint32_t>(bytes.size()));
  std::memcpy(block->data(), bytes.data(), bytes.size());
  block->set_used(static_cast<uint32_t>(bytes.size()));
  return Slice(block, 0, static_cast<uint32_t>(bytes.size()));
}

void Buffer::Append(std::string_view bytes) {
  while (!bytes.empty()) {
    const Room room = Reserve(1, bytes.size());
    const size_t n = std::min(room.size, bytes.size());
    std::memcpy(room.data, bytes.data(), n);
    Commit(n);
    bytes.remove_prefix(n);
  }
}

void Buffer::Append(Slice slice) {
  if (slice.empty()) return;
  size_ += slice.size();
  if (count_ > 0) {
    Slice& last = slices()[first_ + count_ - 1];
    if (last.Precedes(slice)) {
      last.Join(std::move(slice));
      return;
    }
    // A slice keeps its whole block. Where a peer sends byte by byte, each in a block of its own,
    // whoever holds the bytes back would hold thousands of times their size.
    if (slice.size() <= kCopied && slice.size() <= last.tail_room()) {
      std::memcpy(last.data() + last.size(), slice.data(), slice.size());
      last.Grow(slice.size());
      return;
    }
  }
  MakeRoomAtEnd();
  slices()[first_ + count_++] = std::move(slice);
}

void Buffer::Append(Buffer&& other) {
  if (empty() && count_ == 0) {
    *this = std::move(other);
    return;
  }
  for (uint32_t i = 0; i < other.count_; ++i) Append(std::move(other.slice(i)));
  other.first_ = other.count_ = 0;
  other.size_ = 0;
}

void Buffer::MoveFrom(Buffer& other, size_t n) {
  while (n > 0) {
    Slice& front = other.front();
    const size_t size = front.size();
    if (size <= n) {
      n -= size;
      Append(other.PopFront());
    } else {
      Append(front.Share(0, n));
      front.RemovePrefix(n);
      other.size_ -= n;
      n = 0;
    }
  }
}

void Buffer::Prepend(Slice slice) {
  if (slice.empty()) return;
  size_ += slice.size();
  if (first_ == 0) {
    MakeRoomAtEnd();
    Slice* all = slices();
    for (uint32_t i = first_ + count_; i > first_; --i) all[i] = std::move(all[i - 1]);
  } else {
    --first_;
  }
  slices()[first_] = std::move(slice);
  ++count_;
}

void Buffer::DropFront() {
  slices()[first_].Reset();
  --count_;
  first_ = count_ == 0 ? 0 : first_ + 1;
}

void Buffer::Consume(size_t n) {
  size_ -= n;
  while (n > 0) {
    Slice& front = slices()[first_];
    const size_t size = front.size();
    if (size > n) {
      front.RemovePrefix(n);
      return;
    }
    n -= size;
    DropFront();
  }
}

void Buffer::DropSlices() {
  while (count_ > 0) DropFront();
  size_ = 0;
}

Buffer Buffer::Share() const {
  Buffer copy;
  for (uint32_t i = 0; i < count_; ++i) copy.Append(slice(i).Share());
  return copy;
}

Buffer::Room Buffer::Reserve(size_t min, size_t preferred) {
  if (count_ > 0) {
    Slice& last = slices()[first_ + count_ - 1];
    const size_t room = last.tail_room();
    if (room >= min) return Room{last.data() + last.size(), room};
  }
  const size_t capacity = std::max(min, preferred);
  MakeRoomAtEnd();
  Block* block = Block::New(static_cast<uint32_t>(capacity));
  slices()[first_ + count_++] = Slice(block, 0, 0);
  return Room{block->data(), block->capacity()};
}

void Buffer::Commit(size_t n) {
  slices()[first_ + count_ - 1].Grow(n);
  size_ += n;
  if (n == 0) DropReserve();
}

void Buffer::DropReserve() {
  if (count_ > 0 && slices()[first_ + count_ - 1].size() == 0) {
    slices()[first_ + count_ - 1].Reset();
    if (--count_ == 0) first_ = 0;
  }
}

Slice Buffer::PopFront() {
  Slice slice = std::move(slices()[first_]);
  size_ -= slice.size();
  --count_;
  first_ = count_ == 0 ? 0 : first_ + 1;
  return slice;
}

int Buffer::FillVectors(struct iovec* vectors, int max) const {
  const int n = std::min(max, static_cast<int>(count_));
  for (int i = 0; i < n; ++i) {
    const Slice& part = slice(static_cast<size_t>(i));
    vectors[i].iov_base = const_cast<char*>(part.data());
    vectors[i].iov_len = part.size();
  }
  return n;
}

std::string_view Buffer::Flatten() {
  if (count_ == 0) return {};
  if (count_ > 1) {
    Block* block = Block::New(static_cast<uint32_t>(size_));
    uint32_t end = 0;
    for (uint32_t i = 0; i < count_; ++i) {
      const std::string_view part = slice(i).view();
      std::memcpy(block->data() + end, part.data(), part.size());
      end += static_cast<uint32_t>(part.size());
    }
    block->set_used(end);
    Clear();
    Append(Slice(block, 0, end));
  }
  return slice(0).view();
}

std::string Buffer::ToString() const {
  std::string text;
  text.reserve(size_);
  for (uint32_t i = 0; i < count_; ++i) text += slice(i).view();
  return text;
}

void Buffer::MakeRoomAtEnd() {
  if (first_ + count_ < capacity_) return;
  Slice* all = slices();
  if (first_ >= capacity_ / 2 && first_ > 0) {
    for (uint32_t i = 0; i < count_; ++i) all[i] = std::move(all[first_ + i]);
    first_ = 0;
    return;
  }
  const uint32_t capacity = capacity_ * 2;
  Slice* bigger = new Slice[capacity];
  for (uint32_t i = 0; i < count_; ++i) bigger[i] = std::move(all[first_ + i]);
  first_ = 0;
  delete[] spill_;
  spill_ = bigger;
  capacity_ = capacity;
}

void Buffer::Steal(Buffer& other) noexcept {
  size_ = std::exchange(other.size_, 0);
  first_ = std::exchange(other.first_, 0);
  count_ = std::exchange(other.count_, 0);
  capacity_ = std::exchange(other.capacity_, kInline);
  spill_ = std::exchange(other.spill_, nullptr);
  if (spill_ == nullptr) {
    for (uint32_t i = first_; i < first_ + count_; ++i) inline_[i] = std::move(other.inline_[i]);
  }
}

void Buffer::FreeSpill() {
  delete[] spill_;
  spill_ = nullptr;
  capacity_ = kInline;
  first_ = 0;
}

}  // namespace sluice
