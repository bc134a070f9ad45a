// The echo server: the last filter of `sluice echo`, a small upstream for demos, tests and
// benchmarks. echo_target.h lists what its paths do. It reads every request to its end before it
// answers. Which bytes a body of /bytes, /chunked and /drip has: EchoPattern.
//
// The fast path is /plain: a constant of three bytes, no JSON, nothing allocated.
//
// A factory is of one worker: it keeps the bytes that its streams send, which no thread shares.
#ifndef SLUICE_CORE_SERVER_ECHO_H_
#define SLUICE_CORE_SERVER_ECHO_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/buffer.h"
#include "core/filter/last_filter.h"

namespace sluice {

// Byte `offset` of the bodies that are made up: lines of 64 bytes.
char EchoPattern(uint64_t offset);

class EchoFactory final : public LastFilterFactory {
 public:
  // `name` is how the server calls itself.
  explicit EchoFactory(std::string name) : name_(std::move(name)) {}
  ArenaPtr<LastFilter> Create(Responder& responder) override;

  std::string_view name() const { return name_; }
  // Adds `size` bytes of the pattern from `offset` on to `out`, without copying them.
  void AppendPattern(Buffer& out, uint64_t offset, uint64_t size);

 private:
  std::string name_;
  Slice pattern_;  // made when first needed, by the thread that sends it
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ECHO_H_
