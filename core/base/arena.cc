#include "core/base/arena.h"

#include <algorithm>
#include <cstdlib>

#include "core/base/check.h"

namespace sluice {
namespace {
[[maybe_unused]] constexpr size_t kChunk = 4096;
}  // namespace

void* Arena::AllocateMore(size_t size, size_t alignment) {
  CHECK(alignment <= alignof(std::max_align_t));
#if defined(SLUICE_SANITIZE)
  const size_t bytes = size;
#else
  const size_t bytes = std::max(size, kChunk - sizeof(Chunk));
#endif
  Chunk* chunk = static_cast<Chunk*>(std::malloc(sizeof(Chunk) + bytes));
  CHECK(chunk != nullptr);
  chunk->next = chunks_;
  chunks_ = chunk;
  char* begin = reinterpret_cast<char*>(chunk + 1);
#if !defined(SLUICE_SANITIZE)
  if (bytes - size > static_cast<size_t>(end_ - next_)) {  // keep what has more room left
    next_ = begin + size;
    end_ = begin + bytes;
  }
#endif
  return begin;
}

std::string_view Arena::Join(std::initializer_list<std::string_view> parts) {
  size_t size = 0;
  for (std::string_view part : parts) size += part.size();
  if (size == 0) return {};
  char* place = static_cast<char*>(Allocate(size, 1));
  char* next = place;
  for (std::string_view part : parts) {
    if (part.empty()) continue;
    std::memcpy(next, part.data(), part.size());
    next += part.size();
  }
  return {place, size};
}

void Arena::Free() {
  while (Chunk* chunk = chunks_) {
    chunks_ = chunk->next;
    std::free(chunk);
  }
}

}  // namespace sluice
