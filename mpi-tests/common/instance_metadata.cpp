#include "mpi-tests/common/instance_metadata.hpp"

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/in.h>

namespace headroom::mpi {

namespace {

using Clock = std::chrono::steady_clock;

struct Refused : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Socket {
 public:
  Socket(const sockaddr_in& address, Clock::time_point deadline) : Socket(deadline) {
    if (connect(descriptor_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return;
    if (errno != EINPROGRESS) throw Refused(std::strerror(errno));
    wait_for(POLLOUT);
    int error = 0;
    socklen_t length = sizeof error;
    if (getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
    if (error != 0) throw Refused(std::strerror(error));
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { close(descriptor_); }

  void write(std::string_view text) {
    while (!text.empty()) {
      wait_for(POLLOUT);
      const ssize_t count = send(descriptor_, text.data(), text.size(), MSG_NOSIGNAL);
      if (count < 0) throw Refused(std::strerror(errno));
      text.remove_prefix(static_cast<std::size_t>(count));
    }
  }

  std::string read_to_end() {
    std::string text;
    while (text.size() < 65536) {
      wait_for(POLLIN);
      char buffer[4096];
      const ssize_t count = recv(descriptor_, buffer, sizeof buffer, 0);
      if (count < 0) throw Refused(std::strerror(errno));
      if (count == 0) break;
      text.append(buffer, static_cast<std::size_t>(count));
    }
    return text;
  }

 private:
  explicit Socket(Clock::time_point deadline) : deadline_(deadline) {
    descriptor_ = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor_ < 0) throw Refused(std::strerror(errno));
  }
  void wait_for(short events) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline_ - Clock::now()).count();
    pollfd wanted{descriptor_, events, 0};
    if (left <= 0 || poll(&wanted, 1, static_cast<int>(left)) == 0) throw Refused("no answer in time");
  }

  int descriptor_ = -1;
  Clock::time_point deadline_;
};

sockaddr_in endpoint(std::string& host) {
  const char* named = std::getenv("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  std::string text = named != nullptr && *named != '\0' ? named : "http://169.254.169.254";
  if (text.compare(0, 7, "http://") == 0) text.erase(0, 7);
  while (!text.empty() && text.back() == '/') text.pop_back();
  host = text;
  std::uint16_t port = 80;
  if (const std::size_t colon = text.find(':'); colon != std::string::npos) {
    const std::string digits = text.substr(colon + 1);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc() || end != digits.data() + digits.size()) throw Refused("\"" + host + "\" is no address");
    text.resize(colon);
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  if (inet_pton(AF_INET, text.c_str(), &address.sin_addr) != 1) throw Refused("\"" + host + "\" is no IPv4 address");
  return address;
}

// The body of a 200 answer. The answer ends with the connection.
std::string ask(const sockaddr_in& address, const std::string& host, Clock::time_point deadline,
                const std::string& request) {
  Socket socket(address, deadline);
  const std::size_t line = request.find("\r\n");
  socket.write(request.substr(0, line) + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close" + request.substr(line) +
               "\r\n");
  const std::string answer = socket.read_to_end();
  const std::size_t space = answer.find(' ');
  const std::size_t body = answer.find("\r\n\r\n");
  if (answer.compare(0, 5, "HTTP/") != 0 || space == std::string::npos || body == std::string::npos) {
    throw Refused("the answer is no HTTP");
  }
  if (answer.compare(space + 1, 3, "200") != 0) throw Refused("status " + answer.substr(space + 1, 3));
  if (answer.substr(0, body).find("chunked") != std::string::npos) throw Refused("the answer comes in chunks");
  return answer.substr(body + 4);
}

}  // namespace

Instance instance_from_metadata(double timeout_s, std::string& problem) {
  Instance instance;
  try {
    const auto deadline =
        Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(timeout_s));
    std::string host;
    const sockaddr_in address = endpoint(host);
    // IMDSv2: first a token, then it goes with every question.
    const std::string token = ask(address, host, deadline,
                                  "PUT /latest/api/token\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n"
                                  "Content-Length: 0\r\n");
    const auto get = [&](const std::string& item) {
      return ask(address, host, deadline,
                 "GET /latest/meta-data/" + item + "\r\nX-aws-ec2-metadata-token: " + token + "\r\n");
    };
    instance.id = get("instance-id");
    instance.type = get("instance-type");
    instance.zone = get("placement/availability-zone-id");
  } catch (const Refused& refused) {
    problem = refused.what();
  }
  return instance;
}

}  // namespace headroom::mpi
