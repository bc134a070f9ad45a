// ChunkLine: reads what stands between the bytes of a chunked body: the CRLF behind a chunk, then
// the line with the next one's size (RFC 9112 7.1), byte by byte, so that it does not matter how
// they arrive. Extensions are held to their grammar and dropped. Owned by a BodyReader.
#ifndef SLUICE_CORE_HTTP_HTTP1_CHUNK_LINE_H_
#define SLUICE_CORE_HTTP_HTTP1_CHUNK_LINE_H_

#include <cstdint>

namespace sluice::http1 {

class ChunkLine {
 public:
  enum class Result : uint8_t { kMore, kDone, kFault };

  // The first line of a body is next.
  void Begin() { *this = ChunkLine(); }
  // A chunk's data was read: its CRLF is next, then the next line.
  void BeginNext() {
    Begin();
    state_ = State::kDataCr;
  }

  // Reads from `at` on, which it moves; no byte behind the line.
  Result Read(const char*& at, const char* end);
  // Of the chunk, once kDone: 0 is the last.
  uint64_t size() const { return size_; }

 private:
  static constexpr uint32_t kMaxDigits = 32;       // most of them zeros in front
  static constexpr uint32_t kMaxExtension = 1024;  // bytes, of one chunk

  // What is read next, or was just read.
  enum class State : uint8_t {
    kDataCr,
    kDataLf,
    kSize,
    kBeforeSemicolon,  // blanks; nothing but another extension may follow them
    kBeforeName,
    kName,
    kBehindName,
    kBeforeValue,
    kToken,
    kQuoted,
    kEscaped,
    kBehindQuoted,
    kLf,
    kDone,
    kFault,
  };

  State Next(char c);
  State AddDigit(uint32_t digit);
  static State BehindElement(char c);

  uint64_t size_ = 0;
  uint16_t digits_ = 0;
  uint16_t extension_ = 0;  // bytes of the line behind the size
  State state_ = State::kSize;
};

}  // namespace sluice::http1

#endif  // SLUICE_CORE_HTTP_HTTP1_CHUNK_LINE_H_
