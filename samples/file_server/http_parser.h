// What the server uses of Boost.Beast: its grammar of HTTP/1, without its streams.
#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/verb.hpp>

#include <memory_resource>

namespace file_server {

namespace beast = boost::beast;
namespace http = boost::beast::http;

// The fields of one request lie in a buffer of the connection, not each in memory of its own.
using field_allocator = std::pmr::polymorphic_allocator<char>;
using request_fields = http::basic_fields<field_allocator>;
using http_request = http::request<http::empty_body, request_fields>;
using http_parser = http::request_parser<http::empty_body, field_allocator>;

}  // namespace file_server
