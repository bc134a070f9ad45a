// What the loader must know about filters: their names and their config messages. core/filter's
// registry implements it, since this room may not see that one.
#ifndef SLUICE_CORE_CONFIG_FILTER_SCHEMAS_H_
#define SLUICE_CORE_CONFIG_FILTER_SCHEMAS_H_

#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace sluice {

class FilterSchemas {
 public:
  virtual ~FilterSchemas() = default;
  // The filter's config message, empty; null if there is no such filter.
  virtual const google::protobuf::Message* Prototype(std::string_view name) const = 0;
  virtual std::vector<std::string> Names() const = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_FILTER_SCHEMAS_H_
