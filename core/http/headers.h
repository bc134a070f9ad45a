// Headers: the fields of one message, in their order. Entries are views into the read buffer or
// into the stream's arena; nothing is copied while parsing. Names keep the case they came in and
// compare without it. Of one thread; lives no longer than its arena and the read buffer behind the
// views.
#ifndef SLUICE_CORE_HTTP_HEADERS_H_
#define SLUICE_CORE_HTTP_HEADERS_H_

#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include "core/base/arena.h"
#include "core/base/check.h"
#include "core/http/header_id.h"

namespace sluice {

class Headers {
 public:
  struct Entry {
    std::string_view name;   // empty: removed
    std::string_view value;  // without blanks around it
    HeaderId id;
  };

  explicit Headers(Arena& arena) : arena_(&arena) {}
  Headers(const Headers&) = delete;
  Headers& operator=(const Headers&) = delete;

  // The first value of the field; nothing if it is absent.
  std::optional<std::string_view> Get(HeaderId id) const {
    const uint16_t at = first_[static_cast<size_t>(id)];
    if (at == 0) return {};
    return entries_[at - 1].value;
  }
  std::optional<std::string_view> Get(std::string_view name) const;
  bool Has(HeaderId id) const { return first_[static_cast<size_t>(id)] != 0; }
  bool Has(std::string_view name) const { return Get(name).has_value(); }
  // How many lines the field has.
  size_t Count(HeaderId id) const;
  size_t Count(std::string_view name) const;
  // All values of the field joined by ", " (RFC 9110 5.3), in the arena if there are several.
  std::optional<std::string_view> GetJoined(std::string_view name) const;

  // Adds a line. The value (and for the second form the name) is copied into the arena.
  void Add(HeaderId id, std::string_view value) {
    AddView(HeaderName(id), arena_->Copy(value), id);
  }
  void Add(std::string_view name, std::string_view value);
  // Adds a line without a copy. REQUIRES: both views live as long as the message.
  void AddView(std::string_view name, std::string_view value, HeaderId id) {
    CHECK(!name.empty());
    if (count_ == capacity_) [[unlikely]]
      Grow();
    // Member by member: a temporary would be read back in wider pieces than it was written in.
    Entry& entry = entries_[count_];
    entry.name = name;
    entry.value = value;
    entry.id = id;
    ++count_;
    ++live_;
    uint16_t& first = first_[static_cast<size_t>(id)];
    if (first == 0 && id != HeaderId::kOther) first = static_cast<uint16_t>(count_);
  }
  void AddView(HeaderId id, std::string_view value) { AddView(HeaderName(id), value, id); }

  // Makes `value` the field's only value, in the place of its first line.
  void Set(HeaderId id, std::string_view value) { SetView(id, arena_->Copy(value)); }
  void Set(std::string_view name, std::string_view value);
  void SetView(HeaderId id, std::string_view value);

  // Removes all lines of the field; says how many there were.
  size_t Remove(HeaderId id);
  size_t Remove(std::string_view name);
  // Removes every line for which match(entry) is true.
  template <typename Match>
  size_t RemoveIf(Match match) {
    size_t removed = 0;
    for (uint32_t i = 0; i < count_; ++i) {
      if (!entries_[i].name.empty() && match(static_cast<const Entry&>(entries_[i]))) {
        RemoveAt(i);
        ++removed;
      }
    }
    return removed;
  }
  void Clear();

  // Calls visit(entry) for each line in order.
  template <typename Visit>
  void ForEach(Visit visit) const {
    for (uint32_t i = 0; i < count_; ++i) {
      if (!entries_[i].name.empty()) visit(static_cast<const Entry&>(entries_[i]));
    }
  }
  // Calls visit(value) for each line of the field, in order.
  template <typename Visit>
  void ForEachValue(HeaderId id, Visit visit) const {
    for (uint32_t i = FirstIndex(id); i < count_; ++i) {
      if (entries_[i].id == id && !entries_[i].name.empty()) visit(entries_[i].value);
    }
  }

  size_t size() const { return live_; }
  bool empty() const { return live_ == 0; }
  Arena& arena() const { return *arena_; }

  // For codecs: the lines as they are, removed ones included. Growing the table moves it.
  Entry* raw_entries() { return entries_; }
  const Entry* raw_entries() const { return entries_; }
  uint32_t raw_count() const { return count_; }

 private:
  uint32_t FirstIndex(HeaderId id) const {
    const uint16_t at = first_[static_cast<size_t>(id)];
    return at == 0 ? count_ : at - 1U;
  }
  void RemoveAt(uint32_t index);
  void Grow();

  Arena* arena_;
  Entry* entries_ = nullptr;
  uint32_t count_ = 0;
  uint32_t live_ = 0;
  uint32_t capacity_ = 0;
  uint16_t first_[kHeaderIdCount] = {};  // 1 + the index of the field's first line; 0: absent
};

}  // namespace sluice

#endif  // SLUICE_CORE_HTTP_HEADERS_H_
