// What /proc says about other processes: for tests that look for what is left over.
#ifndef SLUICE_TESTS_SUPPORT_PROCESS_FIGURES_H_
#define SLUICE_TESTS_SUPPORT_PROCESS_FIGURES_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::test {

// Zero if there is no such process.
int64_t ResidentKilobytesOf(int pid);
size_t OpenFdsOf(int pid);
// Runs until each of its threads has stopped, or it is gone: a signal takes its time.
void AwaitStopped(int pid);
// Those, other than we, whose command line contains `text`. A zombie has none.
std::vector<int> ProcessesWith(std::string_view text);
// Names in a folder, sorted.
std::vector<std::string> FilesIn(const std::string& folder);

// The least-squares slope of values that were taken one after the other: growth a sample.
double SlopeOf(const std::vector<double>& values);

}  // namespace sluice::test

#endif  // SLUICE_TESTS_SUPPORT_PROCESS_FIGURES_H_
