#include "core/filter/local_reply.h"

#include "core/base/strings.h"
#include "core/http/message.h"

namespace sluice {

bool WriteHead(const LocalReply& reply, ResponseHead& head) {
  head.headers.Clear();
  head.status = reply.status;
  head.protocol = Protocol::kHttp11;
  head.reason = {};
  head.content_length.reset();
  for (const auto& [name, value] : reply.headers) head.headers.Add(name, value);
  if (StatusHasNoBody(reply.status)) return false;
  head.content_length = reply.body.size();
  head.headers.Set(HeaderId::kContentLength, Decimal(reply.body.size()).view());
  if (reply.body.empty()) return false;
  if (!head.headers.Has(HeaderId::kContentType)) {
    head.headers.Set(HeaderId::kContentType, reply.content_type);
  }
  return true;
}

}  // namespace sluice
