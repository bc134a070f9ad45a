#include "core/http/http1/framing.h"

#include <algorithm>

#include "core/base/strings.h"

namespace sluice::http1 {
namespace {

// More would only serve to make us search.
constexpr int kMaxConnectionOptions = 64;

// What `Connection` must not remove: the message would mean something else without it, or it is
// looked at elsewhere.
bool IsProtected(HeaderId id) {
  switch (id) {
    case HeaderId::kConnection:
    case HeaderId::kContentLength:
    case HeaderId::kExpect:
    case HeaderId::kHost:
    case HeaderId::kKeepAlive:
    case HeaderId::kTe:
    case HeaderId::kTrailer:
    case HeaderId::kTransferEncoding:
    case HeaderId::kUpgrade:
      return true;
    default:
      return false;
  }
}

const Fault* ReadConnection(Headers& headers, Protocol protocol, Framing& framing) {
  bool close = false;
  bool keep_alive = false;
  int options = 0;
  headers.ForEachValue(HeaderId::kConnection, [&](std::string_view value) {
    ForEachListElement(value, [&](std::string_view option) {
      if (++options > kMaxConnectionOptions) return false;
      if (EqualsIgnoreCase(option, "close")) {
        close = true;
      } else if (EqualsIgnoreCase(option, "keep-alive")) {
        keep_alive = true;
      } else if (EqualsIgnoreCase(option, "upgrade")) {
        framing.upgrade = true;
      } else if (!IsProtected(FindHeaderId(option))) {
        headers.Remove(option);
      }
      return true;
    });
  });
  if (options > kMaxConnectionOptions) return &kConnectionRejected;
  headers.Remove(HeaderId::kConnection);
  framing.keep_alive = !close && (keep_alive || protocol != Protocol::kHttp10);
  return nullptr;
}

std::optional<uint32_t> IdleSeconds(const Headers& headers) {
  std::optional<uint32_t> seconds;
  bool usable = true;
  headers.ForEachValue(HeaderId::kKeepAlive, [&](std::string_view value) {
    ForEachListElement(value, [&](std::string_view element) {
      const size_t equals = element.find('=');
      if (equals == std::string_view::npos) return true;
      const std::string_view name = TrimBlanks(element.substr(0, equals));
      const bool timeout = EqualsIgnoreCase(name, "timeout");
      if (!timeout && !EqualsIgnoreCase(name, "max")) return true;
      const std::optional<uint64_t> number = ParseDecimal(TrimBlanks(element.substr(equals + 1)));
      if (number.value_or(0) == 0) {
        usable = false;
      } else if (timeout) {
        seconds = static_cast<uint32_t>(std::min<uint64_t>(*number, 86400));
      }
      return true;
    });
  });
  return usable ? seconds : std::optional<uint32_t>(0);
}

// `chunked` once, alone, in HTTP/1.1; we decode no other coding.
const Fault* ReadTransferEncoding(Headers& headers, Protocol protocol, Framing& framing) {
  if (protocol == Protocol::kHttp10) return &kInvalidCoding;
  if (headers.Has(HeaderId::kContentLength)) return &kLengthAndChunked;
  bool other = false;
  int chunked = 0;
  headers.ForEachValue(HeaderId::kTransferEncoding, [&](std::string_view value) {
    if (value.empty()) other = true;
    ForEachListElement(value, [&](std::string_view coding) {
      (EqualsIgnoreCase(coding, "chunked") ? ++chunked : other = true);
      return true;
    });
  });
  if (other) return &kUnknownCoding;
  // A list with empty elements, a second line: harmless, and never sent by anybody honest.
  if (chunked != 1 || headers.Count(HeaderId::kTransferEncoding) != 1 ||
      headers.Get(HeaderId::kTransferEncoding)->size() != 7) {
    return &kInvalidCoding;
  }
  headers.Remove(HeaderId::kTransferEncoding);
  framing.chunked = true;
  return nullptr;
}

// Several equal values are one (RFC 9110 8.6), on one line or on several. It goes on as a plain
// number.
const Fault* ReadContentLength(Headers& headers, Framing& framing) {
  bool good = true;
  int lines = 0;
  std::string_view first;
  headers.ForEachValue(HeaderId::kContentLength, [&](std::string_view value) {
    ++lines;
    do {
      const size_t comma = value.find(',');
      const std::string_view element = TrimBlanks(value.substr(0, comma));
      const std::optional<uint64_t> length = ParseDecimal(element);
      // Larger ones overflow somewhere: here AnnouncedLength, elsewhere in the upstream.
      if (!length || *length > INT64_MAX || (framing.length && *framing.length != *length)) {
        good = false;
      }
      framing.length = length;
      if (first.empty()) first = element;
      value.remove_prefix(comma == std::string_view::npos ? value.size() : comma + 1);
      if (comma != std::string_view::npos && value.empty()) good = false;
    } while (!value.empty());
  });
  if (!good) return &kInvalidLength;
  // Whoever comes next may take a zero in front for octal, or refuse it.
  first.remove_prefix(std::min(first.find_first_not_of('0'), first.size() - 1));
  if (lines > 1 || headers.Get(HeaderId::kContentLength)->size() != first.size()) {
    headers.SetView(HeaderId::kContentLength, first);
  }
  return nullptr;
}

void ReadTe(Headers& headers) {
  bool trailers = false;
  headers.ForEachValue(
      HeaderId::kTe, [&](std::string_view value) { trailers |= ListContains(value, "trailers"); });
  if (trailers) {
    headers.SetView(HeaderId::kTe, "trailers");
  } else {
    headers.Remove(HeaderId::kTe);
  }
}

}  // namespace

const Fault* ReadFraming(Headers& headers, Protocol protocol, Framing& framing) {
  framing.keep_alive = protocol != Protocol::kHttp10;
  if (headers.Has(HeaderId::kConnection)) {
    if (const Fault* fault = ReadConnection(headers, protocol, framing)) return fault;
  }
  if (headers.Has(HeaderId::kKeepAlive)) {
    framing.idle_seconds = IdleSeconds(headers);
    headers.Remove(HeaderId::kKeepAlive);
  }
  if (headers.Has(HeaderId::kProxyConnection)) headers.Remove(HeaderId::kProxyConnection);
  if (headers.Has(HeaderId::kTe)) ReadTe(headers);
  if (headers.Has(HeaderId::kTransferEncoding)) {
    if (const Fault* fault = ReadTransferEncoding(headers, protocol, framing)) return fault;
  }
  if (headers.Has(HeaderId::kContentLength)) {
    if (const Fault* fault = ReadContentLength(headers, framing)) return fault;
  }
  if (!framing.chunked && headers.Has(HeaderId::kTrailer)) headers.Remove(HeaderId::kTrailer);
  return nullptr;
}

}  // namespace sluice::http1
