// One scalar field written as a user would write it: the inverse of field_value.h. Main thread.
#ifndef SLUICE_CORE_CONFIG_FIELD_TEXT_H_
#define SLUICE_CORE_CONFIG_FIELD_TEXT_H_

#include <string>
#include <string_view>

namespace google::protobuf {
class FieldDescriptor;
class Message;
}  // namespace google::protobuf

namespace sluice {

// The field's value in its unit: "1m30s", "64KiB", "10/m". `index`: of a list's element; -1 if the
// field is no list. REQUIRES: it is no message.
std::string FieldText(const google::protobuf::Message& message,
                      const google::protobuf::FieldDescriptor& field, int index);

// `text` as a scalar of YAML's block style, in quotes if it must be.
std::string YamlScalar(std::string_view text);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_FIELD_TEXT_H_
