// /logging: which levels the server's own log has, and changing them at run time.
#ifndef SLUICE_CORE_SERVER_ADMIN_LOGGING_PAGE_H_
#define SLUICE_CORE_SERVER_ADMIN_LOGGING_PAGE_H_

#include "core/server/admin/admin_table.h"

namespace sluice {

void AddLogging(AdminTable& table);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ADMIN_LOGGING_PAGE_H_
