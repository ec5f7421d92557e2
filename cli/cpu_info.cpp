#include <iostream>
#include <medretrieval/cpu.hpp>
#include <medretrieval/version.hpp>
#include <nlohmann/json.hpp>

#include "command.hpp"

namespace medretrieval::cli {

void add_cpu_info_command(CLI::App& app) {
  auto* command = app.add_subcommand("cpu-info", "Show which instruction set the kernels use");
  command->footer(
      "Examples:\n  medretrieval cpu-info\n  MEDRETRIEVAL_FORCE_ISA=avx2 medretrieval cpu-info --json\n");
  auto json = std::make_shared<bool>(false);
  command->add_flag("--json", *json, "Print JSON");
  command->callback([json] {
    const CpuInfo info = cpu_info();
    if (*json) {
      const nlohmann::ordered_json document = {{"version", version()},
                                               {"processor", info.processor},
                                               {"instruction_set", info.instruction_set},
                                               {"supported", info.supported},
                                               {"threads", info.threads}};
      std::cout << document.dump(2) << '\n';
      return;
    }
    std::string supported;
    for (const auto& each : info.supported) supported += (supported.empty() ? "" : ", ") + each;
    std::cout << "medretrieval     " << version() << "\nprocessor        " << info.processor
              << "\ninstruction set  " << info.instruction_set << "\nsupported        " << supported
              << "\nthreads          " << info.threads << '\n';
  });
}

}  // namespace medretrieval::cli
