/// \file
/// The one exception type of the library.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace medretrieval {

/// What kind of thing went wrong; the message says what was expected and what came.
enum class ErrorCode {
  invalid_argument,  ///< a value outside its documented range, a wrong shape, NaN or infinity
  incompatible,      ///< two objects that do not belong together: layouts, fingerprints, column types
  not_found,         ///< an unknown name, id, key, file or column
  already_exists,    ///< an id or a key that must be unique is taken
  corrupt,           ///< a file that is cut, changed or not of the format it claims
  io,                ///< the operating system refused to read or write
  unsupported,       ///< well-formed input that this build or version cannot handle
  limit_exceeded,    ///< larger than a documented limit
  locked,            ///< another writer holds the gallery
  cancelled,         ///< a progress callback asked to stop
};

/// The name of `code` as written above, for example "invalid_argument".
std::string_view to_string(ErrorCode code) noexcept;

/// Thrown at every public boundary. `what()` is one line without a trailing newline.
/// Whatever was being changed when it was thrown is as it was before the call.
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}

  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace medretrieval
