// LocalReplyMap: a listener's `local_reply`: what our own answers look like. Compiled on the main
// thread, immutable, read by all workers.
#ifndef SLUICE_CORE_PROXY_LOCAL_REPLY_MAP_H_
#define SLUICE_CORE_PROXY_LOCAL_REPLY_MAP_H_

#include <memory>
#include <vector>

#include "core/base/result.h"
#include "core/filter/header_changes.h"
#include "core/filter/local_reply.h"
#include "core/filter/stream_info.h"

namespace sluice {

namespace config {
class Listener;
class LocalReply;
}  // namespace config

class LocalReplyMap {
 public:
  LocalReplyMap();
  static Result<LocalReplyMap> Compile(const config::Listener& listener);
  // All that is wrong with one entry besides its header changes, each with its field in front.
  static std::vector<Error> FindFaults(const config::LocalReply& config);
  LocalReplyMap(LocalReplyMap&&) noexcept;
  LocalReplyMap& operator=(LocalReplyMap&&) noexcept;
  ~LocalReplyMap();

  // Changes `reply` by the first entry that fits its flag and status. The entry's header changes
  // are to be applied to the response's head; null: none.
  const HeaderChanges* Apply(LocalReply& reply, const StreamInfo& info) const;
  bool empty() const { return entries_.empty(); }

 private:
  struct Compiler;
  struct Entry;
  std::vector<Entry> entries_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_LOCAL_REPLY_MAP_H_
