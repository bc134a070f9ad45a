// Arena: memory for what lives as long as one stream. Objects are taken one after another and all
// given back at once; ArenaPtr runs a destructor and frees nothing. Of one thread. Under sanitizers
// every object is a malloc of its own.
#ifndef SLUICE_CORE_BASE_ARENA_H_
#define SLUICE_CORE_BASE_ARENA_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <utility>

namespace sluice {

struct ArenaDelete {
  template <typename T>
  void operator()(T* object) const {
    object->~T();
  }
};

// Owns the object, not its memory.
template <typename T>
using ArenaPtr = std::unique_ptr<T, ArenaDelete>;

class Arena {
 public:
  // Starts with `size` bytes at `memory`, which the caller owns and which outlive the arena;
  // further memory is malloc'ed and kept until the arena ends.
  Arena(void* memory, size_t size)
      : next_(static_cast<char*>(memory)), end_(static_cast<char*>(memory) + size) {}
  Arena() : Arena(nullptr, 0) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;
  ~Arena() { Free(); }

  void* Allocate(size_t size, size_t alignment = alignof(std::max_align_t)) {
#if !defined(SLUICE_SANITIZE)
    const uintptr_t place =
        (reinterpret_cast<uintptr_t>(next_) + alignment - 1) & ~(uintptr_t{alignment} - 1);
    char* begin = reinterpret_cast<char*>(place);
    if (begin <= end_ && size <= static_cast<size_t>(end_ - begin)) [[likely]] {
      next_ = begin + size;
      return begin;
    }
#endif
    return AllocateMore(size, alignment);
  }

  template <typename T, typename... Args>
  ArenaPtr<T> Make(Args&&... args) {
    return ArenaPtr<T>(new (Allocate(sizeof(T), alignof(T))) T(std::forward<Args>(args)...));
  }

  template <typename T>
  T* AllocateArray(size_t count) {
    return static_cast<T*>(Allocate(sizeof(T) * count, alignof(T)));
  }

  // A copy that lives as long as the arena.
  std::string_view Copy(std::string_view text) {
    if (text.empty()) return {};
    char* place = static_cast<char*>(Allocate(text.size(), 1));
    std::memcpy(place, text.data(), text.size());
    return {place, text.size()};
  }
  // The parts, one behind the other.
  std::string_view Join(std::initializer_list<std::string_view> parts);

 private:
  struct Chunk {
    Chunk* next;
    uint64_t padding;
  };
  void* AllocateMore(size_t size, size_t alignment);
  void Free();

  [[maybe_unused]] char* next_;
  [[maybe_unused]] char* end_;
  Chunk* chunks_ = nullptr;
};

}  // namespace sluice

#endif  // SLUICE_CORE_BASE_ARENA_H_
