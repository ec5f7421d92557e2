#include <array>
#include <medretrieval/imaging/chest_boxes.hpp>
#include <medretrieval/imaging/image.hpp>

#include "base/concat.hpp"
#include "imaging/datasets/chest_findings.hpp"
#include "imaging/datasets/dataset_files.hpp"
#include "imaging/file_bytes.hpp"
#include "imaging/inflate.hpp"
#include "imaging/require_range.hpp"

namespace medretrieval::imaging {

namespace fs = std::filesystem;

namespace {

constexpr std::array<std::uint8_t, 2> kGzipMark = {0x1F, 0x8B};

/// The table's text, unpacked where it is packed.
std::string text_of(const fs::path& file) {
  return naming_file(file, [&] {
    std::vector<std::uint8_t> bytes = read_file(file, kMaxBoxTableBytes);
    const bool is_packed = bytes.size() >= 2 && bytes[0] == kGzipMark[0] && bytes[1] == kGzipMark[1];
    if (is_packed) bytes = inflate_bytes(bytes, DeflateFormat::zlib_or_gzip, kMaxBoxTableBytes);
    return std::string(bytes.begin(), bytes.end());
  });
}

}  // namespace

std::map<std::string, std::vector<ChestBox>> read_chest_boxes(const fs::path& file, double side) {
  require_range("side of boxes", side, 1, static_cast<double>(kMaxImageSide));
  CsvTable table(file, text_of(file));
  const std::size_t image = table.column("Image Index");
  const std::size_t finding = table.column("Finding Label");
  const std::array<std::size_t, 4> corners = {table.column("Bbox [x"), table.column("y"), table.column("w"),
                                              table.column("h]")};
  std::map<std::string, std::vector<ChestBox>> boxes;
  while (table.next()) {
    // The table of boxes has its own name for one finding.
    ChestBox box{table.text(finding) == "Infiltrate" ? "Infiltration" : table.text(finding)};
    if (!datasets::is_chest_finding(box.finding)) table.refuse(finding, "a finding of ChestX-ray14");
    box.left = table.number(corners[0], 0, side);
    box.top = table.number(corners[1], 0, side);
    box.width = table.number(corners[2], 0, side);
    box.height = table.number(corners[3], 0, side);
    if (!(box.width > 0) || box.left + box.width > side) table.refuse(corners[2], "a width inside the image");
    if (!(box.height > 0) || box.top + box.height > side)
      table.refuse(corners[3], "a height inside the image");
    boxes[datasets::file_name(table, image)].push_back(std::move(box));
  }
  return boxes;
}

}  // namespace medretrieval::imaging
