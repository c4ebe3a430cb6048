/*
 * Many subscribers in one process, as cheap as they can be: opens connections to 127.0.0.1, sends a
 * request on each, and looks in what comes for the mark of each change, `@<nanoseconds>@`.
 *
 *   client PORT CONNECTIONS AT_ONCE MODE ENDPOINTS
 *
 * MODE  stream  marks stand in the bytes as they are
 *       chunks  they are compressed: each chunk after the first MARK_LESS ones is a change, the same
 *               for all, and told in hexadecimal for somebody else to read
 *       reply   long polls: the next request follows each answer
 *       churn   a connection that has had its first mark is closed, and another one opened
 *
 * stdin: the first request and the next one, each behind a line with its length. `{n}` is replaced by
 * a number below ENDPOINTS, `{id}` by the last id in the last answer, `{etag}` and `{modified}` by its
 * headers. Then commands, a line each:
 *   reset      forget what was counted
 *   count      say `count MESSAGES OPENED`
 *   report     say `change MARK COUNT LAST_NS` for each, then `end`
 *   reconnect  open again what was closed
 * stdout, besides: `ready NS` whenever every connection has had a mark, `lost N` when some are closed.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum mode { STREAM, CHUNKS, REPLY, CHURN };
enum state { CLOSED, CONNECTING, WAITING, READY };

#define MAX_CHANGES 16384
#define KEPT_BYTES 8192

struct connection {
  int fd;
  enum state state;
  /* stream, reply: inside a mark */
  bool in_mark;
  uint64_t mark;
  /* chunks */
  enum { HEAD, SIZE, BODY } place;
  int head_matched;
  long left;
  int chunks;
  uint64_t hash;
  /* chunks: the body so far; reply: the answer so far */
  char *kept;
  size_t kept_bytes;
};

struct change {
  uint64_t key;
  uint64_t last_ns;
  long count;
  char *bytes;
  size_t length;
};

static struct connection *connections;
static struct change changes[MAX_CHANGES];
static int change_count, last_change;
static long messages, opened;
static int total, at_once, endpoints, ready, pending, next_to_open;
static bool told_ready;
static enum mode mode;
static int poller;
static struct sockaddr_in address;
static char *first_request, *next_request;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t now_ns(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t turn_ns;

static struct change *change_of(uint64_t key, bool *is_new) {
  *is_new = false;
  /* Nearly always the same as before. */
  if (change_count > 0 && changes[last_change].key == key) return &changes[last_change];
  for (int i = change_count - 1; i >= 0; i--) {
    if (changes[i].key != key) continue;
    last_change = i;
    return &changes[i];
  }
  if (change_count == MAX_CHANGES) {
    fprintf(stderr, "more changes than this client can tell apart\n");
    exit(1);
  }
  last_change = change_count;
  changes[change_count++] = (struct change){.key = key};
  *is_new = true;
  return &changes[last_change];
}

static void drop(struct connection *c) {
  struct linger hard = {1, 0}; /* no TIME_WAIT */
  setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close(c->fd);
  if (c->state == READY) ready--;
  else pending--;
  c->state = CLOSED;
  free(c->kept);
  c->kept = NULL;
}

static void begin(struct connection *c) {
  *c = (struct connection){.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0)};
  if (c->fd < 0) fail("socket");
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (connect(c->fd, (struct sockaddr *)&address, sizeof address) < 0 && errno != EINPROGRESS)
    fail("connect");
  struct epoll_event event = {.events = EPOLLOUT, .data.ptr = c};
  if (epoll_ctl(poller, EPOLL_CTL_ADD, c->fd, &event) < 0) fail("epoll_ctl");
  c->state = CONNECTING;
  pending++;
  opened++;
}

static void open_more(void) {
  while (pending < at_once && next_to_open < total) {
    struct connection *c = &connections[next_to_open++];
    if (c->state == CLOSED) begin(c);
  }
}

static size_t put(char *to, const char *from, size_t length) {
  memcpy(to, from, length);
  return length;
}

/* The value of a header; nothing where there is none. */
static const char *value_after(const char *text, const char *name, const char *end, size_t *length) {
  const char *at = strcasestr(text, name);
  *length = 0;
  if (!at) return "";
  at += strlen(name);
  *length = strcspn(at, end);
  return at;
}

static const char *last_after(const char *text, const char *name, size_t *length) {
  const char *found = "";
  *length = 0;
  for (const char *at = text; (at = strstr(at, name));) {
    at += strlen(name);
    found = at;
    *length = strcspn(at, "\\\"");
  }
  return found;
}

