#include "tests/support/process_figures.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

namespace sluice::test {
namespace {

namespace fs = std::filesystem;

fs::path FolderOf(int pid) { return fs::path("/proc") / std::to_string(pid); }

}  // namespace

int64_t ResidentKilobytesOf(int pid) {
  std::ifstream file(FolderOf(pid) / "statm");
  int64_t size = 0;
  int64_t resident = 0;
  if (!(file >> size >> resident)) return 0;
  return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

size_t OpenFdsOf(int pid) {
  std::error_code error;
  size_t count = 0;
  for (fs::directory_iterator each(FolderOf(pid) / "fd", error), end; !error && each != end;
       each.increment(error)) {
    ++count;
  }
  return count;
}

void AwaitStopped(int pid) {
  for (bool running = true; running;) {
    running = false;
    std::error_code error;
    for (fs::directory_iterator each(FolderOf(pid) / "task", error), end; !error && each != end;
         each.increment(error)) {
      std::ifstream file(each->path() / "stat");
      std::string line;
      std::getline(file, line);
      const size_t name_end = line.rfind(") ");  // "PID (NAME) STATE ..."
      running |= name_end != std::string::npos && line[name_end + 2] != 'T';
    }
  }
}

std::vector<int> ProcessesWith(std::string_view text) {
  std::vector<int> pids;
  std::error_code error;
  for (fs::directory_iterator each("/proc", error), end; !error && each != end;
       each.increment(error)) {
    const std::string name = each->path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(each->path() / "cmdline", std::ios::binary);
    std::ostringstream line;
    line << file.rdbuf();
    const int pid = std::stoi(name);
    if (pid != getpid() && line.str().find(text) != std::string::npos) pids.push_back(pid);
  }
  return pids;
}

std::vector<std::string> FilesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& each : fs::directory_iterator(folder)) {
    names.push_back(each.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

double SlopeOf(const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  double sum_x = 0;
  double sum_y = 0;
  double sum_xy = 0;
  double sum_xx = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto x = static_cast<double>(i);
    sum_x += x;
    sum_y += values[i];
    sum_xy += x * values[i];
    sum_xx += x * x;
  }
  const double spread = n * sum_xx - sum_x * sum_x;
  return spread == 0 ? 0 : (n * sum_xy - sum_x * sum_y) / spread;
}

}  // namespace sluice::test
