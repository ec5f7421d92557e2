#include "imaging/deidentify.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <medretrieval/fingerprint.hpp>
#include <new>

#include "base/concat.hpp"
#include "imaging/file_bytes.hpp"

namespace medretrieval::imaging {

using detail::fail;

namespace {

constexpr std::uint64_t kMostShiftedDays = 3650;

std::uint64_t big_endian(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0;
  for (const std::uint8_t byte : bytes.first(8)) value = value << 8 | byte;
  return value;
}

}  // namespace

IdDigest::IdDigest(std::vector<std::uint8_t> key) : key_(std::move(key)) {
  if (key_.size() < kMinKeyBytes) {
    fail(ErrorCode::invalid_argument, "a key has at least ", kMinKeyBytes, " bytes, got ", key_.size());
  }
}

IdDigest IdDigest::from_file(const std::filesystem::path& file) {
  return naming_file(file, [&] { return IdDigest(read_file(file, kMaxKeyBytes)); });
}

std::vector<std::uint8_t> IdDigest::of_bytes(std::string_view purpose, std::string_view id) const {
  std::string message(purpose);
  message += '\0';
  message += id;
  std::vector<std::uint8_t> digest(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  if (HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()),
           reinterpret_cast<const unsigned char*>(message.data()), message.size(), digest.data(),
           &size) == nullptr) {
    throw std::bad_alloc();
  }
  digest.resize(size);
  return digest;
}

std::string IdDigest::of(std::string_view purpose, std::string_view id) const {
  const std::vector<std::uint8_t> digest = of_bytes(purpose, id);
  return Fingerprint{big_endian(digest), big_endian(std::span(digest).subspan(8))}.to_string();
}

std::uint64_t IdDigest::number_of(std::string_view purpose, std::string_view id) const {
  return big_endian(of_bytes(purpose, id));
}

std::optional<Date> deidentified_date(const std::optional<Date>& date, DatePolicy policy,
                                      const std::string& patient, const IdDigest* digest) {
  if (!date || policy == DatePolicy::keep) return date;
  if (policy == DatePolicy::remove || patient.empty() || digest == nullptr) return std::nullopt;
  const std::uint64_t days = 1 + digest->number_of("date", patient) % kMostShiftedDays;
  const Date shifted = Date::from_days(date->to_days() - static_cast<std::int32_t>(days));
  return shifted.year >= 1 ? std::optional(shifted) : std::nullopt;
}

}  // namespace medretrieval::imaging