/* As it stands in JSON, or in JSON inside a string (JSONP). */
static const char *last_id(const char *answer, size_t *length) {
  const char *id = last_after(answer, "\"id\":\"", length);
  return *length > 0 ? id : last_after(answer, "\\\"id\\\":\\\"", length);
}

static void ask(struct connection *c, const char *request) {
  char text[16384];
  size_t size = 0, length = 0;
  const char *answer = c->kept ? c->kept : "";
  for (const char *at = request; *at;) {
    if (size > sizeof text - 4096) break;
    const char *value = NULL;
    char number[16];
    if (!strncmp(at, "{n}", 3)) {
      length = (size_t)snprintf(number, sizeof number, "%d", (int)((c - connections) % endpoints));
      value = number;
    } else if (!strncmp(at, "{id}", 4)) value = last_id(answer, &length);
    else if (!strncmp(at, "{etag}", 6)) value = value_after(answer, "\netag: ", "\r", &length);
    else if (!strncmp(at, "{modified}", 10))
      value = value_after(answer, "\nlast-modified: ", "\r", &length);
    if (!value) {
      text[size++] = *at++;
      continue;
    }
    size += put(text + size, value, length < 1024 ? length : 1024);
    at = strchr(at, '}') + 1;
  }
  if (send(c->fd, text, size, MSG_NOSIGNAL) != (ssize_t)size) fail("send");
}

static void got_mark(struct connection *c, uint64_t mark) {
  bool is_new;
  struct change *change = change_of(mark, &is_new);
  change->count++;
  change->last_ns = turn_ns;
  messages++;
  if (c->state == READY) return;
  c->state = READY;
  pending--;
  ready++;
}

static void read_marks(struct connection *c, const char *bytes, size_t length) {
  const char *at = bytes, *end = bytes + length;
  while (at < end) {
    if (!c->in_mark) {
      at = memchr(at, '@', (size_t)(end - at));
      if (!at) return;
      at++;
      c->in_mark = true;
      c->mark = 0;
    }
    while (at < end && *at != '@') c->mark = c->mark * 10 + (uint64_t)(*at++ - '0');
    if (at == end) return;
    at++;
    c->in_mark = false;
    got_mark(c, c->mark);
  }
}

/* How many chunks are no change: the gzip header, and what comes before the first event. */
#define MARK_LESS 2

static void end_chunk(struct connection *c) {
  if (++c->chunks > MARK_LESS) {
    got_mark(c, c->hash);
    struct change *change = &changes[last_change];
    if (!change->bytes) {
      change->bytes = malloc(c->kept_bytes + 1);
      change->length = put(change->bytes, c->kept, c->kept_bytes);
    }
  }
  c->kept_bytes = 0;
  c->hash = 1469598103934665603u;
}

static void read_chunks(struct connection *c, const char *bytes, size_t length) {
  const char *at = bytes, *end = bytes + length;
  while (at < end) {
    if (c->place == HEAD) {
      c->head_matched = *at == "\r\n\r\n"[c->head_matched] ? c->head_matched + 1 : *at == '\r';
      at++;
      if (c->head_matched == 4) c->place = SIZE;
    } else if (c->place == SIZE) {
      if (isdigit((unsigned char)*at)) c->left = c->left * 16 + *at - '0';
      else if (isxdigit((unsigned char)*at)) c->left = c->left * 16 + (*at | 32) - 'a' + 10;
      else if (*at == '\n') {
        c->place = BODY;
        c->left += 2;
      }
      at++;
    } else {
      size_t some = (size_t)(end - at) < (size_t)c->left ? (size_t)(end - at) : (size_t)c->left;
      if (!c->kept) c->kept = malloc(KEPT_BYTES);
      for (size_t i = 0; i < some; i++) c->hash = (c->hash ^ (unsigned char)at[i]) * 1099511628211u;
      if (c->kept_bytes + some <= KEPT_BYTES) c->kept_bytes += put(c->kept + c->kept_bytes, at, some);
      at += some;
      c->left -= (long)some;
      if (c->left == 0) {
        end_chunk(c);
        c->place = SIZE;
      }
    }
  }
}

static void read_reply(struct connection *c, const char *bytes, size_t length) {
  c->kept = realloc(c->kept, c->kept_bytes + length + 1);
  c->kept_bytes += put(c->kept + c->kept_bytes, bytes, length);
  c->kept[c->kept_bytes] = 0;
  const char *body = strstr(c->kept, "\r\n\r\n");
  if (!body) return;
  size_t digits;
  long size = atol(value_after(c->kept, "\ncontent-length: ", "\r", &digits));
  if (c->kept + c->kept_bytes < body + 4 + size) return;
  read_marks(c, body, (size_t)(c->kept + c->kept_bytes - body));
  ask(c, next_request);
  c->kept_bytes = 0;
}

