#include "core/config/field_text.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>

#include "core/base/strings.h"
#include "core/config/field_value.h"
#include "core/config/units.h"
#include "core/config/units.pb.h"

namespace sluice {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

// The shortest digits that read back as the same number.
template <typename Number>
std::string Digits(Number number) {
  char digits[512];
  const auto [end, error] =
      std::to_chars(digits, digits + sizeof(digits), number, std::chars_format::fixed);
  return error == std::errc() ? std::string(digits, end) : std::to_string(number);
}

std::string RateText(double rate) {
  constexpr struct {
    double seconds;
    std::string_view unit;
  } kUnits[] = {{1, "/s"}, {60, "/m"}, {3600, "/h"}, {86400, "/d"}};
  for (const auto& [seconds, unit] : kUnits) {
    const double events = std::round(rate * seconds);
    if (events / seconds == rate) return Digits(events) + std::string(unit);
  }
  return Digits(rate) + "/s";
}

std::string ModeText(uint32_t mode) {
  char digits[16];
  const auto [end, error] = std::to_chars(digits, digits + sizeof(digits), mode, 8);
  return "0" + std::string(digits, end);
}

bool IsPlain(std::string_view text) {
  constexpr std::string_view kInside = "_./-+%@=:";
  const auto is_alnum = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (text.empty() || text.back() == ':' || EqualsIgnoreCase(text, "null")) return false;
  const char first = text.front();
  if (!is_alnum(first) && first != '/' && first != '_') return false;
  return std::all_of(text.begin(), text.end(), [&](char c) {
    return is_alnum(c) || kInside.find(c) != std::string_view::npos;
  });
}

}  // namespace

std::string YamlScalar(std::string_view text) {
  if (IsPlain(text)) return std::string(text);
  constexpr char kHex[] = "0123456789abcdef";
  std::string quoted = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      quoted += {'\\', c};
    } else if (byte < 0x20 || byte == 0x7f) {
      quoted += {'\\', 'x', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      quoted += c;
    }
  }
  return quoted + '"';
}

std::string FieldText(const Message& message, const FieldDescriptor& field, int index) {
  const Reflection& reflection = *message.GetReflection();
  const auto number = [&](auto get, auto get_one) {
    return index < 0 ? (reflection.*get)(message, &field)
                     : (reflection.*get_one)(message, &field, index);
  };
  const config::Unit unit = field.options().GetExtension(config::unit);
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return std::to_string(number(&Reflection::GetInt32, &Reflection::GetRepeatedInt32));
    case FieldDescriptor::CPPTYPE_INT64: {
      const int64_t value = number(&Reflection::GetInt64, &Reflection::GetRepeatedInt64);
      return unit == config::DURATION ? FormatDuration(value) : std::to_string(value);
    }
    case FieldDescriptor::CPPTYPE_UINT32: {
      const uint32_t value = number(&Reflection::GetUInt32, &Reflection::GetRepeatedUInt32);
      return unit == config::MODE ? ModeText(value) : std::to_string(value);
    }
    case FieldDescriptor::CPPTYPE_UINT64: {
      const uint64_t value = number(&Reflection::GetUInt64, &Reflection::GetRepeatedUInt64);
      return unit == config::SIZE ? FormatSize(value) : std::to_string(value);
    }
    case FieldDescriptor::CPPTYPE_FLOAT:
      return Digits(number(&Reflection::GetFloat, &Reflection::GetRepeatedFloat));
    case FieldDescriptor::CPPTYPE_DOUBLE: {
      const double value = number(&Reflection::GetDouble, &Reflection::GetRepeatedDouble);
      if (unit == config::RATE) return RateText(value);
      return unit == config::PERCENT ? Digits(value) + "%" : Digits(value);
    }
    case FieldDescriptor::CPPTYPE_BOOL:
      return number(&Reflection::GetBool, &Reflection::GetRepeatedBool) ? "true" : "false";
    case FieldDescriptor::CPPTYPE_ENUM:
      return EnumText(*number(&Reflection::GetEnum, &Reflection::GetRepeatedEnum));
    case FieldDescriptor::CPPTYPE_STRING:
      return number(&Reflection::GetString, &Reflection::GetRepeatedString);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      break;
  }
  return "";
}

}  // namespace sluice
