#include "core/server/echo_report.h"

#include <nlohmann/json.hpp>

namespace sluice {
namespace {

using Json = nlohmann::ordered_json;

Json FieldsOf(const Headers& headers) {
  Json fields = Json::object();
  headers.ForEach([&fields](const Headers::Entry& entry) {
    Json& field = fields[std::string(entry.name)];
    if (field.is_null()) {
      field = entry.value;
    } else {
      if (field.is_string()) field = Json::array({std::move(field)});
      field.push_back(entry.value);
    }
  });
  return fields;
}

bool IsUtf8(const std::string& text) {
  try {
    Json(text).dump();
    return true;
  } catch (const Json::type_error&) {
    return false;
  }
}

}  // namespace

std::string Base64(std::string_view bytes) {
  static constexpr char kDigits[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    const size_t count = std::min<size_t>(3, bytes.size() - i);
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (j < count ? static_cast<unsigned char>(bytes[i + j]) : 0U);
    }
    for (size_t j = 0; j < 4; ++j) {
      text += j <= count ? kDigits[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return text;
}

std::string EchoReport::ToJson() const {
  Json json = Json::object();
  json["name"] = name;
  json["client"] = client;
  json["protocol"] = ProtocolName(head.protocol);
  json["method"] = head.method_name();
  json["host"] = head.authority;
  json["path"] = head.path_only();
  json["query"] = head.query();
  json["headers"] = FieldsOf(head.headers);
  if (IsUtf8(body)) {
    json["body"] = body;
  } else {
    json["body_base64"] = Base64(body);
  }
  json["body_size"] = body_size;
  if (body_size > body.size()) json["body_truncated"] = true;
  if (trailers != nullptr && !trailers->empty()) json["trailers"] = FieldsOf(*trailers);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace sluice
