/* An agent that reaches beyond itself: over shared pages, for memory, with children that leave its
 * group, with slow dependencies. The task's parameters decide what exactly. */
#define _GNU_SOURCE
#include "workbench_agent.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define AGENT(name) static int32_t name(const void *user, const wb_task *task, const wb_host *host, wb_out *out)
#define UNUSED (void)user, (void)task, (void)host, (void)out

static int32_t put(wb_out *out, uint32_t kind, const char *text) {
  out->kind = kind;
  out->data = (uint8_t *)text;
  out->len = strlen(text);
  return WB_OK;
}

static int32_t done(wb_out *out) { return put(out, WB_OUT_JSON, "{\"route\":\"one\"}"); }

static const char *params(const wb_task *task) {
  static char text[4096];
  size_t len = task->params.len < sizeof text - 1 ? task->params.len : sizeof text - 1;
  memcpy(text, task->params.ptr, len);
  text[len] = 0;
  return text;
}

AGENT(answer) {
  UNUSED;
  return done(out);
}

/* "NAME OFFSET VALUE": writes eight bytes into a mapping; with OFFSET -1 the whole page. */
static void scribble(const wb_task *task) {
  char name[64] = "", line[512];
  long at = 0;
  unsigned long long value = 0, from = 0;
  sscanf(params(task), "%63s %ld %llu", name, &at, &value);
  FILE *maps = fopen("/proc/self/maps", "r");
  while (maps && fgets(line, sizeof line, maps)) {
    if (strstr(line, name)) {
      sscanf(line, "%llx", &from);
    }
  }
  fclose(maps);
  volatile uint64_t *page = (volatile uint64_t *)(uintptr_t)from;
  for (long n = at < 0 ? 0 : at / 8; n < (at < 0 ? 512 : at / 8 + 1); n++) {
    page[n] = value;
  }
}

AGENT(scribbles) {
  UNUSED;
  scribble(task);
  return done(out);
}

AGENT(scribbles_and_loops) {
  UNUSED;
  scribble(task);
  for (volatile uint64_t n = 0;; n++) {
  }
}

AGENT(scribbles_and_aborts) {
  UNUSED;
  scribble(task);
  abort();
}

/* Leaves a process in a session of its own, adopted by nobody it knows and without an environment;
 * writes its number to the file that the parameters or PIDS name. Then does what `then` asks for. */
static void daemonise(const wb_task *task) {
  const char *path = task->params.len > 0 ? params(task) : getenv("PIDS");
  FILE *file = fopen(path, "w");
  int ready[2];
  if (pipe(ready) != 0) {
    abort();
  }
  pid_t child = fork();
  if (child == 0) {
    setsid();
    if (fork() == 0) {
      clearenv();
      fprintf(file, "%d\n", getpid());
      fclose(file);
      (void)!write(ready[1], "x", 1);
      close(ready[1]);
      for (;;) {
        pause();
      }
    }
    _exit(0);
  }
  waitpid(child, NULL, 0);
  char byte;
  (void)!read(ready[0], &byte, 1);
  fclose(file);
}

AGENT(leaves_a_daemon) {
  UNUSED;
  daemonise(task);
  return done(out);
}

AGENT(daemon_and_loop) {
  UNUSED;
  daemonise(task);
  for (volatile uint64_t n = 0;; n++) {
  }
}

AGENT(daemon_and_crash) {
  UNUSED;
  daemonise(task);
  raise(SIGSEGV);
  return WB_OK;
}

static void eat(void) {
  for (;;) {
    char *p = malloc(8 << 20);
    if (p) {
      memset(p, 1, 8 << 20);
    }
  }
}

AGENT(eats) {
  UNUSED;
  eat();
  return WB_OK;
}

AGENT(child_eats) {
  UNUSED;
  pid_t child = fork();
  if (child == 0) {
    eat();
  }
  waitpid(child, NULL, 0);
  return done(out);
}

AGENT(daemon_eats) {
  UNUSED;
  if (fork() == 0) {
    setsid();
    if (fork() == 0) {
      eat();
    }
    _exit(0);
  }
  pause();
  return done(out);
}

static void loading(const wb_host *host, const char *name) {
  wb_bytes call = WB_TEXT("loading");
  wb_bytes question = {(const uint8_t *)name, strlen(name)};
  wb_bytes answer = {NULL, 0};
  if (host->call(host->ctx, call, question, &answer) != WB_FOUND) {
    abort();
  }
}

/* "loads", "hangs", "crashes" or "forgets" while a dependency is loaded. */
AGENT(depends) {
  UNUSED;
  const char *how = params(task);
  loading(host, "\"model\"");
  loading(host, "\"weights\"");
  usleep(strcmp(how, "hangs") == 0 ? 60000000 : 300000);
  if (strcmp(how, "crashes") == 0) {
    abort();
  }
  if (strcmp(how, "forgets") == 0) {
    return done(out);
  }
  loading(host, "null");
  loading(host, "null");
  if (strcmp(how, "then loops") == 0) {
    for (volatile uint64_t n = 0;; n++) {
    }
  }
  return done(out);
}

/* Fails with a megabyte of reasons, all parts of them long. */
AGENT(explains) {
  UNUSED;
  static char text[4 << 20];
  size_t at = (size_t)snprintf(text, sizeof text, "{\"message\":\"");
  memset(text + at, 'm', 1 << 20);
  at += 1 << 20;
  at += (size_t)snprintf(text + at, 64, "\",\"location\":\"");
  memset(text + at, 'l', 1 << 18);
  at += 1 << 18;
  at += (size_t)snprintf(text + at, 64, "\",\"dependency\":\"");
  memset(text + at, 'd', 1 << 18);
  at += 1 << 18;
  at += (size_t)snprintf(text + at, 64, "\",\"chain\":[\"start\"");
  for (int n = 0; n < 20000; n++) {
    at += (size_t)snprintf(text + at, 64, ",\"because of %d\"", n);
  }
  at += (size_t)snprintf(text + at, 64, "],\"frames\":[1");
  for (int n = 0; n < 20000; n++) {
    at += (size_t)snprintf(text + at, 64, ",%d", n);
  }
  snprintf(text + at, 64, "]}");
  put(out, WB_OUT_FAILURE, text);
  return WB_DEPENDENCY;
}

#define ENTRY(name) {sizeof(wb_agent), 0, 0, WB_TEXT(#name), WB_TEXT(""), name, NULL}

static const wb_agent agents[] = {
    ENTRY(answer),          ENTRY(scribbles),       ENTRY(scribbles_and_loops), ENTRY(scribbles_and_aborts),
    ENTRY(leaves_a_daemon), ENTRY(daemon_and_loop), ENTRY(daemon_and_crash),    ENTRY(eats),
    ENTRY(child_eats),      ENTRY(depends),         ENTRY(explains),
    ENTRY(daemon_eats),
};

static const wb_module module = {
    WB_MAGIC, WB_ABI_MAJOR, WB_ABI_MINOR, sizeof(wb_module),
    WB_TEXT("astray"), WB_TEXT("1.0"), WB_TEXT("c"), WB_TEXT(""),
    agents, sizeof agents / sizeof agents[0], sizeof(wb_agent),
    NULL, NULL, NULL,
};

const wb_module *wb_agent_module(void) { return &module; }
