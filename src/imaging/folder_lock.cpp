#include "imaging/folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "base/concat.hpp"
#include "imaging/file_bytes.hpp"

namespace medretrieval::imaging {

FolderLock::FolderLock(const std::filesystem::path& folder)
    : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0) fail_with_errno(folder, "open the folder");
  if (::flock(descriptor_, LOCK_EX | LOCK_NB) == 0) return;
  const int reason = errno;
  ::close(descriptor_);
  errno = reason;
  if (reason == EWOULDBLOCK) detail::fail(ErrorCode::locked, "another process writes to ", folder.string());
  fail_with_errno(folder, "lock");
}

FolderLock::~FolderLock() {
  ::close(descriptor_);
}

}  // namespace medretrieval::imaging
