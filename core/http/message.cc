#include "core/http/message.h"

namespace sluice {
namespace {

struct MethodRow {
  std::string_view name;
  Method method;
};
constexpr MethodRow kMethods[] = {
    {"GET", Method::kGet},         {"HEAD", Method::kHead},     {"POST", Method::kPost},
    {"PUT", Method::kPut},         {"DELETE", Method::kDelete}, {"CONNECT", Method::kConnect},
    {"OPTIONS", Method::kOptions}, {"TRACE", Method::kTrace},   {"PATCH", Method::kPatch},
};

}  // namespace

std::string_view ProtocolName(Protocol protocol) {
  constexpr std::string_view kNames[] = {"HTTP/1.0", "HTTP/1.1", "HTTP/2"};
  return kNames[static_cast<size_t>(protocol)];
}

Method FindMethod(std::string_view name) {
  for (const MethodRow& row : kMethods) {
    if (row.name == name) return row.method;
  }
  return Method::kOther;
}

bool IsIdempotent(Method method) {
  switch (method) {
    case Method::kGet:
    case Method::kHead:
    case Method::kPut:
    case Method::kDelete:
    case Method::kOptions:
    case Method::kTrace:
      return true;
    default:
      return false;
  }
}

}  // namespace sluice
