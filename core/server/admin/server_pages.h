// /server and /listeners, /clusters, /connections and /memory: what runs, for people and programs.
#ifndef SLUICE_CORE_SERVER_ADMIN_SERVER_PAGES_H_
#define SLUICE_CORE_SERVER_ADMIN_SERVER_PAGES_H_

#include "core/server/admin/admin_source.h"
#include "core/server/admin/admin_table.h"
#include "core/server/admin/worker_survey.h"

namespace sluice {

// All outlive the table's listener.
void AddServerPages(AdminTable& table, AdminSource& source, WorkerSurveys& surveys);

// Parts of it.
void AddClustersPage(AdminTable& table, AdminSource& source, WorkerSurveys& surveys);
void AddWorkerPages(AdminTable& table, AdminSource& source, WorkerSurveys& surveys);

// "3s", "250ms", "2m30s", of whole milliseconds.
std::string AdminDuration(Nanos time);

}  // namespace sluice

#endif  // SLUICE_CORE_SERVER_ADMIN_SERVER_PAGES_H_
