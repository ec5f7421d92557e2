// What a training tells of its epochs.
#pragma once

#include <fstream>
#include <medretrieval/torch/training.hpp>
#include <string>

namespace medretrieval::cli {

/// Says one line on standard error.
void log_epoch(const deep::EpochFigures& figures);

/// Writes a line for each epoch; an earlier log stays until the first one ends. A training that goes on from a
/// checkpoint writes the earlier lines again.
class EpochLog {
 public:
  explicit EpochLog(std::string file) : name_(std::move(file)) {}

  /// \throws Error (io).
  void add(const deep::EpochFigures& figures);

 private:
  std::string name_;
  std::ofstream stream_;
};

}  // namespace medretrieval::cli
