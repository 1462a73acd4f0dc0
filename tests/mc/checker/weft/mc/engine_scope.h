// Marks code of the checker itself: what it allocates belongs to no model.
#pragma once

namespace weft::mc {

class engine_scope {
 public:
  engine_scope() noexcept { ++depth_; }
  ~engine_scope() { --depth_; }
  engine_scope(const engine_scope&) = delete;
  engine_scope& operator=(const engine_scope&) = delete;
  static bool is_open() noexcept { return depth_ != 0; }

  // A switch of threads keeps the depth of each.
  static int depth() noexcept { return depth_; }
  static void set_depth(int depth) noexcept { depth_ = depth; }

 private:
  static inline int depth_ = 0;
};

}  // namespace weft::mc
