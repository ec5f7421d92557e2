// Ids of people and studies to digests that only the holder of a key can make again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <medretrieval/imaging/import.hpp>
#include <medretrieval/item.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace medretrieval::imaging {

/// HMAC-SHA-256 under a key, cut to 128 bits. Immutable; safe to call from several threads.
class IdDigest {
 public:
  /// \throws Error (invalid_argument) for a key of fewer than kMinKeyBytes bytes.
  explicit IdDigest(std::vector<std::uint8_t> key);
  /// The whole content of a key file, line ends included.
  /// \throws Error not_found, io, limit_exceeded (kMaxKeyBytes), invalid_argument as above.
  static IdDigest from_file(const std::filesystem::path& file);

  /// 32 hexadecimal digits. `purpose` keeps a patient and a study of the same id apart.
  std::string of(std::string_view purpose, std::string_view id) const;
  /// 64 bits of the same.
  std::uint64_t number_of(std::string_view purpose, std::string_view id) const;

  static constexpr std::size_t kMinKeyBytes = 16;
  static constexpr std::size_t kMaxKeyBytes = 4096;

 private:
  std::vector<std::uint8_t> of_bytes(std::string_view purpose, std::string_view id) const;

  std::vector<std::uint8_t> key_;
};

/// `date` as the policy leaves it: all dates of a patient are shifted by the same 1 to 3,650 days into the
/// past. Without a patient nothing can be shifted alike, and the date is removed.
/// \param digest may be null unless the policy is to shift
std::optional<Date> deidentified_date(const std::optional<Date>& date, DatePolicy policy,
                                      const std::string& patient, const IdDigest* digest);

}  // namespace medretrieval::imaging
