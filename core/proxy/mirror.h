// Mirror: sends a copy of a request to another cluster and drops the answer. It never delays the
// request: a copy that does not keep up is given up, and counted. A member of the router; a copy
// under way when the stream ends goes with it, unless it is whole: then it finishes on its own.
#ifndef SLUICE_CORE_PROXY_MIRROR_H_
#define SLUICE_CORE_PROXY_MIRROR_H_

#include <cstddef>

#include "core/base/buffer.h"
#include "core/base/intrusive_list.h"
#include "core/http/message.h"

namespace sluice {

class ListenerRuntime;
class MirrorCopy;
class Route;

// The copies of one worker that are under way; their end is the end of those too.
class MirrorCopies {
 public:
  // A cluster that does not answer must not take the connections that requests need: beyond so many
  // no further copy is made.
  static constexpr size_t kMost = 1000;

  MirrorCopies();
  MirrorCopies(const MirrorCopies&) = delete;
  MirrorCopies& operator=(const MirrorCopies&) = delete;
  ~MirrorCopies();
  // Ends those that are under way.
  void GiveUp();
  bool full() const { return count_ >= kMost; }
  void Add(MirrorCopy& copy);
  void Remove(MirrorCopy& copy);

 private:
  List<MirrorCopy> copies_;
  size_t count_ = 0;
};

class Mirror {
 public:
  Mirror() = default;
  ~Mirror();

  // Begins a copy if the route mirrors and the draw says so.
  void Start(const Route& route, ListenerRuntime& runtime, const RequestHead& head, bool end);
  bool active() const { return copy_ != nullptr; }
  // Shares the bytes.
  void SendBody(const Buffer& data, bool end, const Headers* trailers);

 private:
  MirrorCopy* copy_ = nullptr;  // owns itself, see mirror.cc; null: none, or given up
  friend class MirrorCopy;
};

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_MIRROR_H_
