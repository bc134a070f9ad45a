// What the loader must know about filters: their names and their config messages. core/filter's
// registry implements it, since this room may not see that one.
#ifndef SLUICE_CORE_CONFIG_FILTER_SCHEMAS_H_
#define SLUICE_CORE_CONFIG_FILTER_SCHEMAS_H_

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace google::protobuf {
class Message;
}  // namespace google::protobuf

namespace sluice {

class FilterSchemas {
 public:
  // Tells a fault of a config at a path inside of it: report("origins[0].regex", "...").
  using Report = std::function<void(std::string_view field, std::string message)>;

  virtual ~FilterSchemas() = default;
  // The filter's config message, empty; null if there is no such filter.
  virtual const google::protobuf::Message* Prototype(std::string_view name) const = 0;
  virtual std::vector<std::string> Names() const = 0;
  // Reports what the schema's options cannot say: combinations, formats of templates. `config` is a
  // message like Prototype(name), complete with defaults.
  virtual void Check(std::string_view /*name*/, const google::protobuf::Message& /*config*/,
                     const Report& /*report*/) const {}
};

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_FILTER_SCHEMAS_H_
