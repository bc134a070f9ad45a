// The pages that every process has: /, /ready, /live, /metrics, /stats.
#ifndef SLUICE_CORE_SERVER_ADMIN_BASIC_PAGES_H_
#define SLUICE_CORE_SERVER_ADMIN_BASIC_PAGES_H_

#include "core/server/admin/admin_source.h"
#include "core/server/admin/admin_table.h"

namespace sluice {

// Both outlive the table's listener.
void AddBasicPages(AdminTable& table, AdminSource& source);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ADMIN_BASIC_PAGES_H_
