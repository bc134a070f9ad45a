// The corpus of HTTP/1 messages that must be refused, with the status that answers each: one table
// for the codecs' own tests, by strings, and for the proxy's, over sockets.
#ifndef SLUICE_TESTS_SUPPORT_HTTP_CORPUS_H_
#define SLUICE_TESTS_SUPPORT_HTTP_CORPUS_H_

#include <string>
#include <string_view>
#include <vector>

namespace sluice::test {

struct BadRequest {
  std::string name;
  std::string bytes;
  int status;          // of the answer, after which the connection is closed
  std::string detail;  // Error.detail
  // The fault is behind the head: a server may have seen the head, and part of the body, before.
  bool in_body = false;
};
// With the default limits of CodecLimits.
const std::vector<BadRequest>& BadRequests();

struct BadResponse {
  std::string name;
  std::string bytes;  // to a plain GET; complete, the connection is closed behind them
  std::string detail;
  bool in_body = false;  // a client may have got the head, and part of the body: it is cut off then

  // The connection's end is the fault.
  bool cut_off() const { return detail == "connection_termination"; }
};
// All are 502 where nothing of them was passed on; those that are cut off are 503.
const std::vector<BadResponse>& BadResponses();

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_HTTP_CORPUS_H_
