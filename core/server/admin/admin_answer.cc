#include "core/server/admin/admin_answer.h"

#include <nlohmann/json.hpp>

#include "core/base/strings.h"

namespace sluice {
namespace {

uint16_t StatusFor(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
      return 400;
    case Code::kPermission:
      return 403;
    case Code::kNotFound:
      return 404;
    case Code::kAlreadyExists:
      return 409;
    case Code::kMismatch:
      return 412;
    case Code::kNotImplemented:
      return 501;
    case Code::kUnavailable:
      return 503;
    case Code::kTimeout:
      return 504;
    default:
      return 500;
  }
}

}  // namespace

bool AdminRequest::wants_json() const {
  if (query.Has("format")) return query.Get("format") == "json";
  return accept.find(kAdminJson) != std::string_view::npos;
}

AdminReply AdminError(uint16_t status, std::string_view error) {
  AdminReply reply;
  reply.status = status;
  reply.error = error;
  return reply;
}

AdminReply AdminError(const Error& error) {
  return AdminError(StatusFor(error.code), error.detail);
}

AdminReply AdminDone(const AdminRequest& request, std::string_view sentence) {
  AdminReply reply;
  if (request.wants_json()) {
    reply = AdminJson(nlohmann::json{{"result", sentence}});
  } else {
    reply.body = StrCat({sentence, "\n"});
  }
  reply.outcome = sentence;
  return reply;
}

}  // namespace sluice
