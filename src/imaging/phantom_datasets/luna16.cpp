// LUNA16: .mhd/.raw scans in ten subsets, nodules and candidates in millimetres of the scanner's frame.
#include "imaging/phantom_datasets/luna16.hpp"

#include <span>
#include <vector>

#include "base/concat.hpp"
#include "imaging/datasets/dataset_files.hpp"
#include "imaging/file_bytes.hpp"
#include "imaging/phantom_datasets/form.hpp"
#include "imaging/phantom_draw.hpp"

namespace medretrieval::imaging::phantom {

using datasets::padded;
using detail::concat;
namespace fs = std::filesystem;

namespace {

constexpr const char* kNodules = "annotations.csv";
constexpr const char* kCandidates = "candidates_V2.csv";
constexpr const char* kPatients = "LIDC-IDRI_MetaData.csv";
constexpr std::size_t kSubsets = 10;

std::string mhd_text(const Scan& scan) {
  const double spacing = scan.placement.field_mm / static_cast<double>(scan.side);
  const std::string numbers =
      concat(long_number(spacing), ' ', long_number(spacing), ' ', long_number(scan.slice_spacing_mm));
  return concat("ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n",
                "CompressedData = False\nTransformMatrix = ",
                scan.is_turned ? "-1 0 0 0 -1 0 0 0 1" : "1 0 0 0 1 0 0 0 1",
                "\nOffset = ", long_number(scan.offset[0]), ' ', long_number(scan.offset[1]), ' ',
                long_number(scan.offset[2]), "\nCenterOfRotation = 0 0 0\nAnatomicalOrientation = RAI\n",
                "ElementSpacing = ", numbers, "\nDimSize = ", scan.side, ' ', scan.side, ' ', scan.slices,
                "\nElementType = MET_SHORT\nElementDataFile = ", scan.series, ".raw\n");
}

/// Little-endian 16-bit Hounsfield units.
void append_slice(const Image& image, std::vector<std::uint8_t>& bytes) {
  for (const float value : image.pixels()) {
    const auto stored = static_cast<std::uint16_t>(static_cast<std::int16_t>(value));
    bytes.push_back(static_cast<std::uint8_t>(stored & 0xFF));
    bytes.push_back(static_cast<std::uint8_t>(stored >> 8));
  }
}

std::string spot_row(const std::string& series, const Point3& world, const std::string& last) {
  return table_line({series, long_number(world[0]), long_number(world[1]), long_number(world[2]), last});
}

void add_rows(const Scan& scan, const std::string& patient, Tables& rows) {
  for (const ScannedNodule& found : scan.nodules) {
    rows[kNodules] += spot_row(scan.series, found.world, long_number(found.nodule.ratings.diameter_mm));
    rows[kCandidates] += spot_row(scan.series, found.world, "1");
  }
  for (const Point3& world : scan.others) rows[kCandidates] += spot_row(scan.series, world, "0");
  rows[kPatients] += table_line({"SYNTHETIC", patient, "01/01/2000", "null", "CT", "null", "medretrieval",
                                 "phantom generator", "1", scan.series});
}

PatientRows write_patient(const fs::path& folder, const PhantomDatasetOptions& options, std::size_t patient) {
  const PhantomOptions drawing = drawing_of(options, PhantomKind::chest_ct, kLuna16Tag);
  const fs::path subset = folder / concat("subset", patient % kSubsets);
  const std::string name = "SYNTHETIC-LUNA-" + padded(static_cast<std::int64_t>(patient), 6);
  PatientRows written;
  for (std::size_t number = 0; number < scan_count(patient); ++number) {
    const Scan scan = draw_scan(drawing, options.slices, patient, number);
    std::vector<std::uint8_t> voxels;
    voxels.reserve(2 * scan.side * scan.side * scan.slices);
    for (std::size_t slice = 0; slice < scan.slices; ++slice) {
      append_slice(paint_scan_slice(drawing, scan, patient, number, slice), voxels);
    }
    const std::string header = mhd_text(scan);
    write_file(with_folder(subset / (scan.series + ".raw")), voxels);
    write_file(subset / (scan.series + ".mhd"),
               {reinterpret_cast<const std::uint8_t*>(header.data()), header.size()});
    add_rows(scan, name, written.rows);
    written.images += scan.slices;
  }
  return written;
}

PhantomDatasetCounts write(const fs::path& folder, const PhantomDatasetOptions& options,
                           const Progress& progress) {
  const Tables heads = {
      {kNodules, "seriesuid,coordX,coordY,coordZ,diameter_mm\n"},
      {kCandidates, "seriesuid,coordX,coordY,coordZ,class\n"},
      {kPatients,
       "Collection,Patient Id,Study Date,Study Description,Modality,Series Description,Manufacturer,"
       "Manufacturer Model,Software Version,Series UID\n"}};
  return write_form(folder, options, progress, heads,
                    [&](std::size_t patient) { return write_patient(folder, options, patient); });
}

}  // namespace

Form luna16_form() {
  return {"luna16",
          "CT scans (.mhd with .raw) in subset0/ to subset9/, annotations.csv, candidates_V2.csv, and "
          "LIDC-IDRI_MetaData.csv, which names the patients",
          write, true};
}

}  // namespace medretrieval::imaging::phantom
