#include "core/server/admin/admin_table.h"

#include <utility>

#include "core/base/check.h"

namespace sluice {

void AdminTable::Add(AdminRow row) {
  CHECK(Find(row.path, row.kind) == nullptr);
  rows_.push_back(std::move(row));
}

const AdminRow* AdminTable::Find(std::string_view path, AdminKind kind) const {
  for (const AdminRow& row : rows_) {
    if (row.path == path && row.kind == kind) return &row;
  }
  return nullptr;
}

}  // namespace sluice
