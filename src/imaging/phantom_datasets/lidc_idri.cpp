// LIDC-IDRI: see phantom_lidc.hpp, whose options go further.
#include <medretrieval/imaging/phantom_lidc.hpp>

#include "imaging/phantom_datasets/form.hpp"

namespace medretrieval::imaging::phantom {

namespace {

PhantomDatasetCounts write(const std::filesystem::path& folder, const PhantomDatasetOptions& options,
                           const Progress& progress) {
  PhantomLidcOptions lidc;
  lidc.patients = options.patients;
  lidc.slices = options.slices;
  lidc.side = options.side;
  lidc.seed = options.seed;
  lidc.threads = options.threads;
  write_phantom_lidc_idri(folder, lidc, progress);
  return {options.patients, options.patients * options.slices};
}

}  // namespace

Form lidc_idri_form() {
  return {"lidc-idri", "whole CT series in DICOM, each with the XML file of four readers", write, true};
}

}  // namespace medretrieval::imaging::phantom
