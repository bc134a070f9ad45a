// WebSocket frames (RFC 6455, 5.2), as far as tests need them: short texts, whole.
#ifndef SLUICE_TESTS_SUPPORT_WEB_SOCKET_FRAMES_H_
#define SLUICE_TESTS_SUPPORT_WEB_SOCKET_FRAMES_H_

#include <string>
#include <string_view>

namespace sluice::test {

// The example of RFC 6455, 1.3, with its answer.
inline constexpr std::string_view kWebSocketRequest =
    "GET /chat HTTP/1.1\r\nHost: a.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
inline constexpr std::string_view kWebSocketAnswer =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

// A text frame; clients' are masked. REQUIRES: fewer than 126 bytes.
std::string WebSocketFrame(std::string_view text, bool masked);
// Takes a whole frame off the front of `bytes`; false if there is none yet.
bool TakeWebSocketFrame(std::string& bytes, std::string& text);

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_WEB_SOCKET_FRAMES_H_
