/*
 * router.c: an agent in C99, from the header alone.
 *
 * It serves the stage "route": it reads the task's title, adds a label by its name in the ontology,
 * and sends the task on. A title with "rework" in it goes back to the annotators.
 *
 *   cc -std=c99 -Wall -Wextra -Werror -fPIC -shared -I agent-abi/include \
 *      sample-agents/c/router.c -o librouter.so
 */
#include "workbench_agent.h"

#include <stdlib.h>
#include <string.h>

#define FIELD "\"data_title\""

static void log_line(const wb_host *host, uint32_t level, const char *text) {
  static const wb_bytes target = WB_TEXT("router");
  wb_bytes message;
  message.ptr = (const uint8_t *)text;
  message.len = strlen(text);
  if (host->log != NULL) host->log(host->ctx, level, target, message);
}

static void release(uint8_t *data, size_t len, size_t cap) {
  (void)len;
  (void)cap;
  free(data);
}

/* Leaves a copy of the text as the answer. */
static int32_t answer(wb_out *out, uint32_t kind, int32_t code, const char *text) {
  size_t len = strlen(text);
  uint8_t *copy = malloc(len);
  if (copy == NULL) return WB_ERROR;
  memcpy(copy, text, len);
  out->kind = kind;
  out->data = copy;
  out->len = len;
  out->cap = len;
  out->free = release;
  return code;
}

/*
 * The value of "data_title", still escaped, without its quotes; null when there is none. Only a key
 * counts: a quoted word that a colon follows, and never a word inside another value.
 */
static const char *title_of(const char *json, size_t *len) {
  const char *at = json;
  while ((at = strchr(at, '"')) != NULL) {
    const char *start = at;
    const char *value;
    int is_field = strncmp(at, FIELD, sizeof FIELD - 1) == 0;
    for (at++; *at != '\0' && *at != '"'; at++)
      if (*at == '\\' && at[1] != '\0') at++;
    if (*at == '\0') return NULL;
    at++;
    if (!is_field || at != start + sizeof FIELD - 1) continue;
    value = at + strspn(at, " \t\r\n");
    if (*value != ':') continue;
    value++;
    value += strspn(value, " \t\r\n");
    if (*value != '"') return NULL;
    value++;
    for (at = value; *at != '\0' && *at != '"'; at++)
      if (*at == '\\' && at[1] != '\0') at++;
    if (*at == '\0') return NULL;
    *len = (size_t)(at - value);
    return value;
  }
  return NULL;
}

static int holds(const char *text, size_t len, const char *word) {
  size_t n = strlen(word);
  size_t i;
  for (i = 0; i + n <= len; i++)
    if (memcmp(text + i, word, n) == 0) return 1;
  return 0;
}

static int32_t run(const void *user, const wb_task *task, const wb_host *host, wb_out *out) {
  char *json;
  const char *title;
  size_t len = 0;
  int again;
  (void)user;

  /* The bytes are not terminated: make a C string of them. */
  json = malloc(task->task.len + 1);
  if (json == NULL) return answer(out, WB_OUT_TEXT, WB_ERROR, "out of memory");
  if (task->task.len > 0) memcpy(json, task->task.ptr, task->task.len);
  json[task->task.len] = '\0';

  title = title_of(json, &len);
  if (title == NULL) {
    free(json);
    return answer(out, WB_OUT_TEXT, WB_ERROR, "the task has no data_title");
  }
  again = holds(title, len, "rework");
  free(json);
  if (again) {
    log_line(host, WB_LOG_INFO, "\"rework\" in the title");
    return answer(out, WB_OUT_JSON, WB_OK, "{\"route\":\"rework\",\"priority\":0.9}");
  }
  return answer(out, WB_OUT_JSON, WB_OK,
                "{\"route\":\"complete\",\"add\":[{\"name\":\"Notes\",\"answer\":\"seen by router.c\"}]}");
}

static const wb_agent agents[] = {
  {
    sizeof(wb_agent),
    WB_FLAG_IDEMPOTENT,
    WB_NEED_LABEL_ROW | WB_NEED_LABEL_ROW_WRITE | WB_NEED_PROJECT,
    WB_TEXT("route"),
    WB_TEXT("{\"function\":\"run\",\"location\":\"router.c\",\"routes\":[\"complete\",\"rework\"]}"),
    run,
    NULL,
  },
};

static const wb_module module = {
  .magic = WB_MAGIC,
  .abi_major = WB_ABI_MAJOR,
  .abi_minor = WB_ABI_MINOR,
  .size = sizeof(wb_module),
  .name = WB_TEXT("router"),
  .version = WB_TEXT("0.1.0"),
  .sdk = WB_TEXT("workbench_agent.h 1.0"),
  .build_info = WB_TEXT("C99"),
  .agents = agents,
  .agent_count = sizeof agents / sizeof agents[0],
  .agent_stride = sizeof(wb_agent),
};

const wb_module *wb_agent_module(void) { return &module; }
