// AdminTable: what the admin API serves: a row for each page (GET and HEAD) and each action (POST).
// Filled by whoever has something to show or to do, before the listener starts; then read-only. It
// outlives the listener and its streams. Of the main thread.
#ifndef SLUICE_CORE_SERVER_ADMIN_ADMIN_TABLE_H_
#define SLUICE_CORE_SERVER_ADMIN_ADMIN_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "core/server/admin/admin_answer.h"

namespace sluice {

enum class AdminKind : uint8_t { kPage, kAction };

using AdminHandler = std::function<AdminAnswer(const AdminRequest&)>;

struct AdminRow {
  std::string_view path;
  AdminKind kind = AdminKind::kPage;
  std::string_view about = {};       // half a sentence: "what runs, and this list"
  std::string_view parameters = {};  // "?filter=REGEX, ?used"; empty: none
  AdminHandler handler = nullptr;
  bool open = false;  // asks for no token
  // Of an action: what its body may have, beyond it 413.
  size_t body_limit = 64 * 1024;
};

class AdminTable {
 public:
  // REQUIRES: no row has the path and the kind yet; the texts are literals.
  void Add(AdminRow row);

  // Null: there is none.
  const AdminRow* Find(std::string_view path, AdminKind kind) const;
  const std::vector<AdminRow>& rows() const { return rows_; }

 private:
  std::vector<AdminRow> rows_;
};

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ADMIN_ADMIN_TABLE_H_
