#include "core/config/field_value.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <utility>
#include <vector>

#include "core/base/check.h"
#include "core/base/strings.h"
#include "core/config/forms.h"
#include "core/config/text.h"
#include "core/config/units.h"
#include "core/config/units.pb.h"

namespace sluice {
namespace {

using google::protobuf::EnumDescriptor;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

template <typename Number>
std::optional<FieldValue> ParseInteger(std::string_view text, int64_t least, uint64_t most) {
  Number number = 0;
  const char* end = text.data() + text.size();
  const auto [stopped, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stopped != end || std::cmp_less(number, least) ||
      std::cmp_greater(number, most)) {
    return std::nullopt;
  }
  return number;
}

template <typename T>
std::optional<FieldValue> Wrap(std::optional<T> value) {
  if (!value) return std::nullopt;
  return FieldValue(*std::move(value));
}

std::optional<FieldValue> ParseEnum(const EnumDescriptor& type, std::string_view text) {
  for (int i = 0; i < type.value_count(); ++i) {
    if (EnumText(*type.value(i)) == text) return type.value(i);
  }
  // TOML and JSON have no word "off".
  if (const auto on = ParseSwitch(text)) {
    const EnumValueDescriptor* value = type.FindValueByName(*on ? "ON" : "OFF");
    if (value != nullptr) return value;
  }
  return std::nullopt;
}

std::optional<FieldValue> ParseByType(const FieldDescriptor& field, std::string_view text) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return ParseInteger<int64_t>(text, std::numeric_limits<int32_t>::min(),
                                   std::numeric_limits<int32_t>::max());
    case FieldDescriptor::CPPTYPE_INT64:
      return ParseInteger<int64_t>(text, std::numeric_limits<int64_t>::min(),
                                   std::numeric_limits<int64_t>::max());
    case FieldDescriptor::CPPTYPE_UINT32:
      return ParseInteger<uint64_t>(text, 0, std::numeric_limits<uint32_t>::max());
    case FieldDescriptor::CPPTYPE_UINT64:
      return ParseInteger<uint64_t>(text, 0, std::numeric_limits<uint64_t>::max());
    case FieldDescriptor::CPPTYPE_FLOAT:
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return Wrap(ParseNumber(text));
    case FieldDescriptor::CPPTYPE_BOOL:
      return Wrap(ParseSwitch(text));
    case FieldDescriptor::CPPTYPE_ENUM:
      return ParseEnum(*field.enum_type(), text);
    case FieldDescriptor::CPPTYPE_STRING:
      return FieldValue(std::string(text));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  return std::nullopt;
}

// The values in a list such as "307, 308".
bool IsAmong(const FieldDescriptor& field, const FieldValue& value, std::string_view list) {
  bool among = false;
  ForEachListElement(list, [&](std::string_view text) {
    among = ParseFieldValue(field, text) == value;
    return !among;
  });
  return among;
}

// Protobuf refuses to read back a string that is not UTF-8 (RFC 3629).
bool IsUtf8(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const size_t length = byte < 0x80   ? 1
                          : byte < 0xc2 ? 0
                          : byte < 0xe0 ? 2
                          : byte < 0xf0 ? 3
                          : byte < 0xf5 ? 4
                                        : 0;
    if (length == 0 || i + length > text.size()) return false;
    uint32_t character = length == 1 ? byte : byte & (0xffu >> (length + 1));
    for (size_t k = 1; k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      if ((next & 0xc0) != 0x80) return false;
      character = character << 6 | (next & 0x3fu);
    }
    const bool overlong =
        (length == 3 && character < 0x800) || (length == 4 && character < 0x10000);
    const bool surrogate = character >= 0xd800 && character < 0xe000;
    if (overlong || surrogate || character > 0x10ffff) return false;
    i += length;
  }
  return true;
}

std::string CheckText(const FieldDescriptor& field, const std::string& text) {
  if (!IsUtf8(text)) return StrCat({"not UTF-8: ", Quoted(text)});
  const std::string& max = field.options().GetExtension(config::max);
  if (!max.empty() && text.size() > ParseDecimal(max).value_or(0)) {
    return StrCat({"must be at most ", max, " bytes long, is ", Decimal(text.size())});
  }
  return CheckForm(field.options().GetExtension(config::form), text);
}

}  // namespace

std::string EnumText(const EnumValueDescriptor& value) {
  const std::string& text = value.options().GetExtension(config::text);
  return text.empty() ? LowerAscii(value.name()) : text;
}

