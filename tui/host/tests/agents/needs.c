/* An agent that answers with what it finds around its own file: a needed library, one that it opens
 * itself, and a file. */
#define _GNU_SOURCE
#include "workbench_agent.h"
#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

int needed_value(void);

static void beside(char *path, size_t size, const char *name) {
  Dl_info info;
  dladdr((void *)beside, &info);
  const char *end = strrchr(info.dli_fname, '/');
  snprintf(path, size, "%.*s/%s", (int)(end - info.dli_fname), info.dli_fname, name);
}

static int32_t answer(const void *user, const wb_task *task, const wb_host *host, wb_out *out) {
  (void)user, (void)task, (void)host;
  static char text[256];
  char path[4096], word[32] = "none";
  int opened = -1;
  beside(path, sizeof path, "libopened.so");
  void *library = dlopen(path, RTLD_NOW);
  if (library) {
    opened = ((int (*)(void))dlsym(library, "opened_value"))();
  }
  beside(path, sizeof path, "data/word.txt");
  FILE *file = fopen(path, "r");
  if (file) {
    (void)!fscanf(file, "%31s", word);
    fclose(file);
  }
  snprintf(text, sizeof text, "{\"route\":\"needed %d opened %d word %s\"}", needed_value(), opened, word);
  out->kind = WB_OUT_JSON;
  out->data = (uint8_t *)text;
  out->len = strlen(text);
  return WB_OK;
}

static const wb_agent agents[] = {{sizeof(wb_agent), 0, 0, WB_TEXT("one"), WB_TEXT(""), answer, NULL}};

static const wb_module module = {
    WB_MAGIC, WB_ABI_MAJOR, WB_ABI_MINOR, sizeof(wb_module),
    WB_TEXT("needs"), WB_TEXT("1.0"), WB_TEXT("c"), WB_TEXT(""),
    agents, 1, sizeof(wb_agent),
    NULL, NULL, NULL,
};

const wb_module *wb_agent_module(void) { return &module; }
