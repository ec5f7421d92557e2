// A phantom as a DICOM file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <medretrieval/imaging/phantom.hpp>
#include <string>

namespace medretrieval::imaging::phantom {

/// The DICOM modality of a kind.
const char* modality_of(PhantomKind kind);

/// DICOM identifiers below 2.25, the branch for UUIDs: a number that follows from all options that change
/// pixels, and below it patient, study, series and image.
struct PhantomUids {
  std::string study, series, image, frame_of_reference;
};

PhantomUids uids_of(const PhantomOptions& options, std::size_t patient, std::size_t index);

/// Writes chest_ct as CT Image Storage with rescale, chest_xray as Computed Radiography. The identifiers
/// follow from the options, so that a phantom has the same ones whenever it is written.
/// \throws Error (io) when the file cannot be written.
void write_phantom_dicom(const PhantomImage& drawn, const PhantomOptions& options, std::size_t patient,
                         const std::filesystem::path& file);

}  // namespace medretrieval::imaging::phantom
