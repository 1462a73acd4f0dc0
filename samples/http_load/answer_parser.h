// What the load generator uses of Boost.Beast: its grammar of HTTP/1, without its streams.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffer_traits.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/optional.hpp>

#include <cstddef>
#include <cstdint>
#include <memory_resource>

namespace http_load {

namespace beast = boost::beast;
namespace http = boost::beast::http;

// A body of which only the length is kept.
struct counted_body {
  using value_type = std::uint64_t;

  class reader {
   public:
    template <bool is_request, class Fields>
    reader(http::header<is_request, Fields>&, value_type& length) : length_(length) {}

    void init(const boost::optional<std::uint64_t>&, beast::error_code& ec) {
      length_ = 0;
      ec = {};
    }

    template <class Buffers>
    std::size_t put(const Buffers& buffers, beast::error_code& ec) {
      ec = {};
      const std::size_t size = beast::buffer_bytes(buffers);
      length_ += size;
      return size;
    }

    void finish(beast::error_code& ec) { ec = {}; }

   private:
    value_type& length_;
  };
};

using field_allocator = std::pmr::polymorphic_allocator<char>;
using answer_parser = http::response_parser<counted_body, field_allocator>;

}  // namespace http_load
