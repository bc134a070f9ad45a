// StreamMemory: the chunks that streams live in, on a free list of their thread: an ordinary
// request calls malloc zero times.
#ifndef SLUICE_CORE_PROXY_STREAM_MEMORY_H_
#define SLUICE_CORE_PROXY_STREAM_MEMORY_H_

#include <cstddef>

namespace sluice {

// A chunk of Stream::kChunk bytes; given back on the same thread.
void* TakeStreamChunk(size_t size);
void GiveStreamChunk(void* chunk);
// Bytes that this thread's free list holds.
size_t PooledStreamBytes();

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_STREAM_MEMORY_H_
