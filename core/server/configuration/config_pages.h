// The admin API's pages and actions about configurations: /config, /config/history,
// /config/rollback.
#ifndef SLUICE_CORE_SERVER_CONFIGURATION_CONFIG_PAGES_H_
#define SLUICE_CORE_SERVER_CONFIGURATION_CONFIG_PAGES_H_

#include "core/server/admin/admin_table.h"

namespace sluice {

class ConfigDesk;

// Both outlive the table's listener.
void AddConfigPages(AdminTable& table, ConfigDesk& desk);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_CONFIGURATION_CONFIG_PAGES_H_