static void read_from(struct connection *c) {
  static char bytes[262144];
  ssize_t length = recv(c->fd, bytes, sizeof bytes, 0);
  if (length < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (length <= 0) {
    drop(c);
    /* As a browser would: Pushpin loses some of the first. */
    if (mode == CHURN || !told_ready) begin(c);
    return;
  }
  if (mode == CHUNKS) read_chunks(c, bytes, (size_t)length);
  else if (mode == REPLY) read_reply(c, bytes, (size_t)length);
  else read_marks(c, bytes, (size_t)length);
  if (mode == CHURN && c->state == READY) {
    drop(c);
    begin(c);
  }
}

static void connected(struct connection *c) {
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error) {
    errno = error;
    fail("connect");
  }
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(poller, EPOLL_CTL_MOD, c->fd, &event);
  c->state = WAITING;
  c->hash = 1469598103934665603u;
  ask(c, first_request);
}

static void report(void) {
  for (int i = 0; i < change_count; i++) {
    struct change *change = &changes[i];
    printf("change ");
    if (change->bytes)
      for (size_t at = 0; at < change->length; at++) printf("%02x", (unsigned char)change->bytes[at]);
    else printf("%llu", (unsigned long long)change->key);
    printf(" %ld %llu\n", change->count, (unsigned long long)change->last_ns);
  }
  printf("end\n");
}

static void obey(const char *command) {
  if (!strcmp(command, "reset")) {
    for (int i = 0; i < change_count; i++) free(changes[i].bytes);
    memset(changes, 0, sizeof changes);
    change_count = last_change = 0;
    messages = opened = 0;
  } else if (!strcmp(command, "count")) printf("count %ld %ld\n", messages, opened);
  else if (!strcmp(command, "report")) report();
  else if (!strcmp(command, "reconnect")) {
    next_to_open = 0;
    told_ready = false;
    open_more();
  }
  fflush(stdout);
}

static void read_commands(void) {
  static char line[256];
  static size_t length;
  char bytes[256];
  ssize_t got = read(0, bytes, sizeof bytes);
  if (got <= 0) exit(0); /* whoever started us is gone */
  for (ssize_t i = 0; i < got; i++) {
    if (bytes[i] != '\n' && length < sizeof line - 1) line[length++] = bytes[i];
    if (bytes[i] != '\n') continue;
    line[length] = 0;
    length = 0;
    obey(line);
  }
}

/* Byte by byte: what follows is for read_commands. */
static char *read_request(void) {
  size_t length = 0;
  char digit;
  while (read(0, &digit, 1) == 1 && digit != '\n') length = length * 10 + (size_t)(digit - '0');
  char *text = calloc(length + 1, 1);
  for (size_t at = 0; at < length;) {
    ssize_t got = read(0, text + at, length - at);
    if (got <= 0) exit(1);
    at += (size_t)got;
  }
  return text;
}

static enum mode mode_of(const char *name) {
  static const char *const names[] = {"stream", "chunks", "reply", "churn"};
  for (int i = 0; i < 4; i++)
    if (!strcmp(name, names[i])) return (enum mode)i;
  fprintf(stderr, "no mode %s\n", name);
  exit(64);
}

int main(int argc, char **argv) {
  if (argc != 6) return 64;
  total = atoi(argv[2]);
  at_once = atoi(argv[3]);
  mode = mode_of(argv[4]);
  endpoints = atoi(argv[5]);
  address = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[1]))};
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  first_request = read_request();
  next_request = read_request();
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  connections = calloc((size_t)total, sizeof *connections);
  poller = epoll_create1(0);
  struct epoll_event commands = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_ctl(poller, EPOLL_CTL_ADD, 0, &commands);
  open_more();
  int lost = 0;
  for (;;) {
    struct epoll_event events[256];
    int count = epoll_wait(poller, events, 256, -1);
    turn_ns = now_ns();
    for (int i = 0; i < count; i++) {
      struct connection *c = events[i].data.ptr;
      if (!c) read_commands();
      else if (c->state == CONNECTING) connected(c);
      else read_from(c);
    }
    open_more();
    if (ready == total && !told_ready) {
      told_ready = true;
      printf("ready %llu\n", (unsigned long long)turn_ns);
      fflush(stdout);
    }
    if (mode == CHURN || !told_ready) continue;
    if (total - ready != lost) {
      lost = total - ready;
      printf("lost %d\n", lost);
      fflush(stdout);
    }
  }
}
