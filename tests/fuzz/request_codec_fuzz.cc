// Requests: whatever the bytes, cutting them up differently changes nothing that the owner sees,
// what is accepted is sound, and what is passed on is read by our own client's peer as the same
// request. The first byte chooses the limits and how the requests are answered.
#include <cstdint>
#include <string>

#include "core/base/check.h"
#include "core/http/http1/grammar.h"
#include "tests/support/codec_recorder.h"

namespace sluice {
namespace {

using test::Cut;
using test::ServerRecorder;

void Answer(ServerRecorder& recorder, StreamId id, uint8_t choice) {
  Arena arena;
  ResponseHead head(arena);
  head.status = (choice & 1) != 0 ? 200 : 204;
  const bool end = (choice & 2) != 0;
  recorder.codec->EncodeHead(id, head, end, recorder.out);
  if (!end) {
    Buffer body("body");
    recorder.codec->EncodeBody(id, body, recorder.out);
  }
  if ((choice & 4) != 0 && !recorder.messages.back()->request.upgrade.empty()) {
    return recorder.codec->Tunnel(id);
  }
  recorder.codec->EncodeEnd(id, nullptr, recorder.out);
}

void CheckHead(const RequestHead& head) {
  CHECK(http1::IsToken(head.method_name()));
  CHECK(http1::IsFieldValue(head.path));
  CHECK(head.path.find_first_of("# \t") == std::string_view::npos);
  CHECK(head.path.empty() == (head.method() == Method::kConnect));
  CHECK(head.headers.Count(HeaderId::kHost) <= 1);
  CHECK(head.headers.Get(HeaderId::kHost).value_or("") == head.authority);
  CHECK(!head.headers.Has(HeaderId::kTransferEncoding));
  CHECK(!head.headers.Has(HeaderId::kConnection));
  CHECK(head.headers.Count(HeaderId::kContentLength) <= 1);
  CHECK(head.wire_size == head.bytes.size());
  head.headers.ForEach([](const Headers::Entry& entry) {
    CHECK(http1::IsToken(entry.name));
    CHECK(http1::IsFieldValue(entry.value));
  });
}

// Sends the request on, and reads it again as the upstream would.
void CheckForwarded(const RequestHead& head, bool end) {
  test::ClientRecorder client;
  client.codec->EncodeHead(head, end, client.out);
  ServerRecorder again({.head_size = 1 << 20, .target_size = 1 << 20});
  const std::string bytes = client.out.ToString();
  again.Run(bytes, Cut::kWhole);
  CHECK(again.error.empty());
  CHECK(again.log.find("\nhead 1 ") != std::string::npos);
  const RequestHead& read = again.messages.back()->request;
  CHECK(read.method_name() == head.method_name());
  CHECK(read.path == head.path);
  CHECK(read.headers.size() >= head.headers.size());
}

std::string Run(std::string_view bytes, uint8_t choice, Cut cut) {
  CodecLimits limits;
  if ((choice & 8) != 0) limits = {.head_size = 200, .header_count = 5, .target_size = 40};
  limits.http10 = (choice & 16) == 0;
  ServerRecorder recorder(limits);
  recorder.answer = [choice](ServerRecorder& self, StreamId id) { Answer(self, id, choice); };
  recorder.on_head = [choice](ServerRecorder& self, StreamId id) {
    const RequestHead& head = self.messages.back()->request;
    CheckHead(head);
    if (head.protocol == Protocol::kHttp11 && !head.headers.Has(HeaderId::kUpgrade)) {
      CheckForwarded(head, head.content_length == 0U);
    }
    if ((choice & 32) != 0) Answer(self, id, choice);
  };
  recorder.Run(bytes, cut, true);
  return recorder.log + "error " + recorder.error + "\n" + recorder.out.ToString();
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
