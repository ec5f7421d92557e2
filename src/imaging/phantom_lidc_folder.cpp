#include <cmath>
#include <medretrieval/imaging/phantom_lidc.hpp>
#include <medretrieval/item.hpp>
#include <span>

#include "base/concat.hpp"
#include "base/parallel_for.hpp"
#include "imaging/datasets/dataset_files.hpp"
#include "imaging/file_bytes.hpp"
#include "imaging/phantom_ct.hpp"
#include "imaging/phantom_dicom.hpp"
#include "imaging/phantom_draw.hpp"
#include "imaging/phantom_lidc.hpp"
#include "imaging/phantom_output.hpp"
#include "imaging/reporter.hpp"
#include "imaging/require_range.hpp"

namespace medretrieval::imaging {

namespace fs = std::filesystem;

namespace {

/// A stream of its own, so that the same seed draws other patients than the single images.
PhantomOptions drawing_options(const PhantomLidcOptions& options) {
  constexpr std::uint64_t kForm = 0x4c494443;
  PhantomOptions drawing;
  drawing.kind = PhantomKind::chest_ct;
  drawing.patients = options.patients;
  drawing.images_per_patient = options.slices;
  drawing.side = options.side;
  drawing.region_mm = 0;
  drawing.seed = detail::Random(options.seed ^ kForm).next();
  return drawing;
}

/// Draws and writes one patient.
class PatientWriter {
 public:
  PatientWriter(const fs::path& folder, const PhantomLidcOptions& options, std::size_t patient)
      : options_(options),
        drawing_(drawing_options(options)),
        patient_(patient),
        drawn_(phantom::draw_ct_patient(drawing_, patient)),
        name_("SYNTHETIC-LIDC-" + datasets::padded(static_cast<std::int64_t>(patient), 6)) {
    const phantom::PhantomUids uids = phantom::uids_of(drawing_, patient, 0);
    series_ = folder / name_ / uids.study / uids.series;
    make_folder(series_);
  }

  void write() const {
    std::vector<phantom::ReadSlice> slices;
    for (std::size_t i = 0; i < options_.slices; ++i) slices.push_back(write_slice(i));
    const phantom::Canvas canvas(options_.side, placement(), 0);
    const phantom::PhantomUids uids = phantom::uids_of(drawing_, patient_, 0);
    LidcAnnotations annotations;
    annotations.series_uid = uids.series;
    annotations.study_uid = uids.study;
    detail::Random random = phantom::image_stream(drawing_, patient_, options_.slices);
    annotations.readings = phantom::draw_readings(drawn_, slices, canvas, random);
    const std::string xml = phantom::lidc_xml(annotations);
    write_file(series_ / "annotations.xml", {reinterpret_cast<const std::uint8_t*>(xml.data()), xml.size()});
  }

 private:
  static phantom::Placement placement() { return {phantom::kMiddleOfSlice, phantom::kWholeSliceMm, {1, 0}}; }

  phantom::ReadSlice write_slice(std::size_t index) const {
    phantom::CtScan scan;
    scan.height =
        (static_cast<double>(index) - static_cast<double>(options_.slices / 2)) * options_.slice_spacing_mm;
    scan.placement = placement();
    scan.noise = drawn_.noise;
    scan.with_nodule = std::fabs(scan.height) < phantom::half_extent(drawn_.nodule);
    detail::Random random = phantom::image_stream(drawing_, patient_, index);
    const phantom::Canvas canvas = phantom::paint_ct_slice(drawn_, scan, options_.side, random);
    PhantomImage image;
    image.image = phantom::to_ct_image(canvas);
    image.patient = name_;
    image.study = name_ + "-S00";
    const auto day = phantom::study_day(drawing_, patient_, index).day.time_since_epoch().count();
    image.date = Date::from_days(static_cast<std::int32_t>(day)).to_string();
    image.index = index;
    image.attributes = {{"pixel_spacing_mm", canvas.spacing()}, {"slice_offset_mm", scan.height}};
    const std::string file = "1-" + datasets::padded(static_cast<std::int64_t>(index + 1), 3) + ".dcm";
    phantom::write_phantom_dicom(image, drawing_, patient_, series_ / file);
    return {scan.height, phantom::uids_of(drawing_, patient_, index).image};
  }

  const PhantomLidcOptions& options_;
  PhantomOptions drawing_;
  std::size_t patient_;
  phantom::CtPatient drawn_;
  std::string name_;
  fs::path series_;
};

}  // namespace

void PhantomLidcOptions::validate() const {
  require_range("patients", patients, 1, 100'000);
  require_range("slices", slices, 3, 64);
  require_range("slice_spacing_mm", slice_spacing_mm, 0.5, 10.0);
  require_range("side", side, 64, 1024);
}

void write_phantom_lidc_idri(const fs::path& folder, const PhantomLidcOptions& options,
                             const Progress& progress) {
  options.validate();
  phantom::NewFolder output(folder);
  Reporter reporter(progress, "draw phantoms", options.patients);
  detail::parallel_for(options.patients, options.threads, [&](std::size_t patient) {
    PatientWriter(folder, options, patient).write();
    reporter.one_done();
  });
  output.keep();
}

}  // namespace medretrieval::imaging
