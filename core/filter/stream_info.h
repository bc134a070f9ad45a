// StreamInfo: what is known about a stream, for filters, logs and stats. The proxy fills it in as
// the stream goes on; a filter reads it, and may add metadata and set flags. Views live as long as
// the stream.
#ifndef SLUICE_CORE_FILTER_STREAM_INFO_H_
#define SLUICE_CORE_FILTER_STREAM_INFO_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/arena.h"
#include "core/base/clock.h"
#include "core/filter/response_flags.h"
#include "core/http/message.h"
#include "core/net/address.h"
#include "core/upstream/request_priority.h"

namespace sluice {

class Route;

// What all streams of one downstream connection share.
struct ConnectionInfo {
  uint64_t id = 0;
  std::string_view listener;
  Address direct_remote;  // whoever connected
  Address remote;         // the same, or whom the PROXY header named
  Address local;
  Nanos start = 0;
  bool tls = false;
  bool probe = false;  // of the process to itself: not for logs
  int fd = -1;         // to ask the kernel about the client; not to be read or written
};

class StreamInfo {
 public:
  StreamInfo(Arena& arena, const ConnectionInfo& connection)
      : connection_(connection), arena_(arena) {}

  const ConnectionInfo& connection() const { return connection_; }
  Arena& arena() const { return arena_; }

  uint64_t stream_id = 0;  // counts within the worker

  // Null until there is one. After filters and the router changed it.
  const RequestHead* request = nullptr;
  const ResponseHead* response = nullptr;
  const Headers* response_trailers = nullptr;
  std::string_view original_path;  // as the client sent it
  std::string_view request_id;
  std::string_view client_ip;  // without port; believed x-forwarded-for looked at

  uint16_t status = 0;  // sent to the client; 0: none was
  ResponseFlags flags;
  std::string_view details;  // response_code_details
  std::string_view local_reply_body;
  std::string_view termination;  // why the connection ended, where it ended the stream

  const Route* route = nullptr;
  uint32_t route_choice = 0;  // which of a weighted route's clusters
  std::string_view route_name;
  std::string_view virtual_host;
  std::string_view cluster;
  std::string_view upstream_host;  // "127.0.0.1:9001", of the last try
  // A filter may name the endpoint that it wants, as upstream_host would; where the cluster has
  // none of that name, or it cannot be used, another is taken.
  std::string_view wanted_endpoint;
  std::string_view upstream_local;
  std::string_view upstream_failure;  // why the transport failed
  uint64_t upstream_connection_id = 0;
  uint32_t attempts = 0;
  RequestPriority priority = RequestPriority::kNormal;
  bool priority_said =
      false;  // by the request, in a header that is believed; else it is the route's
  std::optional<Protocol> upstream_protocol;

  uint64_t request_body_bytes = 0;
  uint64_t response_body_bytes = 0;
  uint64_t request_head_bytes = 0;   // on the wire
  uint64_t response_head_bytes = 0;  // on the wire, as received from the upstream

  // Nanos of the loop's clock; 0: it has not come to it.
  Nanos start = 0;           // the first byte of the request
  Nanos request_end = 0;     // its last
  Nanos upstream_start = 0;  // the first byte was given to the upstream's connection
  Nanos upstream_end = 0;    // the last byte of the request was
  Nanos response_start = 0;  // the upstream's head was there
  Nanos response_end = 0;    // its last byte was
  Nanos pool_ready = 0;      // a connection to the upstream was there
  Nanos end = 0;             // the client has been given everything, or is gone
  Nanos wall_start = 0;      // since the epoch

  // Values that filters leave for each other and for the log: namespace and key. Copies the value.
  void SetMetadata(std::string_view space, std::string_view key, std::string_view value);
  std::optional<std::string_view> Metadata(std::string_view space, std::string_view key) const;

 private:
  struct MetadataEntry {
    std::string_view space;
    std::string_view key;
    std::string_view value;
    MetadataEntry* next;
  };

  const ConnectionInfo& connection_;
  Arena& arena_;
  MetadataEntry* metadata_ = nullptr;
};

}  // namespace sluice

#endif  // SLUICE_CORE_FILTER_STREAM_INFO_H_
