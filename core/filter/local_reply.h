// LocalReply: an answer that the proxy gives itself, in place of an upstream's.
#ifndef SLUICE_CORE_FILTER_LOCAL_REPLY_H_
#define SLUICE_CORE_FILTER_LOCAL_REPLY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/filter/response_flags.h"

namespace sluice {

struct LocalReply {
  uint16_t status = 500;
  std::string body = {};  // empty: none
  std::string content_type = "text/plain";
  // Why, for the access log: a flag and response_code_details.
  ResponseFlag flag = ResponseFlag::kNone;
  std::string details = {};
  // Further fields: name, value.
  std::vector<std::pair<std::string, std::string>> headers = {};
  // The listener's local_reply mapping leaves it alone: for answers that are the product (respond,
  // redirect, echo, admin), not a refusal.
  bool unmapped = false;
};

struct ResponseHead;

// Writes the reply's head in place of what `head` held. Says whether a body follows.
bool WriteHead(const LocalReply& reply, ResponseHead& head);

}  // namespace sluice

#endif  // SLUICE_CORE_FILTER_LOCAL_REPLY_H_
