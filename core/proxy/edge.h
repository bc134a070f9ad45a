// What the edge does to a request before anything matches on it: the path is normalised, what a
// client may not set is taken out, who it came from and under which id is written in.
#ifndef SLUICE_CORE_PROXY_EDGE_H_
#define SLUICE_CORE_PROXY_EDGE_H_

#include <optional>
#include <string_view>

#include "core/base/random.h"
#include "core/filter/local_reply.h"
#include "core/filter/stream_info.h"
#include "core/http/message.h"
#include "core/proxy/listener_settings.h"

namespace sluice {

struct EdgeInput {
  const ListenerSettings& settings;
  std::string_view remote_ip;  // text, lives as long as the connection
  bool remote_is_trusted;      // in trusted_cidrs
  bool tls;
};

// Fills in info's original_path, client_ip, request_id, and the priority that the request says. An
// answer if the request goes no further (a path that is refused or redirected).
std::optional<LocalReply> PrepareRequest(const EdgeInput& input, RequestHead& head,
                                         StreamInfo& info, Random& random);

// Takes out of the trailers what a client may not set.
void PrepareTrailers(const EdgeInput& input, Headers& trailers);

// Fields of a response on its way to the client: date, server, via.
void PrepareResponse(const ListenerSettings& settings, ResponseHead& head, bool local,
                     std::string_view date);

}  // namespace sluice

#endif  // SLUICE_CORE_PROXY_EDGE_H_
