// LoadReport: what an endpoint says of its own load in the field endpoint-load-metrics (ORCA, Open
// Request Cost Aggregation), in its JSON and its text form. Values only.
//
//   endpoint-load-metrics: JSON {"cpu_utilization": 0.3, "rps_fractional": 120, "eps": 2}
//   endpoint-load-metrics: TEXT cpu_utilization=0.3, rps_fractional=120
#ifndef SLUICE_CORE_UPSTREAM_BALANCE_LOAD_REPORT_H_
#define SLUICE_CORE_UPSTREAM_BALANCE_LOAD_REPORT_H_

#include <optional>
#include <string_view>

namespace sluice {

inline constexpr std::string_view kLoadReportHeader = "endpoint-load-metrics";

struct LoadReport {
  double application_utilization = 0;
  double cpu_utilization = 0;
  double rps = 0;  // requests per second
  double eps = 0;  // errors per second

  // The application's own measure, if it has one.
  double utilization() const {
    return application_utilization > 0 ? application_utilization : cpu_utilization;
  }
};

// The word in front may be missing. Fields that are not of use here are passed over; nothing if the
// text breaks its format, or a number that counts is negative or not finite.
std::optional<LoadReport> ParseLoadReport(std::string_view text);

}  // namespace sluice

#endif  // SLUICE_CORE_UPSTREAM_BALANCE_LOAD_REPORT_H_
