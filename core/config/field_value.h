// One scalar field: what its text means, and whether it may have that value. Main thread.
#ifndef SLUICE_CORE_CONFIG_FIELD_VALUE_H_
#define SLUICE_CORE_CONFIG_FIELD_VALUE_H_

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace sluice {

using FieldValue = std::variant<int64_t, uint64_t, double, bool, std::string,
                                const google::protobuf::EnumValueDescriptor*>;

// What `text` means for `field`; nothing if it is not of the field's type and unit.
std::optional<FieldValue> ParseFieldValue(const google::protobuf::FieldDescriptor& field,
                                          std::string_view text);

// What is wrong with a value that was parsed from `text`, by the field's bounds and form, or "".
std::string CheckFieldValue(const google::protobuf::FieldDescriptor& field, const FieldValue& value,
                            std::string_view text);

// Sets the field, or appends to it if it is repeated.
void StoreFieldValue(const google::protobuf::FieldDescriptor& field, FieldValue value,
                     google::protobuf::Message& message);

// How such a value is called: "a duration such as 250ms or 5s", "one of round_robin or random".
std::string FieldTypeName(const google::protobuf::FieldDescriptor& field);

// The name of an enum value as it is written in config: lower case.
std::string EnumText(const google::protobuf::EnumValueDescriptor& value);

}  // namespace sluice

#endif  // SLUICE_CORE_CONFIG_FIELD_VALUE_H_
