#include "imaging/import_folder.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <medretrieval/fingerprint.hpp>
#include <span>
#include <system_error>

#include "base/concat.hpp"
#include "imaging/file_bytes.hpp"

namespace medretrieval::imaging {

using detail::fail;
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMaxNameBytes = 120;
constexpr std::size_t kMaxSettingsBytes = 1 << 20;

void make_folder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail(ErrorCode::io, "cannot make the folder ", path.string(), ": ", error.message());
}

bool is_plain_name(const std::string& name) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
  };
  return !name.empty() && name.size() <= kMaxNameBytes && name.front() != '.' && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), is_plain);
}

}  // namespace

ImportFolder::ImportFolder(fs::path path, const std::string& settings) : path_(std::move(path)) {
  make_folder(path_);
  lock();
  try {
    take_up(settings);
    make_folder(path_ / "images");
    remove_unfinished();
  } catch (...) {
    ::close(lock_);
    throw;
  }
}

ImportFolder::~ImportFolder() {
  ::close(lock_);
}

// The lock is on the folder itself, so that no file for it lies among the results.
void ImportFolder::lock() {
  lock_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock_ < 0) fail(ErrorCode::io, "cannot open the folder ", path_.string(), ": ", std::strerror(errno));
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    const int reason = errno;
    ::close(lock_);
    if (reason == EWOULDBLOCK) fail(ErrorCode::locked, "another import writes to ", path_.string());
    fail(ErrorCode::io, "cannot lock ", path_.string(), ": ", std::strerror(reason));
  }
}

void ImportFolder::take_up(const std::string& settings) const {
  const fs::path file = path_ / "import.json";
  const bool begun = fs::exists(file);
  if (!begun && !fs::is_empty(path_)) {
    fail(ErrorCode::already_exists, path_.string(), " is not empty and no import was begun there");
  }
  if (!begun || !has_results()) {
    write_file(file, {reinterpret_cast<const std::uint8_t*>(settings.data()), settings.size()});
    return;
  }
  const auto bytes = naming_file(file, [&] { return read_file(file, kMaxSettingsBytes); });
  if (!std::equal(bytes.begin(), bytes.end(), settings.begin(), settings.end())) {
    fail(ErrorCode::incompatible, path_.string(),
         " was begun with other options (import.json there names them); take another folder");
  }
}

bool ImportFolder::has_results() const {
  const fs::path images = path_ / "images";
  return fs::exists(manifest()) || (fs::exists(images) && !fs::is_empty(images));
}

void ImportFolder::remove_unfinished() const {
  for (const auto& entry : fs::directory_iterator(path_ / "images")) {
    if (entry.path().extension() == ".tmp") fs::remove(entry.path());
  }
  fs::remove(path_ / "manifest.csv.unfinished");
}

std::string ImportFolder::image_path(const std::string& key) {
  const std::string name =
      is_plain_name(key) ? key : Fingerprint::of(std::as_bytes(std::span(key))).to_string();
  return "images/" + name + ".png";
}

}  // namespace medretrieval::imaging
