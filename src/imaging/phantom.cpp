#include <cmath>
#include <medretrieval/imaging/phantom.hpp>
#include <string>

#include "base/concat.hpp"
#include "base/random.hpp"
#include "imaging/phantom_draw.hpp"

namespace medretrieval::imaging {

using medretrieval::detail::fail;

namespace {

void require_count(const char* name, std::size_t value, std::size_t low, std::size_t high) {
  if (value < low || value > high) {
    fail(ErrorCode::invalid_argument, name, " must be ", low, " to ", high, ", got ", value);
  }
}

void require_below(const char* name, std::size_t value, std::size_t count) {
  if (value >= count) fail(ErrorCode::invalid_argument, name, " must be below ", count, ", got ", value);
}

std::string patient_name(PhantomKind kind, std::size_t patient) {
  const std::string digits = std::to_string(patient);
  const std::string zeros(digits.size() < 6 ? 6 - digits.size() : 0, '0');
  return (kind == PhantomKind::chest_ct ? "SYNTHETIC-CT-" : "SYNTHETIC-XRAY-") + zeros + digits;
}

}  // namespace

void PhantomOptions::validate() const {
  require_count("patients", patients, 1, 1'000'000);
  require_count("images_per_patient", images_per_patient, 1, 64);
  if (side != 0) require_count("side", side, 64, 1024);
  if (region_mm != 0 && !(region_mm >= 24 && region_mm <= 200)) {
    fail(ErrorCode::invalid_argument, "region_mm must be 0 or 24 to 200, got ", region_mm);
  }
}

PhantomImage draw_phantom(const PhantomOptions& options, std::size_t patient, std::size_t index) {
  options.validate();
  require_below("patient", patient, options.patients);
  require_below("index", index, options.images_per_patient);
  PhantomImage drawn = options.kind == PhantomKind::chest_ct
                           ? phantom::draw_chest_ct(options, patient, index)
                           : phantom::draw_chest_xray(options, patient, index);
  drawn.patient = patient_name(options.kind, patient);
  drawn.index = index;
  return drawn;
}

namespace phantom {

std::size_t drawn_side(const PhantomOptions& options) {
  if (options.side != 0) return options.side;
  return options.kind == PhantomKind::chest_ct && options.region_mm != 0 ? 128 : 256;
}

detail::Random random_stream(const PhantomOptions& options, std::size_t patient, std::size_t part) {
  std::uint64_t seed = options.seed;
  for (const std::uint64_t word :
       {static_cast<std::uint64_t>(options.kind), std::uint64_t{patient}, std::uint64_t{part}}) {
    seed = detail::Random(seed ^ (word + 1) * 0x9e3779b97f4a7c15ULL).next();
  }
  return detail::Random(seed);
}

}  // namespace phantom
}  // namespace medretrieval::imaging
