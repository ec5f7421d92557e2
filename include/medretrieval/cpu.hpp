/// \file
/// Which instruction set the kernels use.
#pragma once

#include <string>
#include <vector>

#include <medretrieval/error.hpp>

namespace medretrieval {

struct CpuInfo {
  std::string processor;  ///< as the system names it; empty when it does not
  std::string
      instruction_set;  ///< of the kernels in use: "scalar", "avx2", "avx512", "avx512_vbmi" or "neon"
  std::vector<std::string> supported;  ///< those this processor can run, slowest first
  int threads = 1;                     ///< that a call with threads = 0 uses
};

/// Results never depend on the instruction set, only speed does. The environment variable
/// MEDRETRIEVAL_FORCE_ISA picks another one before the first use.
/// \throws Error (unsupported) when that variable names one the processor does not have.
CpuInfo cpu_info();

}  // namespace medretrieval
