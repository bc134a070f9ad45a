// Any bytes as the beginning of a connection with a PROXY header.
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "core/base/check.h"
#include "core/net/proxy_protocol.h"

namespace {

using sluice::Address;
using sluice::ProxyHeader;
using sluice::ProxyHeaderResult;
using Status = ProxyHeaderResult::Status;

// What was written must be read as what it says.
void CheckWritten(const ProxyHeader& header) {
  char out[sluice::kMaxWrittenProxyHeader];
  ProxyHeader again;
  size_t size = sluice::WriteProxyHeaderV2(header.source, header.destination, out);
  ProxyHeaderResult result = sluice::ParseProxyHeader({out, size}, again);
  CHECK(result.status == Status::kDone && result.size == size);
  CHECK(again.source == header.source && again.destination == header.destination);
  size = sluice::WriteProxyHeaderV1(header.source, header.destination, out);
  result = sluice::ParseProxyHeader({out, size}, again);
  CHECK(result.status == Status::kDone && result.size == size);
  CHECK(header.source.is_unix() ? again.source.empty() : again.source == header.source);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  ProxyHeader header;
  const ProxyHeaderResult result = sluice::ParseProxyHeader(bytes, header);
  if (result.status == Status::kDone) {
    CHECK(result.size > 0 && result.size <= size && result.size <= sluice::kMaxProxyHeader);
    CHECK(header.source.family() == header.destination.family());
    CheckWritten(header);
  }
  // More is wanted only while there is room for it.
  if (result.status == Status::kNeedMore) CHECK(size < sluice::kMaxProxyHeader);
  // Bytes that come one at a time are read as those that come at once: the first answer that is not
  // kNeedMore is the answer.
  for (size_t n = 0; n < size && n <= 300; ++n) {
    const std::vector<char> piece(bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(n));
    ProxyHeader ignored;
    const ProxyHeaderResult early = sluice::ParseProxyHeader({piece.data(), n}, ignored);
    if (early.status == Status::kNeedMore) continue;
    CHECK(early.status == result.status && early.size == result.size);
    break;
  }
  return 0;
}
