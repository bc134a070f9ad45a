#include "tests/support/web_socket_frames.h"

#include <cstddef>

namespace sluice::test {
namespace {

constexpr std::string_view kMask = "mask";

void Mask(std::string& text, std::string_view mask) {
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(text[i] ^ mask[i % 4]);
}

}  // namespace

std::string WebSocketFrame(std::string_view text, bool masked) {
  std::string payload(text);
  std::string frame = {static_cast<char>(0x81),
                       static_cast<char>(payload.size() | (masked ? 0x80U : 0U))};
  if (masked) {
    Mask(payload, kMask);
    frame += kMask;
  }
  return frame + payload;
}

bool TakeWebSocketFrame(std::string& bytes, std::string& text) {
  if (bytes.size() < 2) return false;
  const bool masked = (static_cast<unsigned char>(bytes[1]) & 0x80U) != 0;
  const size_t begin = masked ? 6 : 2;
  const size_t end = begin + (static_cast<unsigned char>(bytes[1]) & 0x7FU);
  if (bytes.size() < end) return false;
  text = bytes.substr(begin, end - begin);
  if (masked) Mask(text, std::string_view(bytes).substr(2, 4));
  bytes.erase(0, end);
  return true;
}

}  // namespace sluice::test
