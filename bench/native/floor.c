/*
 * The least that any server can do to push: one loop of send(). No polls, no channels, no limits.
 *
 *   floor INTERVAL_MS BYTES
 *
 * Every answer is an event stream; each INTERVAL_MS everybody is sent a document of so many BYTES
 * with the moment in it (`@<nanoseconds>@`), framed once for all.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <netinet/tcp.h>
#include <time.h>
#include <unistd.h>

#define MAX_STREAMS 65536

static const char HEAD[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
static int streams[MAX_STREAMS], stream_count;
static char is_open[MAX_STREAMS];
static char frame[131072];
static size_t frame_bytes;
static unsigned long sequence;

static void make_frame(size_t bytes) {
  static char document[65536], event[66000];
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  uint64_t at = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
  int used = snprintf(document, sizeof document, "{\"at\":\"@%llu@\",\"text\":\"", (unsigned long long)at);
  memset(document + used, 'x', bytes - (size_t)used - 2);
  strcpy(document + bytes - 2, "\"}");
  int length = snprintf(event, sizeof event, "id: 0123456789abcdef-%lu\ndata: %s\n\n", ++sequence, document);
  frame_bytes = (size_t)snprintf(frame, sizeof frame, "%x\r\n%s\r\n", length, event);
}

static void send_all(void) {
  for (int i = 0; i < stream_count; i++)
    /* Who is too slow misses it: the client would tell. */
    send(streams[i], frame, frame_bytes, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static void leave(int fd) {
  close(fd);
  for (int i = 0; is_open[fd] && i < stream_count; i++)
    if (streams[i] == fd) streams[i] = streams[--stream_count];
  is_open[fd] = 0;
}

static void answer(int fd) {
  char request[16384];
  ssize_t got = recv(fd, request, sizeof request, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    leave(fd);
    return;
  }
  if (is_open[fd]) return;
  is_open[fd] = 1;
  streams[stream_count++] = fd;
  send(fd, HEAD, sizeof HEAD - 1, MSG_NOSIGNAL | MSG_MORE);
  send(fd, frame, frame_bytes, MSG_NOSIGNAL);
}

int main(int argc, char **argv) {
  if (argc != 3) return 64;
  long interval_ms = atol(argv[1]);
  size_t bytes = (size_t)atol(argv[2]);
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  make_frame(bytes);

  int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET};
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  socklen_t size = sizeof address;
  if (bind(listener, (struct sockaddr *)&address, size) < 0 || listen(listener, 4096) < 0) {
    perror("listen");
    return 1;
  }
  getsockname(listener, (struct sockaddr *)&address, &size);
  int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  struct timespec interval = {interval_ms / 1000, interval_ms % 1000 * 1000000};
  struct itimerspec times = {interval, interval};
  timerfd_settime(timer, 0, &times, NULL);

  int poller = epoll_create1(0);
  struct epoll_event event = {.events = EPOLLIN, .data.fd = listener};
  epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event);
  event.data.fd = timer;
  epoll_ctl(poller, EPOLL_CTL_ADD, timer, &event);
  printf("listening on http://127.0.0.1:%d\n", ntohs(address.sin_port));
  fflush(stdout);
  for (;;) {
    struct epoll_event events[256];
    int count = epoll_wait(poller, events, 256, -1);
    for (int i = 0; i < count; i++) {
      int fd = events[i].data.fd;
      if (fd == timer) {
        uint64_t times_passed;
        if (read(timer, &times_passed, sizeof times_passed) < 0) continue;
        make_frame(bytes);
        send_all();
      } else if (fd == listener) {
        int stream;
        while ((stream = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
          int one = 1;
          setsockopt(stream, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
          event = (struct epoll_event){.events = EPOLLIN, .data.fd = stream};
          epoll_ctl(poller, EPOLL_CTL_ADD, stream, &event);
        }
      } else answer(fd);
    }
  }
}
