// HeaderChanges: fields to remove, set and add, compiled from the config, applied to a message.
// Used by the headers filter and by listeners, hosts, routes, weighted clusters and local replies.
// Compiled on the main thread, immutable, shared by workers.
#ifndef SLUICE_CORE_FILTER_HEADER_CHANGES_H_
#define SLUICE_CORE_FILTER_HEADER_CHANGES_H_

#include <string>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/filter/variables.h"
#include "core/http/headers.h"

namespace sluice {

namespace config {
class HeaderChanges;
}

class HeaderChanges {
 public:
  HeaderChanges();
  // An error names the field. Host, framing and hop-by-hop fields cannot be changed this way.
  static Result<HeaderChanges> Compile(const config::HeaderChanges& changes);
  HeaderChanges(HeaderChanges&&) noexcept;
  HeaderChanges& operator=(HeaderChanges&&) noexcept;
  ~HeaderChanges();

  bool empty() const;
  // Removes, sets, adds, in this order; a value that comes out empty is not sent. The headers
  // borrow from this object, which outlives the stream.
  void Apply(Headers& headers, const StreamInfo& info) const;
  // What it sets and adds, for an answer that has no other fields yet: names and values.
  void RenderTo(std::vector<std::pair<std::string, std::string>>& out,
                const StreamInfo& info) const;

 private:
  struct Field;
  std::vector<std::string> remove_;
  std::vector<Field> set_;
  std::vector<Field> add_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_FILTER_HEADER_CHANGES_H_
