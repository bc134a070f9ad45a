// BodyLength: holds an outgoing body against the length that its head announces. A filter may have
// changed the one and not the other; what does not fit must not go out, since the peer would wait
// for the rest, or take the surplus for another message. Owned by whoever sends the message.
#ifndef SLUICE_CORE_HTTP_BODY_LENGTH_H_
#define SLUICE_CORE_HTTP_BODY_LENGTH_H_

#include <cstddef>
#include <cstdint>

#include "core/http/headers.h"

namespace sluice {

// The length that an outgoing head announces: its content-length, if it has one that can be written
// as it is. -1: none.
int64_t AnnouncedLength(const Headers& headers);

class BodyLength {
 public:
  // The body of `headers` follows.
  void Begin(const Headers& headers) { left_ = AnnouncedLength(headers); }
  // Whatever follows is right.
  void Release() { left_ = -1; }
  // False: `bytes` more, and with `end` nothing behind them, is not what was announced.
  [[nodiscard]] bool Take(size_t bytes, bool end) {
    if (left_ < 0) return true;
    if (bytes > static_cast<uint64_t>(left_)) return false;
    left_ -= static_cast<int64_t>(bytes);
    return !end || left_ == 0;
  }

 private:
  int64_t left_ = -1;  // -1: nothing is announced
};

}  // namespace sluice

#endif  // SLUICE_CORE_HTTP_BODY_LENGTH_H_
