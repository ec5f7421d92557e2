#include <fstream>
#include <medretrieval/cpu.hpp>
#include <medretrieval/version.hpp>

#include "base/parallel_for.hpp"
#include "kernels/dispatch.hpp"

namespace medretrieval {

namespace {

/// The "model name" of the first processor that Linux lists.
std::string processor_name() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    if (!line.starts_with("model name")) continue;
    const std::size_t colon = line.find(": ");
    return colon == std::string::npos ? "" : line.substr(colon + 2);
  }
  return "";
}

}  // namespace

CpuInfo cpu_info() {
  CpuInfo info;
  info.processor = processor_name();
  info.instruction_set = kernels::active().name;
  for (const auto& table : kernels::supported()) info.supported.emplace_back(table.name);
  info.threads = detail::resolve_threads(0);
  return info;
}

const char* version() noexcept {
  return MEDRETRIEVAL_VERSION;
}

}  // namespace medretrieval
