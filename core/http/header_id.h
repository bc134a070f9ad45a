// HeaderId: the field names that the proxy or its filters look at, interned while parsing, so that
// headers.Get(HeaderId::kHost) is an array index. Every other name is kOther.
#ifndef SLUICE_CORE_HTTP_HEADER_ID_H_
#define SLUICE_CORE_HTTP_HEADER_ID_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace sluice {

// X(constant, canonical spelling)
#define SLUICE_HEADER_IDS(X)                                                       \
  X(kAccept, "accept")                                                             \
  X(kAcceptEncoding, "accept-encoding")                                            \
  X(kAcceptLanguage, "accept-language")                                            \
  X(kAccessControlAllowCredentials, "access-control-allow-credentials")            \
  X(kAccessControlAllowHeaders, "access-control-allow-headers")                    \
  X(kAccessControlAllowMethods, "access-control-allow-methods")                    \
  X(kAccessControlAllowOrigin, "access-control-allow-origin")                      \
  X(kAccessControlAllowPrivateNetwork, "access-control-allow-private-network")     \
  X(kAccessControlExposeHeaders, "access-control-expose-headers")                  \
  X(kAccessControlMaxAge, "access-control-max-age")                                \
  X(kAccessControlRequestHeaders, "access-control-request-headers")                \
  X(kAccessControlRequestMethod, "access-control-request-method")                  \
  X(kAccessControlRequestPrivateNetwork, "access-control-request-private-network") \
  X(kAge, "age")                                                                   \
  X(kAuthorization, "authorization")                                               \
  X(kCacheControl, "cache-control")                                                \
  X(kConnection, "connection")                                                     \
  X(kContentEncoding, "content-encoding")                                          \
  X(kContentLength, "content-length")                                              \
  X(kContentType, "content-type")                                                  \
  X(kCookie, "cookie")                                                             \
  X(kDate, "date")                                                                 \
  X(kEtag, "etag")                                                                 \
  X(kExpect, "expect")                                                             \
  X(kExpires, "expires")                                                           \
  X(kForwarded, "forwarded")                                                       \
  X(kHost, "host")                                                                 \
  X(kIdempotencyKey, "idempotency-key")                                            \
  X(kIfModifiedSince, "if-modified-since")                                         \
  X(kIfNoneMatch, "if-none-match")                                                 \
  X(kKeepAlive, "keep-alive")                                                      \
  X(kLastModified, "last-modified")                                                \
  X(kLocation, "location")                                                         \
  X(kOrigin, "origin")                                                             \
  X(kPragma, "pragma")                                                             \
  X(kProxyAuthenticate, "proxy-authenticate")                                      \
  X(kProxyAuthorization, "proxy-authorization")                                    \
  X(kProxyConnection, "proxy-connection")                                          \
  X(kRange, "range")                                                               \
  X(kReferer, "referer")                                                           \
  X(kRetryAfter, "retry-after")                                                    \
  X(kServer, "server")                                                             \
  X(kSetCookie, "set-cookie")                                                      \
  X(kTe, "te")                                                                     \
  X(kTrailer, "trailer")                                                           \
  X(kTransferEncoding, "transfer-encoding")                                        \
  X(kUpgrade, "upgrade")                                                           \
  X(kUserAgent, "user-agent")                                                      \
  X(kVary, "vary")                                                                 \
  X(kVia, "via")                                                                   \
  X(kWwwAuthenticate, "www-authenticate")                                          \
  X(kXForwardedFor, "x-forwarded-for")                                             \
  X(kXForwardedHost, "x-forwarded-host")                                           \
  X(kXForwardedProto, "x-forwarded-proto")                                         \
  X(kXRequestId, "x-request-id")

enum class HeaderId : uint8_t {
  kOther = 0,
#define SLUICE_HEADER_ENUM(id, name) id,
  SLUICE_HEADER_IDS(SLUICE_HEADER_ENUM)
#undef SLUICE_HEADER_ENUM
};

#define SLUICE_HEADER_COUNT(id, name) +1
inline constexpr size_t kHeaderIdCount = 1 SLUICE_HEADER_IDS(SLUICE_HEADER_COUNT);
#undef SLUICE_HEADER_COUNT

// The id of a field name in any case; kOther if it is not one of the table.
HeaderId FindHeaderId(std::string_view name);
// The lower-case name. REQUIRES: id is not kOther.
std::string_view HeaderName(HeaderId id);

}  // namespace sluice

#endif  // SLUICE_CORE_HTTP_HEADER_ID_H_
