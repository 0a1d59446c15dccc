// switch MICROSECONDS PORT PORT…: an Ethernet switch between network interfaces that hands every frame on after a
// delay, for kernels without netem. It learns behind which port an address is; what has no known port goes to all.
// Frames keep the kernel's offload header, so that large segments and unfinished checksums pass as they came.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
  maxPorts = 256,
  headerBytes = sizeof(struct virtio_net_hdr),
  maxFrameBytes = headerBytes + (1 << 17),
  bufferBytes = 64 << 20,
  framesPerTurn = 64,
};

typedef struct {
  int socket;
  unsigned char address[ETH_ALEN];
  int isKnown;
} Port;

// Frames wait in the order in which they came, which is that in which they are due.
typedef struct Frame {
  struct Frame *next;
  int64_t due;
  int source;
  size_t size;
  unsigned char bytes[];
} Frame;

static Port ports[maxPorts];
static int portCount;
static Frame *first, *last;

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int64_t nanoseconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void require(int status, const char *what) {
  if (status < 0) fail(what);
}

// Room for bursts; whoever is not root outside of the cluster too gets what the system allows to all.
static void set_buffer(int port, int forced, int allowed) {
  int size = bufferBytes;
  if (setsockopt(port, SOL_SOCKET, forced, &size, sizeof size) < 0)
    require(setsockopt(port, SOL_SOCKET, allowed, &size, sizeof size), "SO_RCVBUF");
}

// All frames that come in at an interface, and nothing that this program sends there.
static int open_port(const char *name) {
  int on = 1;
  struct sockaddr_ll address = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
  address.sll_ifindex = (int)if_nametoindex(name);
  if (address.sll_ifindex == 0) fail(name);
  struct packet_mreq all = {.mr_ifindex = address.sll_ifindex, .mr_type = PACKET_MR_PROMISC};
  int port = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0);
  require(port, "socket");
  require(setsockopt(port, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof on), "PACKET_VNET_HDR");
  require(setsockopt(port, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on), "PACKET_IGNORE_OUTGOING");
  set_buffer(port, SO_RCVBUFFORCE, SO_RCVBUF);
  set_buffer(port, SO_SNDBUFFORCE, SO_SNDBUF);
  require(bind(port, (struct sockaddr *)&address, sizeof address), "bind");
  require(setsockopt(port, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof all), "PACKET_ADD_MEMBERSHIP");
  return port;
}

// Puts a frame that came in at `source` at the end of the queue.
static void enqueue(int source, const unsigned char *bytes, size_t size, int64_t due) {
  Frame *frame = malloc(sizeof *frame + size);
  if (frame == NULL) fail("malloc");
  *frame = (Frame){.due = due, .source = source, .size = size};
  memcpy(frame->bytes, bytes, size);
  if (first == NULL) first = frame;
  else last->next = frame;
  last = frame;
}

// Takes in what waits at a port; whether there was anything.
static int receive(int source, int64_t delay) {
  static unsigned char bytes[maxFrameBytes];
  int count = 0;
  for (; count < framesPerTurn; count++) {
    ssize_t size = recv(ports[source].socket, bytes, sizeof bytes, 0);
    if (size < (ssize_t)(headerBytes + sizeof(struct ether_header))) break;
    struct ether_header *ethernet = (struct ether_header *)(bytes + headerBytes);
    memcpy(ports[source].address, ethernet->ether_shost, ETH_ALEN);
    ports[source].isKnown = 1;
    enqueue(source, bytes, (size_t)size, nanoseconds() + delay);
  }
  return count > 0;
}

// The port behind which an address is; -1 while nobody knows, and for what goes to all.
static int port_of(const unsigned char *address) {
  for (int port = 0; port < portCount; port++)
    if (ports[port].isKnown && memcmp(ports[port].address, address, ETH_ALEN) == 0) return port;
  return -1;
}

// Sends a frame on. A port whose queue is full drops it, as a switch does.
static void forward(const Frame *frame) {
  int destination = port_of(frame->bytes + headerBytes);
  for (int port = 0; port < portCount; port++) {
    if (port == frame->source || (destination >= 0 && port != destination)) continue;
    if (send(ports[port].socket, frame->bytes, frame->size, 0) < 0 && errno == EBADF) fail("send");
  }
}

static void forward_due(void) {
  while (first != NULL && first->due <= nanoseconds()) {
    Frame *frame = first;
    first = frame->next;
    forward(frame);
    free(frame);
  }
}

// Waits for a frame to come in or to become due.
static void wait_for_work(struct pollfd *polled) {
  if (first == NULL) {
    poll(polled, (nfds_t)portCount, -1);
    return;
  }
  int64_t left = first->due - nanoseconds();
  if (left <= 0) return;
  struct timespec time = {.tv_sec = left / 1000000000, .tv_nsec = left % 1000000000};
  ppoll(polled, (nfds_t)portCount, &time, NULL);
}

int main(int count, char **arguments) {
  if (count < 3 || count - 2 > maxPorts) {
    fprintf(stderr, "usage: switch MICROSECONDS PORT PORT…\n");
    return 2;
  }
  int64_t delay = atoll(arguments[1]) * 1000;
  struct pollfd polled[maxPorts];
  for (portCount = 0; portCount < count - 2; portCount++) {
    ports[portCount].socket = open_port(arguments[portCount + 2]);
    polled[portCount] = (struct pollfd){.fd = ports[portCount].socket, .events = POLLIN};
  }
  // Where it is allowed: frames are due at times that busy ranks must not put off.
  struct sched_param priority = {.sched_priority = 1};
  sched_setscheduler(0, SCHED_FIFO, &priority);
  for (;;) {
    int received = 0;
    forward_due();
    for (int port = 0; port < portCount; port++) received |= receive(port, delay);
    if (!received) wait_for_work(polled);
  }
}
