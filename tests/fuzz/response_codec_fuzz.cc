// Responses: whatever the bytes, cutting them up differently changes nothing that the owner sees,
// and a response that is accepted is passed on as one that is accepted again. The first byte
// chooses the request.
#include <cstdint>
#include <string>

#include "core/base/check.h"
#include "core/http/http1/grammar.h"
#include "tests/support/codec_recorder.h"

namespace sluice {
namespace {

using test::ClientRecorder;
using test::Cut;

void CheckForwarded(const ResponseHead& head) {
  test::ServerRecorder server;
  server.Run("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Cut::kWhole);
  server.codec->EncodeHead(1, head, false, server.out);
  ClientRecorder again({.head_size = 1 << 20});
  again.Request(Method::kGet);
  again.Run(server.out.ToString(), Cut::kWhole);
  CHECK(again.error.empty());
  CHECK(again.messages.back()->response.status == head.status);
}

std::string Run(std::string_view bytes, uint8_t choice, Cut cut) {
  CodecLimits limits;
  if ((choice & 8) != 0) limits = {.head_size = 200, .header_count = 5};
  ClientRecorder recorder(limits);
  recorder.on_head = [choice](ClientRecorder& self, StreamId id) {
    const ResponseHead& head = self.messages.back()->response;
    CHECK(head.status >= 200 || head.status == 101);
    CHECK(!head.headers.Has(HeaderId::kTransferEncoding));
    CHECK(!head.headers.Has(HeaderId::kConnection));
    CHECK(head.headers.Count(HeaderId::kContentLength) <= 1);
    CHECK(http1::IsFieldValue(head.reason));
    head.headers.ForEach([](const Headers::Entry& entry) {
      CHECK(http1::IsToken(entry.name));
      CHECK(http1::IsFieldValue(entry.value));
    });
    if (head.status != 101) CheckForwarded(head);
    if (head.status == 101 && (choice & 4) != 0) self.codec->Tunnel(id);
  };
  constexpr Method kMethods[] = {Method::kGet, Method::kHead, Method::kConnect, Method::kGet};
  recorder.Request(kMethods[choice & 3], (choice & 3) == 3 ? "x" : "");
  recorder.Run(bytes, cut, true);
  // Bytes behind a good response are an error only if they come later than it.
  if (recorder.error.find("unsolicited") != std::string::npos) recorder.error.clear();
  return recorder.log + "error " + recorder.error + "\n";
}

}  // namespace
}  // namespace sluice

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using sluice::test::Cut;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::string whole = sluice::Run(bytes, data[0], Cut::kWhole);
  CHECK(sluice::Run(bytes, data[0], Cut::kGrow) == whole);
  if (size < 1024) CHECK(sluice::Run(bytes, data[0], Cut::kSlices) == whole);
  return 0;
}
