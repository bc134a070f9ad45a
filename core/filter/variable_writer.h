// VariableWriter: where variables are written to: bytes behind one another, in memory that is kept
// for the next line. Owned by whoever renders often (a worker's access log); of one thread.
#ifndef SLUICE_CORE_FILTER_VARIABLE_WRITER_H_
#define SLUICE_CORE_FILTER_VARIABLE_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace sluice {

// How values are made safe for where they stand. Literal text is never touched.
enum class VariableEscape : uint8_t {
  kNone,
  kText,  // what is not printable ASCII, quotes and backslashes as \xHH: one line stays one line
  kJson,  // for inside a JSON string (RFC 8259); what is not UTF-8 becomes U+FFFD
};

class VariableWriter {
 public:
  VariableWriter() = default;
  VariableWriter(const VariableWriter&) = delete;
  VariableWriter& operator=(const VariableWriter&) = delete;

  // At least `size` writable bytes behind the last one; CommitTo says up to where they were used.
  char* Room(size_t size) {
    if (capacity_ - size_ < size) [[unlikely]]
      Grow(size);
    return data_.get() + size_;
  }
  void CommitTo(const char* end) { size_ = static_cast<size_t>(end - data_.get()); }

  void Append(std::string_view text) {
    char* room = Room(text.size());
    if (!text.empty()) std::memcpy(room, text.data(), text.size());
    size_ += text.size();
  }
  void Append(char c) {
    *Room(1) = c;
    ++size_;
  }
  void AppendNumber(uint64_t number);
  void AppendEscaped(std::string_view text, VariableEscape escape);

  // The byte at a place. REQUIRES: at < size().
  char& At(size_t at) { return data_[at]; }
  // Drops what stands behind the first `size` bytes. REQUIRES: size <= size().
  void Truncate(size_t size) { size_ = size; }
  void Clear() { size_ = 0; }
  size_t size() const { return size_; }
  std::string_view view() const { return {data_.get(), size_}; }

 private:
  void Grow(size_t size);
  void AppendJson(std::string_view text);
  void AppendVisible(std::string_view text);

  std::unique_ptr<char[]> data_;
  size_t size_ = 0;
  size_t capacity_ = 0;
};

}  // namespace sluice

#endif  // SLUICE_CORE_FILTER_VARIABLE_WRITER_H_
