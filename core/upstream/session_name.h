// The names that sticky sessions give to endpoints: what stands in the client's cookie. A name is a
// signature over the endpoint's address, so a client can neither make up one nor read an address in
// it; that of an endpoint that is there is known beforehand, and a request needs no cryptography.
#ifndef SLUICE_CORE_UPSTREAM_SESSION_NAME_H_
#define SLUICE_CORE_UPSTREAM_SESSION_NAME_H_

#include <string>
#include <string_view>

namespace sluice {

// HMAC-SHA-256 of cluster and endpoint, its first 128 bits, in hex.
std::string SessionName(std::string_view key, std::string_view cluster, std::string_view endpoint);

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_SESSION_NAME_H_
