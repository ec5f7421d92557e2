/// \file
/// How long calls report and how they are cancelled.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace medretrieval {

/// One report of a long call.
struct ProgressReport {
  std::string_view stage;  ///< what is being done, for example "encode"
  std::size_t done = 0;    ///< units finished, never falling within a stage
  std::size_t total = 0;   ///< units in this stage
};

/// Called now and then, from one thread at a time but not always the same. Return false to cancel: the call
/// then throws Error (cancelled) and leaves everything as it was. It must not call the object that reports. An empty function means no reports.
using Progress = std::function<bool(const ProgressReport&)>;

}  // namespace medretrieval
