/// \file
/// Boxes around findings, as NIH publishes them for ChestX-ray14 (Wang et al., CVPR 2017): BBox_List_2017.csv.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <medretrieval/error.hpp>

namespace medretrieval::imaging {

/// Side of the published images in pixels; the boxes are in their pixels.
inline constexpr double kPublishedChestSide = 1024;
/// The largest table of boxes that is read, in bytes, also unpacked (4 MiB; the published one has 0.1).
inline constexpr std::size_t kMaxBoxTableBytes = std::size_t{1} << 22;

/// A box around a finding, in pixels from the image's left upper corner. Its size is above 0, and it lies inside.
struct ChestBox {
  std::string finding;  ///< as in the labels: the table's "Infiltrate" is "Infiltration"
  double left = 0;
  double top = 0;
  double width = 0;
  double height = 0;
};

/// Reads the table, as published or packed by gzip (told by content): columns "Image Index", "Finding Label", "Bbox [x",
/// "y", "w", "h]", and perhaps columns without a name at the end. Boxes by the file name of their image, those of an
/// image in the table's order.
/// \param side of the images that the table is about, in pixels, 1 to 32,768
/// \throws Error not_found (no such file, a column that is not there), io, limit_exceeded (kMaxBoxTableBytes),
///         corrupt (not a table, a finding that is none, a box outside of the image: with file, line, expected and got),
///         invalid_argument (side).
std::map<std::string, std::vector<ChestBox>> read_chest_boxes(const std::filesystem::path& file,
                                                              double side = kPublishedChestSide);

}  // namespace medretrieval::imaging
