// One file of a CT series.
#pragma once

#include <filesystem>
#include <medretrieval/imaging/dataset.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "imaging/datasets/lidc_series.hpp"

namespace medretrieval::imaging::datasets {

/// A slice that can be used, and of which series.
struct FoundSlice {
  std::string series;
  SliceFrame frame;
  std::optional<Date> date;
  SeriesSlice slice;  ///< without its folder
};

/// What a file turned out to be: a slice, nothing (another kind of file), or a kind of what is left out.
struct LookedAt {
  std::optional<FoundSlice> slice;
  std::string_view kind;
  std::string what;
  std::vector<std::string_view> refused;  ///< kinds of values that became blank
};

/// Reads the header of `path`.
LookedAt look_at_slice(const std::filesystem::path& path);

/// True for the ids of LIDC-IDRI (LIDC-IDRI-0001) and of its phantoms (SYNTHETIC-LIDC-000001), which are nobody's.
bool is_lidc_patient(std::string_view id) noexcept;

/// True when slices of both can stand in one stack, up to rounding; the second compares the directions alone.
bool same_frame(const SliceFrame& a, const SliceFrame& b);
bool same_orientation(const SliceFrame& a, const SliceFrame& b);

}  // namespace medretrieval::imaging::datasets
