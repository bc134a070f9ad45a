#include "core/proxy/stream_memory.h"

#include <cstdint>
#include <cstdlib>

#include "core/base/check.h"
#include "core/proxy/stream.h"

namespace sluice {
namespace {

struct FreeChunk {
  FreeChunk* next;
};

class ChunkList {
 public:
  ~ChunkList() {
    while (FreeChunk* chunk = first_) {
      first_ = chunk->next;
      std::free(chunk);
    }
    closed_ = true;
  }

  void* Take(size_t size) {
    if (first_ != nullptr) {
      FreeChunk* chunk = first_;
      first_ = chunk->next;
      --kept_;
      return chunk;
    }
    void* chunk = std::malloc(size);
    CHECK(chunk != nullptr);
    return chunk;
  }

  void Give(void* chunk) {
#if defined(SLUICE_SANITIZE)
    constexpr uint32_t kMost = 0;  // so that the sanitizer sees each stream's end
#else
    constexpr uint32_t kMost = 512;
#endif
    if (closed_ || kept_ >= kMost) return std::free(chunk);
    FreeChunk* free = static_cast<FreeChunk*>(chunk);
    free->next = first_;
    first_ = free;
    ++kept_;
  }

  size_t kept() const { return kept_; }

 private:
  FreeChunk* first_ = nullptr;
  uint32_t kept_ = 0;
  bool closed_ = false;
};

thread_local ChunkList chunks;

}  // namespace

void* TakeStreamChunk(size_t size) { return chunks.Take(size); }
void GiveStreamChunk(void* chunk) { chunks.Give(chunk); }
size_t PooledStreamBytes() { return chunks.kept() * Stream::kChunk; }

}  // namespace sluice