std::optional<FieldValue> ParseFieldValue(const FieldDescriptor& field, std::string_view text) {
  std::optional<FieldValue> value;
  switch (field.options().GetExtension(config::unit)) {
    case config::DURATION:
      value = Wrap(ParseDuration(text));
      break;
    case config::SIZE:
      value = Wrap(ParseSize(text));
      break;
    case config::RATE:
      value = Wrap(ParseRate(text));
      break;
    case config::PERCENT:
      value = Wrap(ParsePercent(text));
      break;
    case config::MODE:
      if (const auto mode = ParseMode(text)) value = uint64_t{*mode};
      break;
    case config::STATUS:
      value = ParseInteger<uint64_t>(text, 100, 599);
      break;
    default:
      value = ParseByType(field, text);
  }
  return value;
}

std::string CheckFieldValue(const FieldDescriptor& field, const FieldValue& value,
                            std::string_view text) {
  if (const auto* string = std::get_if<std::string>(&value)) return CheckText(field, *string);
  const auto& options = field.options();
  const std::string& min = options.GetExtension(config::min);
  const std::string& max = options.GetExtension(config::max);
  const auto least = ParseFieldValue(field, min);
  const auto most = ParseFieldValue(field, max);
  const bool low = least && value < *least;
  const bool high = most && value > *most;
  const std::string& also = options.GetExtension(config::also);
  if ((!low && !high) || IsAmong(field, value, also)) return "";
  const std::string_view instead = also.empty() ? "" : " (or ";
  return StrCat({"must be at ", low ? "least " : "most ", low ? min : max, instead, also,
                 also.empty() ? "" : ")", ", got ", Quoted(text)});
}

void StoreFieldValue(const FieldDescriptor& field, FieldValue value, Message& message) {
  const Reflection& reflection = *message.GetReflection();
  const bool list = field.is_repeated();
  const auto number = [&]<typename T>(T narrow, auto set, auto add) {
    (reflection.*(list ? add : set))(&message, &field, narrow);
  };
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return number(static_cast<int32_t>(std::get<int64_t>(value)), &Reflection::SetInt32,
                    &Reflection::AddInt32);
    case FieldDescriptor::CPPTYPE_INT64:
      return number(std::get<int64_t>(value), &Reflection::SetInt64, &Reflection::AddInt64);
    case FieldDescriptor::CPPTYPE_UINT32:
      return number(static_cast<uint32_t>(std::get<uint64_t>(value)), &Reflection::SetUInt32,
                    &Reflection::AddUInt32);
    case FieldDescriptor::CPPTYPE_UINT64:
      return number(std::get<uint64_t>(value), &Reflection::SetUInt64, &Reflection::AddUInt64);
    case FieldDescriptor::CPPTYPE_FLOAT:
      return number(static_cast<float>(std::get<double>(value)), &Reflection::SetFloat,
                    &Reflection::AddFloat);
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return number(std::get<double>(value), &Reflection::SetDouble, &Reflection::AddDouble);
    case FieldDescriptor::CPPTYPE_BOOL:
      return number(std::get<bool>(value), &Reflection::SetBool, &Reflection::AddBool);
    case FieldDescriptor::CPPTYPE_ENUM:
      return number(std::get<const EnumValueDescriptor*>(value), &Reflection::SetEnum,
                    &Reflection::AddEnum);
    case FieldDescriptor::CPPTYPE_STRING:
      if (list) return reflection.AddString(&message, &field, std::get<std::string>(value));
      return reflection.SetString(&message, &field, std::get<std::string>(std::move(value)));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  CHECK(false);
}

std::string FieldTypeName(const FieldDescriptor& field) {
  switch (field.options().GetExtension(config::unit)) {
    case config::DURATION:
      return "a duration such as 250ms or 5s";
    case config::SIZE:
      return "a size such as 64KiB";
    case config::RATE:
      return "a rate such as 100/s";
    case config::PERCENT:
      return "a percentage such as 50%";
    case config::MODE:
      return "a file mode such as \"0660\"";
    case config::STATUS:
      return "an HTTP status such as 404";
    default:
      break;
  }
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
      return "a whole number";
    case FieldDescriptor::CPPTYPE_UINT32:
    case FieldDescriptor::CPPTYPE_UINT64:
      return "a whole number, 0 or more";
    case FieldDescriptor::CPPTYPE_FLOAT:
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return "a number";
    case FieldDescriptor::CPPTYPE_BOOL:
      return "on or off";
    case FieldDescriptor::CPPTYPE_STRING:
      return std::string(FormName(field.options().GetExtension(config::form)));
    case FieldDescriptor::CPPTYPE_MESSAGE:
      return "a map";
    case FieldDescriptor::CPPTYPE_ENUM:
      break;
  }
  std::vector<std::string> names;
  for (int i = 0; i < field.enum_type()->value_count(); ++i) {
    names.push_back(EnumText(*field.enum_type()->value(i)));
  }
  return JoinAlternatives(names);
}

}  // namespace sluice
