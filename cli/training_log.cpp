#include "training_log.hpp"

#include <spdlog/spdlog.h>

#include <medretrieval/error.hpp>
#include <optional>

namespace medretrieval::cli {

namespace {

std::string figure(const std::optional<double>& value) {
  return value ? fmt::format("{:.3f}", *value) : "-";
}

}  // namespace

void log_epoch(const deep::EpochFigures& figures) {
  const std::string area =
      figures.area_under_curve ? ", area under the curve " + figure(figures.area_under_curve) : "";
  spdlog::info("epoch {}: loss {:.4f}, mAP {}, accuracy {}{}, {:.1f} s", figures.epoch, figures.loss,
               figure(figures.map), figure(figures.accuracy), area, figures.seconds);
}

void EpochLog::add(const deep::EpochFigures& figures) {
  if (!stream_.is_open()) stream_.open(name_, std::ios::trunc);
  if (!(stream_ << deep::to_json(figures) << '\n').flush()) {
    throw Error(ErrorCode::io, name_ + ": cannot write");
  }
}

}  // namespace medretrieval::cli
