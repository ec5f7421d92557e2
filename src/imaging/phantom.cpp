#include <algorithm>
#include <chrono>
#include <cstdint>
#include <medretrieval/imaging/phantom.hpp>
#include <string>

#include "base/concat.hpp"
#include "base/random.hpp"
#include "imaging/phantom_draw.hpp"
#include "imaging/require_range.hpp"

namespace medretrieval::imaging {

namespace {

void require_below(const char* name, std::size_t value, std::size_t count) {
  if (value >= count) {
    detail::fail(ErrorCode::invalid_argument, name, " must be below ", count, ", got ", value);
  }
}

std::string zero_padded(std::size_t number, std::size_t digits) {
  const std::string written = std::to_string(number);
  return std::string(digits - std::min(digits, written.size()), '0') + written;
}

constexpr double kLargestOffset = 0.4;  // of the region

std::string iso_date(std::chrono::sys_days day) {
  const std::chrono::year_month_day date(day);
  return std::to_string(static_cast<int>(date.year())) + "-" +
         zero_padded(static_cast<unsigned>(date.month()), 2) + "-" +
         zero_padded(static_cast<unsigned>(date.day()), 2);
}

}  // namespace

void PhantomOptions::validate() const {
  require_range("patients", patients, 1, 1'000'000);
  require_range("images_per_patient", images_per_patient, 1, 64);
  if (side != 0) require_range("side", side, 64, 1024);
  if (region_mm != 0 && !(region_mm >= 24 && region_mm <= 200)) {
    detail::fail(ErrorCode::invalid_argument, "region_mm must be 0 or 24 to 200, got ", region_mm);
  }
  const bool has_region = kind == PhantomKind::chest_ct && region_mm != 0;
  if (!has_region && offset_mm != 0) {
    detail::fail(ErrorCode::invalid_argument,
                 "offset_mm must be 0 where no region around a nodule is drawn, got ", offset_mm);
  }
  if (has_region) require_range("offset_mm", offset_mm, 0, kLargestOffset * region_mm);
}

PhantomImage draw_phantom(const PhantomOptions& options, std::size_t patient, std::size_t index) {
  options.validate();
  require_below("patient", patient, options.patients);
  require_below("index", index, options.images_per_patient);
  const bool is_ct = options.kind == PhantomKind::chest_ct;
  PhantomImage drawn = is_ct ? phantom::draw_chest_ct(options, patient, index)
                             : phantom::draw_chest_xray(options, patient, index);
  drawn.patient = (is_ct ? "SYNTHETIC-CT-" : "SYNTHETIC-XR-") + zero_padded(patient, 6);
  drawn.study = drawn.patient + "-S" + zero_padded(is_ct ? 0 : index, 2);
  drawn.date = iso_date(phantom::study_day(options, patient, index).day);
  drawn.index = index;
  return drawn;
}

namespace phantom {

namespace {

constexpr std::size_t kPatientPart = 0;
constexpr std::size_t kCalendarPart = 1;
constexpr std::size_t kFirstImagePart = 2;
constexpr std::size_t kFirstOffsetPart = kFirstImagePart + 64;  // a patient has no more images

detail::Random stream(const PhantomOptions& options, std::size_t patient, std::size_t part) {
  std::uint64_t seed = options.seed;
  for (const std::uint64_t word : {static_cast<std::uint64_t>(options.kind),
                                   static_cast<std::uint64_t>(patient), static_cast<std::uint64_t>(part)}) {
    seed = detail::Random(seed ^ ((word + 1) * 0x9e3779b97f4a7c15ULL)).next();
  }
  return detail::Random(seed);
}

}  // namespace

std::size_t drawn_side(const PhantomOptions& options) {
  if (options.side != 0) return options.side;
  return options.kind == PhantomKind::chest_ct && options.region_mm != 0 ? 128 : 256;
}

detail::Random patient_stream(const PhantomOptions& options, std::size_t patient) {
  return stream(options, patient, kPatientPart);
}

detail::Random image_stream(const PhantomOptions& options, std::size_t patient, std::size_t index) {
  return stream(options, patient, kFirstImagePart + index);
}

detail::Random offset_stream(const PhantomOptions& options, std::size_t patient, std::size_t index) {
  return stream(options, patient, kFirstOffsetPart + index);
}

StudyDay study_day(const PhantomOptions& options, std::size_t patient, std::size_t index) {
  using std::chrono::days;
  detail::Random random = stream(options, patient, kCalendarPart);
  const auto first = std::chrono::sys_days(std::chrono::year(2015) / 1 / 1) + days(random.below(1800));
  int elapsed = 0;
  if (options.kind == PhantomKind::chest_xray) {  // the slices of a CT are of one day
    for (std::size_t i = 0; i < index; ++i) elapsed += 20 + static_cast<int>(random.below(400));
  }
  return {first + days(elapsed), elapsed};
}

}  // namespace phantom
}  // namespace medretrieval::imaging
