// From the process's map of its memory to the file behind an address, and from the symbol table of that file to a name.
#include "platform/symbols.h"

#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "platform/system_calls.h"

namespace weft::inline v0::detail {

namespace {

using header = ElfW(Ehdr);
using segment = ElfW(Phdr);
using section = ElfW(Shdr);
using entry = ElfW(Sym);

// A file that is read piece by piece, as lines.
class line_reader {
 public:
  explicit line_reader(const char* path) noexcept : fd_(sys().open(path, O_RDONLY | O_CLOEXEC, 0)) {}
  ~line_reader() {
    if (fd_ >= 0) sys().close(fd_);
  }
  line_reader(const line_reader&) = delete;
  line_reader& operator=(const line_reader&) = delete;

  // False at the end. What does not fit into the buffer is cut off.
  bool next(std::string_view& line) noexcept {
    for (;;) {
      const std::string_view rest(buffer_ + begin_, end_ - begin_);
      const std::size_t length = rest.find('\n');
      if (length != std::string_view::npos) {
        line = rest.substr(0, length);
        begin_ += length + 1;
        return true;
      }
      std::memmove(buffer_, buffer_ + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
      if (end_ == sizeof buffer_) end_ = 0;
      const ssize_t got = fd_ < 0 ? 0 : sys().read(fd_, buffer_ + end_, sizeof buffer_ - end_);
      if (got <= 0) return false;
      end_ += static_cast<std::size_t>(got);
    }
  }

 private:
  int fd_;
  char buffer_[2048];
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
};

// Takes a hexadecimal number off the front of `text`, and the character behind it.
std::uintptr_t take_hex(std::string_view& text) noexcept {
  std::uintptr_t value = 0;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c >= '0' && c <= '9') {
      value = value * 16 + static_cast<std::uintptr_t>(c - '0');
    } else if (c >= 'a' && c <= 'f') {
      value = value * 16 + static_cast<std::uintptr_t>(c - 'a' + 10);
    } else {
      break;
    }
  }
  text.remove_prefix(std::min(i + 1, text.size()));
  return value;
}

struct mapped_place {
  char path[512];
  std::uintptr_t file_offset;
};

bool find_mapping(std::uintptr_t address, mapped_place& out) noexcept {
  line_reader maps("/proc/self/maps");
  for (std::string_view line; maps.next(line);) {
    const std::uintptr_t low = take_hex(line);
    const std::uintptr_t high = take_hex(line);
    if (address < low || address >= high) continue;
    line.remove_prefix(std::min<std::size_t>(5, line.size()));  // Permissions.
    const std::uintptr_t offset = take_hex(line);
    const std::size_t path = line.find('/');
    if (path == std::string_view::npos || line.size() - path >= sizeof out.path) return false;
    line.remove_prefix(path);
    std::copy(line.begin(), line.end(), out.path);
    out.path[line.size()] = '\0';
    out.file_offset = address - low + offset;
    return true;
  }
  return false;
}

template <std::size_t Size>
void copy_cut(char (&to)[Size], std::string_view from) noexcept {
  const std::size_t count = std::min(from.size(), Size - 1);
  std::copy_n(from.data(), count, to);
  to[count] = '\0';
}

// The parts of an ELF file, each checked to lie inside of it.
struct elf_view {
  const std::byte* file;
  std::size_t size;

  template <class T>
  const T* at(std::uint64_t offset, std::uint64_t count) const noexcept {
    if (offset > size || count > (size - offset) / sizeof(T)) return nullptr;
    return reinterpret_cast<const T*>(file + offset);
  }

  const header* head() const noexcept {
    const header* const h = at<header>(0, 1);
    return h != nullptr && std::memcmp(h->e_ident, ELFMAG, SELFMAG) == 0 ? h : nullptr;
  }

  // The address that the file's own tables use for the byte at `file_offset`.
  std::uintptr_t own_address(const header& h, std::uintptr_t file_offset) const noexcept {
    const segment* const all = at<segment>(h.e_phoff, h.e_phnum);
    for (unsigned i = 0; all != nullptr && i < h.e_phnum; ++i) {
      if (all[i].p_type == PT_LOAD && file_offset >= all[i].p_offset &&
          file_offset - all[i].p_offset < all[i].p_filesz) {
        return file_offset - all[i].p_offset + all[i].p_vaddr;
      }
    }
    return file_offset;
  }

  bool name_of(const header& h, std::uintptr_t address, std::uint32_t table_type, symbol& out) const noexcept {
    const section* const all = at<section>(h.e_shoff, h.e_shnum);
    for (unsigned i = 0; all != nullptr && i < h.e_shnum; ++i) {
      if (all[i].sh_type != table_type || all[i].sh_link >= h.e_shnum) continue;
      const std::size_t count = all[i].sh_size / sizeof(entry);
      const entry* const symbols = at<entry>(all[i].sh_offset, count);
      const section& names = all[all[i].sh_link];
      const char* const text = at<char>(names.sh_offset, names.sh_size);
      if (symbols == nullptr || text == nullptr) continue;
      for (std::size_t k = 0; k < count; ++k) {
        const entry& s = symbols[k];
        if ((s.st_info & 0xf) != STT_FUNC || address < s.st_value || address - s.st_value >= s.st_size) continue;
        if (s.st_name >= names.sh_size) continue;
        copy_cut(out.function,
                 std::string_view(text + s.st_name, ::strnlen(text + s.st_name, names.sh_size - s.st_name)));
        out.offset = address - s.st_value;
        return true;
      }
    }
    return false;
  }
};

}  // namespace

symbol_reader::~symbol_reader() { unmap(); }

void symbol_reader::unmap() noexcept {
  if (file_ != nullptr) sys().munmap(const_cast<std::byte*>(file_), size_);
  file_ = nullptr;
  size_ = 0;
}

bool symbol_reader::map_file(const char* path) noexcept {
  if (file_ != nullptr && std::strcmp(path, path_) == 0) return true;
  unmap();
  const int fd = sys().open(path, O_RDONLY | O_CLOEXEC, 0);
  if (fd < 0) return false;
  struct stat status {};
  std::intptr_t mapped = -1;
  if (sys().fstat(fd, &status) == 0 && status.st_size > 0) {
    mapped = sys().mmap(nullptr, static_cast<std::size_t>(status.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
  }
  sys().close(fd);
  if (mapped < 0 && mapped > -4096) return false;
  file_ = reinterpret_cast<const std::byte*>(mapped);
  size_ = static_cast<std::size_t>(status.st_size);
  copy_cut(path_, path);
  return true;
}

void symbol_reader::find(const void* code, bool is_return, symbol& out) noexcept {
  out.function[0] = out.module[0] = '\0';
  out.offset = 0;
  const std::uintptr_t address = reinterpret_cast<std::uintptr_t>(code) - (is_return ? 1 : 0);
  mapped_place place;
  if (!find_mapping(address, place)) return;
  const std::string_view path = place.path;
  copy_cut(out.module, path.substr(path.rfind('/') + 1));
  if (!map_file(place.path)) return;
  const elf_view view{file_, size_};
  const header* const h = view.head();
  if (h == nullptr) return;
  out.offset = view.own_address(*h, place.file_offset);
  const std::uintptr_t own = out.offset;
  if (!view.name_of(*h, own, SHT_SYMTAB, out)) view.name_of(*h, own, SHT_DYNSYM, out);
  if (is_return) ++out.offset;
}

}  // namespace weft::inline v0::detail
